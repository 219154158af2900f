#!/usr/bin/env python3
"""Feeds tidy small bad trees and checks that each rule fires there, and only there."""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import bans
import freestanding
import headers
import includes
import layers

HEADER = "// A header.\n#pragma once\n"


class Tree(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="tidy-selftest-"))
        self.addCleanup(shutil.rmtree, self.root)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def rules(self, check, *args):
        return sorted((f.rule, f.path, f.line) for f in check(self.root, *args))


class IncludeRules(Tree):
    def setUp(self):
        super().setUp()
        for name in ("core/base/a.hpp", "core/mm/m.hpp", "core/vm/v.hpp", "core/arch/riscv/regs.hpp", "core/arch/riscv/decode.hpp",
                     "core/arch/arm64/regs.hpp", "core/port/p.hpp", "sim/machine/machine.hpp", "sim/mmu/w.hpp"):
            self.write(name, HEADER)

    def including(self, path, *names):
        self.write(path, HEADER + "".join(f'#include "{n}"\n' for n in names))
        return self.rules(includes.check)

    def test_tree_that_points_down_is_clean(self):
        self.assertEqual(self.including("core/vm/x.hpp", "core/mm/m.hpp", "core/base/a.hpp", "core/vm/v.hpp"), [])

    def test_include_upwards_fires(self):
        self.assertEqual(self.including("core/base/x.hpp", "core/mm/m.hpp"), [("include-table", "core/base/x.hpp", 3)])

    def test_core_never_includes_sim(self):
        self.assertEqual(self.including("core/vm/x.hpp", "sim/machine/machine.hpp"), [("include-table", "core/vm/x.hpp", 3)])

    def test_core_vm_never_includes_arch(self):
        self.assertEqual(self.including("core/vm/x.hpp", "core/arch/riscv/regs.hpp"), [("include-table", "core/vm/x.hpp", 3)])

    def test_walker_never_includes_core_mm(self):
        self.assertEqual(self.including("sim/mmu/x.hpp", "core/mm/m.hpp"), [("include-table", "sim/mmu/x.hpp", 3)])

    def test_backend_keeps_to_its_instruction_set(self):
        self.assertEqual(self.including("core/backend/riscv/x.hpp", "core/arch/riscv/decode.hpp"), [])
        self.assertEqual(self.including("core/backend/riscv/x.hpp", "core/arch/arm64/regs.hpp"),
                         [("include-table", "core/backend/riscv/x.hpp", 3)])

    def test_trap_model_shares_layouts_only(self):
        self.assertEqual(self.including("sim/trap/riscv/x.hpp", "core/arch/riscv/regs.hpp"), [])
        self.assertEqual(self.including("sim/trap/riscv/x.hpp", "core/arch/riscv/decode.hpp"), [("written-twice", "sim/trap/riscv/x.hpp", 3)])

    def test_port_is_included_by_nothing(self):
        self.assertEqual(self.including("sim/cli/x.hpp", "core/port/p.hpp"), [("include-table", "sim/cli/x.hpp", 3)])

    def test_folder_without_a_row_fires(self):
        self.assertEqual(self.including("sim/new/x.hpp"), [("include-table", "sim/new/x.hpp", 1)])

    def test_path_not_from_the_root_fires(self):
        self.assertEqual(self.including("tests/unit/x.hpp", "a.hpp"), [("include-path", "tests/unit/x.hpp", 3)])

    def test_include_in_a_comment_is_ignored(self):
        self.write("core/base/x.hpp", HEADER + '// #include "core/mm/m.hpp"\n/*\n#include "core/mm/m.hpp"\n*/\n')
        self.assertEqual(self.rules(includes.check), [])

    def test_own_header_comes_first(self):
        self.write("core/base/a.cpp", '#include <array>\n#include "core/base/a.hpp"\n')
        self.assertEqual(self.rules(includes.check), [("own-header-first", "core/base/a.cpp", 1)])

    def test_hosted_header_in_core_fires(self):
        self.write("core/base/a.cpp", '#include "core/base/a.hpp"\n\n#include <string>\n#include <array>\n')
        self.assertEqual(self.rules(includes.check), [("freestanding-header", "core/base/a.cpp", 3)])

    def test_header_form(self):
        self.write("core/base/x.hpp", "int x();\n")
        self.assertEqual(self.rules(includes.check), [("header-form", "core/base/x.hpp", 1)] * 2)

    def test_instruction_set_above_the_hal_line_fires(self):
        for name in ("riscv_mode", "ArmRiscvTable", "has_sbi", "kX86", "VmxState"):
            self.write("core/vm/x.hpp", HEADER + f"inline int {name} = 0;\n")
            self.assertEqual(self.rules(includes.check), [("isa-neutral", "core/vm/x.hpp", 3)], name)
        self.write("core/vm/x.hpp", HEADER + "// SBI and PSCI arrive here alike.\nvoid arm_timer(int acceptor);\n")
        self.assertEqual(self.rules(includes.check), [])

    def test_table_points_down_only(self):
        def reach(folder, seen):
            for target in layers.TABLE.get(folder, ()):
                for row in (r for r in layers.TABLE if r == target or r.startswith(target + "/")):
                    if row not in seen:
                        seen.add(row)
                        reach(row, seen)
            return seen

        for folder in (f for f in layers.TABLE if not f.startswith("sim/")):
            self.assertNotIn(folder, reach(folder, set()) - {folder} if folder == "core/port" else reach(folder, set()))


