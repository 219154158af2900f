#!/usr/bin/env python3
"""Times a Linux boot to power-off, axsim against QEMU on the same kernel, initrd and command line.

Contestants run interleaved, `--repeats` times each; the table gives medians and ratios of one run.
Usage: bench/boot.py [--isa riscv64|aarch64|x86_64] [--repeats N] [--axsim FILE] [--only NAME,...] [--json FILE]
bench/qemu_boot.sh checks that QEMU is there and calls this.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QEMU = ["-smp", "1", "-m", "256M", "-nic", "none", "-display", "none", "-monitor", "none", "-rtc", "base=2020-01-01T00:00:00,clock=vm"]


@dataclass(frozen=True)
class Isa:
    """One instruction set's guest: files under guests/, its VM file, QEMU's machine, the bound on run / qemu-icount."""
    name: str
    guest: str
    command_line: str
    qemu: tuple
    bound: float

    def vm(self):
        return f"configs/vms/linux-{self.name}.toml"


ISAS = {isa.name: isa for isa in (
    Isa("riscv64", "riscv64", "earlycon=sbi console=ttyS0 axsim_auto=1", ("qemu-system-riscv64", "-M", "virt"), 1.5),
    Isa("aarch64", "arm64", "console=ttyAMA0 axsim_auto=1",
        ("qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", "cortex-a72"), 2.0),
    # QEMU runs SeaBIOS first, which is a small part of it.
    Isa("x86_64", "amd64", "console=ttyS0 axsim_auto=1", ("qemu-system-x86_64", "-M", "q35", "-accel", "tcg"), 1.3),
)}


@dataclass
class Contestant:
    name: str
    command: list
    seconds: list = field(default_factory=list)
    report: dict = field(default_factory=dict)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--axsim", type=Path, default=ROOT / "build/release/axsim")
    parser.add_argument("--isa", choices=sorted(ISAS), default="riscv64")
    parser.add_argument("--kernel", type=Path)
    parser.add_argument("--initrd", type=Path)
    parser.add_argument("--only", help="comma-separated names: qemu,qemu-icount,qemu-record,qemu-replay,run,record,replay")
    parser.add_argument("--json", type=Path, help="also write all numbers here")
    args = parser.parse_args()
    args.isa = ISAS[args.isa]
    args.kernel = args.kernel or ROOT / f"guests/linux-{args.isa.guest}"
    args.initrd = args.initrd or ROOT / f"guests/initrd-{args.isa.guest}.cpio"
    for file in (args.kernel, args.initrd):
        if not file.is_file():
            sys.exit(f"boot: error: {file} is missing; run scripts/guests.sh")
    with tempfile.TemporaryDirectory(prefix="axsim-boot-") as work:
        contestants = choose(args, Path(work))
        if not contestants:
            sys.exit("boot: error: neither QEMU nor axsim is here to be measured")
        measure(contestants, args.repeats, Path(work))
        numbers = table(contestants, args.isa)
        numbers["trace"] = trace_numbers(args.axsim, Path(work) / "boot.axtrace")
        if args.json:
            args.json.write_text(json.dumps(numbers, indent=2) + "\n")


def choose(args, work):
    """All contestants whose programs are present, in the order of a round; replay needs its recording."""
    chosen = []
    qemu = [*args.isa.qemu, *QEMU]
    if shutil.which(qemu[0]):
        guest = ["-kernel", str(args.kernel), "-initrd", str(args.initrd), "-append", args.isa.command_line, "-serial", f"file:{work / 'console'}"]
        chosen.append(Contestant("qemu", qemu + guest))
        chosen.append(Contestant("qemu-icount", qemu + ["-icount", "shift=0,sleep=off", "-seed", "1"] + guest))
        for mode in ("record", "replay"):
            icount = f"shift=0,sleep=off,rr={mode},rrfile={work / 'qemu.rr'}"
            chosen.append(Contestant(f"qemu-{mode}", qemu + ["-icount", icount, "-seed", "1"] + guest))
    else:
        print(f"boot: skipped: {qemu[0]} is not installed", file=sys.stderr)
    if args.axsim.is_file():
        vm, trace = work / "vm.toml", work / "boot.axtrace"
        vm.write_text(vm_with_command_line(args))
        run = [str(args.axsim), "run", str(vm), "--console", f"file:{work / 'console'}", "--json"]
        chosen.append(Contestant("run", run))
        chosen.append(Contestant("record", run + ["--record", str(trace)]))
        chosen.append(Contestant("replay", [str(args.axsim), "replay", str(trace), "--json"]))
    else:
        print(f"boot: skipped: {args.axsim} is not built; see CONTRIBUTING.md", file=sys.stderr)
    names = args.only.split(",") if args.only else [c.name for c in chosen]
    if "replay" in names and "record" not in names:
        names.append("record")
    if "qemu-replay" in names and "qemu-record" not in names:
        names.append("qemu-record")
    return [c for c in chosen if c.name in names]


def vm_with_command_line(args):
    """The VM file with absolute paths and the command line that powers off by itself."""
    text = (ROOT / args.isa.vm()).read_text()
    for key, value in (("cmdline", args.isa.command_line), ("kernel_path", args.kernel.resolve()), ("ramdisk_path", args.initrd.resolve())):
        text, count = re.subn(rf'^{key} *= *"[^"]*"', f'{key} = "{value}"', text, flags=re.MULTILINE)
        if count != 1:
            sys.exit(f"boot: error: {args.isa.vm()} has {count} lines `{key} = ...`; one is needed")
    return text


def measure(contestants, repeats, work):
    for turn in range(repeats):
        for contestant in contestants:
            trace = work / "boot.axtrace"
            if contestant.name == "record" and trace.exists():
                trace.unlink()
            start = time.perf_counter()
            result = subprocess.run(contestant.command, capture_output=True, text=True, timeout=600)
            seconds = time.perf_counter() - start
            if result.returncode:
                sys.exit(f"boot: error: {contestant.name} ended with status {result.returncode}: "
                         f"{(result.stderr or result.stdout).strip()[-500:]}\n  {' '.join(contestant.command)}")
            if contestant.name.startswith("qemu") and "Power down" not in (work / "console").read_text(errors="replace"):
                sys.exit(f"boot: error: {contestant.name} did not boot to power-off")
            contestant.seconds.append(seconds)
            if not contestant.name.startswith("qemu"):
                contestant.report = json.loads(result.stdout)
            print(f"  round {turn + 1}/{repeats} {contestant.name:12} {seconds:7.2f} s", file=sys.stderr)


def table(contestants, isa):
    median = {c.name: statistics.median(c.seconds) for c in contestants}
    print(f"{'':12} {'median s':>9} {'min s':>7} {'max s':>7} {'MIPS':>6} {'instructions':>15}")
    for c in contestants:
        instructions = c.report.get("instructions")
        mips = f"{instructions / median[c.name] / 1e6:.0f}" if instructions else ""
        count = f"{instructions:,}" if instructions else ""
        print(f"{c.name:12} {median[c.name]:9.2f} {min(c.seconds):7.2f} {max(c.seconds):7.2f} {mips:>6} {count:>15}")
    ratios = {}
    # Name, numerator, denominator, and the bound that the project promises.
    for name, over, under, bound in (("run / qemu", "run", "qemu", None), ("run / qemu-icount", "run", "qemu-icount", isa.bound),
                                     ("record / run", "record", "run", 1.05), ("replay / record", "replay", "record", 1.0),
                                     ("record / qemu-record", "record", "qemu-record", None), ("replay / qemu-replay", "replay", "qemu-replay", None)):
        if over in median and under in median:
            ratios[name] = median[over] / median[under]
            promise = f"  (promised: at most {bound})" if bound else ""
            print(f"{name:20} {ratios[name]:.3f}{promise}")
    for c in contestants:
        if c.name == "replay":
            print(f"{c.report['differences']} differences in replay")
    return {"seconds": {c.name: c.seconds for c in contestants}, "ratios": ratios, "reports": {c.name: c.report for c in contestants}}


def trace_numbers(axsim, trace):
    if not trace.exists():
        return {}
    result = subprocess.run([str(axsim), "trace", "info", str(trace), "--json"], capture_output=True, text=True)
    if result.returncode:
        print(f"boot: trace info failed: {result.stderr.strip()}", file=sys.stderr)
        return {}
    info = json.loads(result.stdout)
    size, exits = os.path.getsize(trace), info["exits"]
    print(f"trace: {size:,} bytes for {exits:,} exits, {size / max(exits, 1):.2f} bytes per exit in the file")
    raw = info.get("raw_bytes")
    if raw is not None:
        print(f"trace: {raw / max(exits, 1):.2f} bytes per exit before compression (promised: at most 24)")
    return {"file_bytes": size, **info}


if __name__ == "__main__":
    main()
