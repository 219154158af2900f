#!/usr/bin/env python3
"""The axconfig step: turns a platform file into a C++ header of constants for bare-metal builds.

Usage: axconfig.py PLATFORM.toml [--defconfig FILE] [--output FILE] [--root DIR]

Each key outside [sim], which is the simulator's, becomes one constant under the family's name, with - as _.
A trailing comment `# uint`, `# str` or `# [(uint, uint)]` is the value's type and must be right. What is wrong
is said in one line each, and the exit status is 2; `axsim config check` knows more rules.
"""
import argparse
import os
import re
import sys
import tomllib
from pathlib import Path

UINT, STR, RANGES = "uint", "str", "[(uint, uint)]"
DEFCONFIG = {"task-stack-size": UINT, "ticks-per-sec": UINT, "smp": UINT}
TYPES = {
    "": {"arch": STR, "platform": STR, **DEFCONFIG},
    "plat": {
        "family": STR,
        **dict.fromkeys(
            ("phys-memory-base", "phys-memory-size", "kernel-base-paddr", "kernel-base-vaddr", "phys-virt-offset",
             "phys-bus-offset", "kernel-aspace-base", "kernel-aspace-size"), UINT),
    },
    # Boards add numbers of their own here.
    "devices": {"mmio-regions": RANGES, "virtio-mmio-regions": RANGES, "pci-ranges": RANGES, "psci-method": STR},
}
REQUIRED = (("", "arch"), ("", "platform"), ("plat", "phys-memory-base"), ("plat", "phys-memory-size"))
ARCHES = ("x86_64", "aarch64", "riscv64")
MAX_UINT = 2**64 - 1
MAX_TEXT = 63

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|(?P<comment>\#[^\n]*)|[\[{]|[\]}]|\n|[^"\'\#\[\]{}\n]+',
    re.DOTALL)
_ANNOTATION = re.compile(r"[\[(]*\b(?:uint|int|str|bool)\b[\w\[\](), ]*")
_DIGITS = re.compile(r"0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0o[0-7]+(?:_[0-7]+)*|0b[01]+(?:_[01]+)*|[0-9]+(?:_[0-9]+)*")
_CONSTANT = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*")


class TomlFile:
    """The tables of a file, with the line and the type comment of each key. Errors are collected."""

    def __init__(self, path):
        self.path, self.errors, self.tables, self.places = path, [], {}, {}
        try:
            text = Path(path).read_text(encoding="utf-8")
            self.tables = tomllib.loads(text)
        except OSError as error:
            self.errors.append(f"axconfig: error: cannot read {path}: {error.strerror}")
        except UnicodeDecodeError:
            self.error("", "this is not TOML: the text is not UTF-8")
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            self.error("", f"this is not TOML: {error}", int(line[1]) if line else text.count("\n") + 1)
        else:
            self._find_places(text)

    def error(self, key, what, line=None):
        line = line or self.places.get(key, (1, ""))[0]
        self.errors.append(f"{self.path}:{line}: error: {key + ': ' if key else ''}{what}")

    def _find_places(self, text):
        """One statement ends at the newline behind its last bracket; what stands behind it is its comment."""
        table, statement, comment, depth, line, start = "", "", "", 0, 1, 1
        for token in _TOKEN.finditer(text + "\n"):
            word = token[0]
            depth += (word in "[{") - (word in "]}")
            if word == "\n" and depth == 0:
                table = self._place(table, statement.strip(), comment, start)
                statement, comment, start = "", "", line + 1
            elif token["comment"]:
                comment = word[1:].strip() if depth == 0 else comment
            else:
                statement += word
            line += word.count("\n")

    def _place(self, table, statement, comment, line):
        """Notes where a statement is; returns the table that the next one belongs to."""
        if statement.startswith("["):
            table = _path(statement.strip("[] "))
            self.places[table] = (line, "")
        elif "=" in statement:
            key = _path(statement.partition("=")[0])
            self.places[f"{table}.{key}" if table else key] = (line, comment)
        return table


def _path(key):
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