class Bans(Tree):
    CASES = (
        ("host-clock", "sim/machine/x.cpp", "auto t = std::chrono::steady_clock::now();"),
        ("host-clock", "sim/machine/x.cpp", "auto t = time(nullptr);"),
        ("host-clock", "devices/rtc/x.cpp", "clock_gettime(CLOCK_REALTIME, &t);"),
        ("host-random", "sim/machine/x.cpp", "int r = rand();"),
        ("host-random", "sim/machine/x.cpp", "#include <random>"),
        ("host-random", "sim/machine/x.cpp", "std::mt19937_64 g;"),
        ("raw-guest-address", "core/mm/x.hpp", "void map(u64 gpa, u64 size);"),
        ("raw-guest-address", "sim/mmu/x.hpp", "int walk(int a, std::uint64_t root_hpa);"),
        ("macro", "core/base/x.hpp", "#define MAX(a, b) a"),
        ("conditional", "core/base/x.hpp", "#if defined(__x86_64__)\n#endif"),
        ("local-if", "sim/hal/x.hpp", "#if defined(__x86_64__)\n#endif"),
        ("assembly", "sim/hal/x.cpp", 'void f() { asm volatile("nop"); }'),
        ("exception", "sim/config/x.cpp", "void f() { throw 1; }"),
        ("exception", "core/base/x.cpp", "void f() { try { g(); } }"),
        ("rtti", "sim/config/x.cpp", "auto* d = dynamic_cast<D*>(b);"),
        ("heap", "core/vm/x.cpp", "auto* v = new Vm;"),
        ("hosted-type", "core/vm/x.cpp", "std::vector<int> v;"),
        ("floating-point", "core/timer/x.cpp", "double rate = 0;"),
        ("thread", "sim/machine/x.cpp", "std::thread t;"),
        ("namespace", "sim/report/x.cpp", "using namespace std;"),
        ("unordered-iteration", "sim/state/x.cpp", "std::unordered_map<int, std::vector<int>> pages_;\nvoid f() { for (auto& p : pages_) g(p); }"),
        ("unordered-iteration", "sim/state/x.cpp", "void f(const std::unordered_set<int>& seen) { g(seen.begin()); }"),
        ("open-end", "sim/state/x.cpp", "// TODO: later"),
        ("open-end", "scripts/x.sh", "# FIXME this"),
        ("file-length", "sim/state/x.cpp", "int x;\n" * 501),
    )
    CLEAN = (
        ("sim/cli/x.cpp", "auto t = std::chrono::steady_clock::now();"),
        ("sim/machine/x.cpp", "// std::random_device is not used\nconst char* s = \"rand()\";"),
        ("core/mm/x.hpp", "void map(Gpa gpa, u64 size); u64 operand(u64 timeout_ns);"),
        ("core/port/x.cpp", 'void f() { asm volatile("nop"); }\n#if 1\n#endif'),
        ("core/mm/x.cpp", "new (&slot) Table(1); void free(Hpa frame); u64 x = 1'000'000; char c = '\"'; // new throw\n"),
        ("sim/state/x.cpp", "std::unordered_map<int, int> pages_;\nauto i = pages_.find(3);\nfor (auto k : sorted_keys(pages_)) f(k);"),
        ("sim/state/x.cpp", "// TODO(#12): later"),
        ("sim/state/x.cpp", "int x;\n" * 499),
        ("sim/config/x.cpp", "try { parse(); } catch (const toml::parse_error& e) { }"),
    )

    def test_each_ban_fires(self):
        for rule, path, text in self.CASES:
            with self.subTest(rule=rule, text=text[:60]):
                file = self.root / path
                self.write(path, text + "\n")
                self.assertEqual([r for r, _, _ in self.rules(bans.check)], [rule])
                file.unlink()

    def test_every_ban_has_a_case(self):
        self.assertEqual({b.rule for b in bans.BANS} - {case[0] for case in self.CASES}, set())

    def test_lawful_code_is_clean(self):
        for path, text in self.CLEAN:
            with self.subTest(path=path, text=text[:60]):
                self.write(path, text + "\n")
                self.assertEqual(self.rules(bans.check), [])
                (self.root / path).unlink()

    def test_members_of_the_own_header_are_known(self):
        self.write("sim/state/x.hpp", HEADER + "struct S { std::unordered_set<int> dirty_; };\n")
        self.write("sim/state/x.cpp", "void f(S& s) {\n    for (int d : s.dirty_) g(d);\n}\n")
        self.assertEqual(self.rules(bans.check), [("unordered-iteration", "sim/state/x.cpp", 2)])

    def test_finding_names_file_line_rule_and_advice(self):
        self.write("core/base/x.cpp", "int a;\nfloat f;\n")
        self.assertEqual([str(f) for f in bans.check(self.root)],
                         ["core/base/x.cpp:2: floating-point: `float`: use integers or a rational"])


