#!/usr/bin/env python3
"""Runs one bare-metal x86_64 guest on the simulated CPUs and on the host's KVM, and compares.

Usage: check_kvm.py --axsim FILE --elf FILE [--cpus N] [--region REGION]... [--outcome WORD] [--max-exits N] [--send LINE]...
                    [--console-only] [--extra N]
Both runs must end with `--outcome` (default powered-off), with the same bytes on the console and with the same sequence of
device accesses of each vCPU: kind, address or port, size, value; but for N that KVM makes and the simulation does not, by
instructions that the core's decoder of devices has no line for. Values of registers that tell the time are not compared.
`--console-only` is for guests whose accesses depend on it, or that access devices across the end of a page, which is one fault
in the simulation and an access of each side to KVM.
Without a usable KVM the test is skipped (77) and says why; also where a paravirtual KVM, which interprets a guest's kernel, does not
know an instruction.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from check_guest import PLATFORMS, ROOT, console, vm_file

SKIPPED = 77
EMULATION_FAILED = "(0x4b564d11, 0x1)"
# The local APIC's current count.
CLOCKS = re.compile(r"gpa=0xfee0039[0-9a-f] ")
ACCESS = re.compile(r"(vm\d+/vcpu\d+) pc 0x[0-9a-f]+ ((mmio|port)-(read|write) .*)$")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axsim", type=Path, required=True)
    parser.add_argument("--elf", type=Path, required=True)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--region", action="append", default=[], help="a further memory region as a VM file writes it")
    parser.add_argument("--outcome", default="powered-off")
    parser.add_argument("--max-exits", type=int, default=2_000_000)
    parser.add_argument("--send", action="append", default=[], help="a line for the console, once the guest is ready")
    parser.add_argument("--console-only", action="store_true")
    parser.add_argument("--extra", type=int, default=0, help="accesses that KVM may make beyond the simulation's")
    args = parser.parse_args()
    args.isa, args.gic = "x86_64", 3
    name = args.elf.stem
    with tempfile.TemporaryDirectory(prefix=f"axsim-kvm-{name}-") as folder:
        try:
            kvm = run(args, name, Path(folder) / "kvm", "kvm")
        except NoKvm as reason:
            print(f"{name}: skipped: {reason}")
            return SKIPPED
        simulated = run(args, name, Path(folder) / "sim", "sim")
    problems = [f"{side}: ended as {one['outcome']}, not {args.outcome}: {one['stderr']}"
                for side, one in (("sim", simulated), ("kvm", kvm)) if one["outcome"] != args.outcome]
    if simulated["console"] != kvm["console"]:
        problems.append("the console differs:\n" + first_difference(simulated["console"].split(b"\n"), kvm["console"].split(b"\n")))
    compared = 0
    if not args.console_only:
        for vcpu in sorted(simulated["accesses"].keys() | kvm["accesses"].keys()):
            ours, theirs = (one["accesses"].get(vcpu, []) for one in (simulated, kvm))
            compared += len(ours)
            if not is_within(ours, theirs) or len(theirs) - len(ours) > args.extra:
                problems.append(f"the device accesses of {vcpu} differ:\n" + first_difference(ours, theirs))
    for problem in problems:
        print(f"{name}: {problem}")
    print(f"{name}: {len(kvm['console'])} bytes of console, {compared} device accesses compared; {kvm['exits']} exits in "
          f"{kvm['wall_seconds']:.2f} s on KVM")
    return 1 if problems else 0


class NoKvm(Exception):
    pass


def run(args, name, work, backend):
    work.mkdir()
    (work / "vm.toml").write_text(vm_file(name, args))
    command = [args.axsim, "run", work / "vm.toml", "--platform", ROOT / f"configs/platforms/{PLATFORMS['x86_64']}.toml", "--backend",
               backend, "--exits", work / "exits", "--console", console(args, work), "--max-exits", args.max_exits, "--json"]
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=250)
    errors = done.stderr.decode(errors="replace")
    if backend == "kvm" and "cannot run on KVM" in errors:
        raise NoKvm(errors.strip().removeprefix("axsim: error: "))
    if backend == "kvm" and EMULATION_FAILED in errors:
        raise NoKvm("this KVM interprets guest kernels and does not know an instruction: " + errors[errors.find("("):].split(")")[0] + ")")
    if not done.stdout:
        sys.exit(f"{name}: axsim --backend {backend} printed no result: {errors}")
    result = json.loads(done.stdout)
    # With a script the console goes to standard error, before anything else that is said there.
    written = work / "console"
    result["console"] = written.read_bytes() if written.exists() else done.stderr
    result["stderr"] = "" if result["outcome"] == args.outcome else errors[-2000:]
    result["accesses"] = accesses(work / "exits")
    return result


def accesses(path):
    """Of each vCPU, in order. What a write is answered tells nothing."""
    found = {}
    with path.open() as lines:
        for line in lines:
            if match := ACCESS.search(line):
                what = match[2] if match[4] == "read" else match[2].split(" -> ")[0]
                if CLOCKS.search(what):
                    what = re.sub(r"value[ =]0x[0-9a-f]+", "value (time)", what)
                found.setdefault(match[1], []).append(what)
    return found


def is_within(ours, theirs):
    """True when all of ours are among theirs, in order."""
    rest = iter(theirs)
    return all(any(other == one for other in rest) for one in ours)


def first_difference(ours, theirs):
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    show = lambda side: "\n".join(f"    {line!r}" for line in side[max(0, at - 2):at + 3])
    return f"  first at {at} of {len(ours)} and {len(theirs)}\n  sim:\n{show(ours)}\n  kvm:\n{show(theirs)}"


if __name__ == "__main__":
    sys.exit(main())