def parse_uint(value):
    """The number, or None when `value` is no whole number of 64 bits."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        digits = value.lower().replace("_", "")
        value = int(digits, 0 if digits[1:2].isalpha() else 10)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value <= MAX_UINT else None


def parse_ranges(value):
    """The pairs, or None when `value` is no list of [base, size] within 64 bits."""
    if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return None
    pairs = [tuple(map(parse_uint, pair)) for pair in value]
    if any(None in pair or pair[0] + max(pair[1], 1) - 1 > MAX_UINT for pair in pairs):
        return None
    return pairs


def parse_text(value):
    return value if isinstance(value, str) and len(value.encode()) <= MAX_TEXT and "\0" not in value else None


PARSERS = {
    UINT: (parse_uint, "is no number of 64 bits; write an integer from 0, one of 2^63 and more as a string \"0x...\""),
    STR: (parse_text, f"is no string of up to {MAX_TEXT} bytes"),
    RANGES: (parse_ranges, "is no list of [base, size] within 64 bits"),
}


def read_table(file, table, values, types, default=None):
    """The constants of one table: (name, type, value) in the order of the file."""
    constants, names = [], {}
    for key, value in values.items():
        path = f"{table}.{key}" if table else key
        kind = types.get(key, default)
        if kind is None:
            file.error(path, "there is no such key")
            continue
        line, comment = file.places.get(path, (1, ""))
        if _ANNOTATION.fullmatch(comment) and comment.replace(" ", "") != kind.replace(" ", ""):
            file.error(path, f"is annotated `{comment}`, but the key holds `{kind}`")
        parse, problem = PARSERS[kind]
        parsed, name = parse(value), key.replace("-", "_")
        if parsed is None:
            file.error(path, problem)
        elif not _CONSTANT.fullmatch(key):
            file.error(path, "is no name of a constant; use letters, digits and -")
        elif name in names:
            file.error(path, f"becomes the same constant as {names[name]}")
        else:
            names[name] = path
            constants.append((name, kind, parsed))
    return constants


def read_platform(file):
    """{table: constants} of a platform file; empty after an error."""
    tables = {"": {key: value for key, value in file.tables.items() if key not in ("plat", "devices", "sim")}}
    for table in ("plat", "devices"):
        tables[table] = file.tables.get(table)
        if not isinstance(tables[table], dict):
            file.error(table, f"the table [{table}] is missing")
            tables[table] = {}
    for table, key in REQUIRED:
        if key not in tables[table] and (not table or tables[table]):
            file.error(f"{table}.{key}" if table else key, "the key is missing", file.places.get(table, (1,))[0])
    if isinstance(arch := tables[""].get("arch"), str) and arch not in ARCHES:
        file.error("arch", f"is none of {', '.join(ARCHES)}")
    if isinstance(platform := tables[""].get("platform"), str) and not _CONSTANT.fullmatch(platform):
        file.error("platform", "is no name of a namespace; use letters, digits and -")
    return {name: read_table(file, name, values, TYPES[name], UINT if name == "devices" else None) for name, values in tables.items()}


def add_defaults(constants, defconfig):
    """What the platform file leaves to the defconfig; its own values stay."""
    given = {name for name, _, _ in constants[""]}
    constants[""] += [c for c in read_table(defconfig, "", defconfig.tables, DEFCONFIG) if c[0] not in given]


def cxx_string(text):
    plain = lambda byte: 0x20 <= byte < 0x7F and byte not in b'"\\'
    return '"' + "".join(chr(byte) if plain(byte) else f"\\{byte:03o}" for byte in text.encode()) + '"'


def declaration(name, kind, value):
    if kind == UINT:
        return f"inline constexpr u64 {name} = {value:#x};\n"
    if kind == STR:
        return f"inline constexpr std::string_view {name} = {cxx_string(value)};\n"
    head = f"inline constexpr std::array<HpaRange, {len(value)}> {name} = "
    return head + ("{{\n" + "".join(f"    {{Hpa{{{base:#x}}}, {size:#x}}},\n" for base, size in value) + "}};\n" if value else "{};\n")


def header(constants, sources):
    platform = next(value for name, _, value in constants[""] if name == "platform")
    space = f"ax::platform::{platform.replace('-', '_')}"
    text = f"// Constants of the board {platform}, made by scripts/axconfig.py from\n// {' and '.join(sources)}.\n"
    text += '#pragma once\n\n#include <array>\n#include <string_view>\n\n#include "core/base/addr.hpp"\n\n'
    text += f"namespace {space} {{\n\n" + "".join(declaration(*c) for c in constants[""])
    for table in ("plat", "devices"):
        text += f"\nnamespace {table} {{\n" + "".join(declaration(*c) for c in constants[table]) + f"}}  // namespace {table}\n"
    return text + f"\n}}  // namespace {space}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("platform", metavar="PLATFORM.toml")
    parser.add_argument("--defconfig", metavar="FILE", help="values for what the platform file leaves out")
    parser.add_argument("--output", metavar="FILE", help="where the header goes (default: standard output)")
    parser.add_argument("--root", metavar="DIR", default=".", help="the header names its sources relative to this folder")
    args = parser.parse_args()
    files = [TomlFile(path) for path in (args.platform, args.defconfig) if path]
    if not any(file.errors for file in files):
        constants = read_platform(files[0])
        for defconfig in files[1:]:
            add_defaults(constants, defconfig)
    if errors := [error for file in files for error in file.errors]:
        print("\n".join(errors), file=sys.stderr)
        return 2
    text = header(constants, [Path(os.path.relpath(file.path, args.root)).as_posix() for file in files])
    if not args.output:
        sys.stdout.write(text)
        return 0
    try:
        Path(args.output).parent.mkdir(parents=True, exist_ok=True)
        Path(args.output).write_text(text, encoding="utf-8")
    except OSError as error:
        print(f"axconfig: error: cannot write {args.output}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