class HeaderRule(Tree):
    def test_header_that_needs_another_fires_and_is_not_cached(self):
        self.write("core/base/good.hpp", HEADER + "using Good = int;\n")
        self.write("core/base/bad.hpp", HEADER + "inline Good make() { return 1; }\n")
        cache = self.root / "cache"
        for _ in range(2):
            self.assertEqual(self.rules(headers.check, cache), [("header-alone", "core/base/bad.hpp", 3)])
        self.assertEqual(len(list(cache.iterdir())), 1)

    def test_change_below_a_cached_header_is_seen(self):
        self.write("core/base/low.hpp", HEADER + "using Low = int;\n")
        self.write("core/base/high.hpp", HEADER + '#include "core/base/low.hpp"\ninline Low f() { return 1; }\n')
        cache = self.root / "cache"
        self.assertEqual(self.rules(headers.check, cache), [])
        self.write("core/base/low.hpp", HEADER + "using Lower = int;\n")
        self.assertEqual(self.rules(headers.check, cache), [("header-alone", "core/base/high.hpp", 4)])

    def test_header_without_pragma_once_fires(self):
        self.write("core/base/twice.hpp", "// Twice.\ninline int twice() { return 1; }\n")
        self.assertEqual([r for r, _, _ in self.rules(headers.check, self.root / "cache")], ["header-alone"])


class SymbolRule(Tree):
    def library(self, name, code):
        build = self.root / "build"
        build.mkdir(exist_ok=True)
        (build / "CMakeCache.txt").write_text("CMAKE_NM:FILEPATH=nm\n")
        subprocess.run(["g++", "-x", "c++", "-c", "-O1", "-ffreestanding", "-fno-exceptions", "-o", build / f"{name}.o", "-"], input=code, text=True, check=True)
        subprocess.run(["ar", "rc", build / f"lib{name}.a", build / f"{name}.o"], check=True)
        return build

    def test_symbol_outside_the_list_fires(self):
        build = self.library("low", 'extern "C" void abort(); void own() { abort(); }\n')
        self.library("high", 'void own(); extern "C" int printf(const char*, ...); void f() { own(); printf("x"); }\n')
        found = freestanding.check_libraries(self.root, build, "preset")
        self.assertEqual([(f.rule, "printf" in f.text or "puts" in f.text or "putchar" in f.text) for f in found], [("preset", True)])

    def test_build_without_libraries_fires(self):
        (self.root / "build").mkdir()
        self.assertEqual(len(freestanding.check_libraries(self.root, self.root / "build", "preset")), 1)


if __name__ == "__main__":
    sys.exit(0 if unittest.main(argv=[sys.argv[0]], exit=False).result.wasSuccessful() else 1)
