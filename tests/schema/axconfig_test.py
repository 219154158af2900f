#!/usr/bin/python3
"""scripts/axconfig.py: what it makes of good files, and one line and status 2 for each kind of bad one."""
import pathlib
import subprocess
import sys
import tempfile

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "axconfig.py"
GOOD = """arch = "riscv64" # str
platform = "a-board" # str
[plat]
phys-memory-base = 0x8000_0000 # uint
phys-memory-size = 0x1000_0000
kernel-base-vaddr = "0xffff_ffc0_8020_0000" # uint
[devices]
mmio-regions = [
    [0x1000_0000, 0x1000], # UART
]   # [(uint, uint)]
[sim]
cpus = 4
"""
# (replaced, by, part of the error)
BAD = [
    ("[plat]", "[plat", "this is not TOML"),
    ('"riscv64" # str', '"riscv64" # uint', "board.toml:1: error: arch: is annotated `uint`, but the key holds `str`"),
    ('"riscv64"', '"mips"', "board.toml:1: error: arch: is none of"),
    ("0x8000_0000 # uint", "-1 # uint", "board.toml:4: error: plat.phys-memory-base: "),
    ("0x8000_0000 # uint", "true # uint", "board.toml:4: error: plat.phys-memory-base: "),
    ("0x8000_0000 # uint", "1.5", "board.toml:4: error: plat.phys-memory-base: "),
    ("[0x1000_0000, 0x1000], # UART", "[0x1000_0000], # UART", "board.toml:8: error: devices.mmio-regions: "),
    ('platform = "a-board" # str\n', "", "platform: the key is missing"),
    ("phys-memory-size = 0x1000_0000\n", "", "plat.phys-memory-size: the key is missing"),
    ("kernel-base-vaddr", '"kernel base"', "there is no such key"),
]


def run(path):
    return subprocess.run([sys.executable, SCRIPT, path], capture_output=True, text=True, check=False)


def main():
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "board.toml"
        path.write_text(GOOD)
        made = run(path)
        for line in ('string_view arch = "riscv64";', "u64 phys_memory_base = 0x80000000;", "u64 kernel_base_vaddr = 0xffffffc080200000;",
                     "std::array<HpaRange, 1> mmio_regions = {{\n    {Hpa{0x10000000}, 0x1000},\n}};", "namespace ax::platform::a_board {"):
            if line not in made.stdout:
                failures.append(f"no {line!r} in:\n{made.stdout}{made.stderr}")
        if "cpus" in made.stdout or made.stdout != run(path).stdout:
            failures.append("[sim] is not left out, or two runs differ")
        for old, new, part in BAD:
            assert old in GOOD
            path.write_text(GOOD.replace(old, new))
            bad = run(path)
            if bad.returncode != 2 or part not in bad.stderr or bad.stderr.count("\n") != 1 or bad.stdout:
                failures.append(f"{new!r}: status {bad.returncode}, {bad.stderr!r}; expected {part!r}")
        missing = run(pathlib.Path(folder) / "none.toml")
        if missing.returncode != 2 or "cannot read" not in missing.stderr:
            failures.append(f"missing file: {missing}")
    print("\n".join(failures) if failures else f"{len(BAD) + 2} passed, 0 failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
