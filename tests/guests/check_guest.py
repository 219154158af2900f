#!/usr/bin/env python3
"""Runs one bare-metal guest under axsim: run, record, replay, compare.

Usage: check_guest.py --axsim FILE --isa ISA --elf FILE [--cpus N] [--gic N] [--region REGION]... [--outcome WORD]
                      [--text TEXT]... [--reason TEXT] [--limit N] [--max-exits N] [--send LINE]...
The guest must end with `--outcome` (default powered-off) after printing each `--text`, and "PASS name" if it
powers off; axsim must give `--reason` for stopping it; the replay must differ in nothing and end in the same state.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLATFORMS = {"riscv64": "riscv64-qemu-virt", "aarch64": "aarch64-qemu-virt-hv", "x86_64": "x86_64-qemu-q35"}
GICS = {2: '["gic", 0x0800_0000, 0x1_0000, 0, 0x1, [2, 0x0801_0000]]', 3: '["gic", 0x0800_0000, 0x1_0000, 0, 0x1, [3, 0x080a_0000]]'}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axsim", type=Path, required=True)
    parser.add_argument("--isa", choices=sorted(PLATFORMS), required=True)
    parser.add_argument("--elf", type=Path, required=True)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--gic", type=int, choices=sorted(GICS), default=3, help="version of aarch64's interrupt controller")
    parser.add_argument("--region", action="append", default=[], help="a further memory region as a VM file writes it")
    parser.add_argument("--outcome", default="powered-off")
    parser.add_argument("--text", action="append", default=[])
    parser.add_argument("--reason", default="", help="in what axsim says of a VM that it stops")
    parser.add_argument("--limit", type=int, default=300_000_000, help="instructions")
    parser.add_argument("--max-exits", type=int, default=2_000_000)
    parser.add_argument("--send", action="append", default=[], help="a line for the console, once the guest is ready")
    args = parser.parse_args()
    name = args.elf.stem
    with tempfile.TemporaryDirectory(prefix=f"axsim-{name}-") as folder:
        work = Path(folder)
        (work / "vm.toml").write_text(vm_file(name, args))
        trace = work / "guest.axtrace"
        run = ["run", work / "vm.toml", "--platform", ROOT / f"configs/platforms/{PLATFORMS[args.isa]}.toml", "--record", trace,
               "--console", console(args, work), "--max-insns", args.limit, "--max-exits", args.max_exits, "--json"]
        first, errors = call(args.axsim, run)
        printed = errors
        if (work / "console").exists():
            printed = (work / "console").read_bytes().decode(errors="replace")
        replayed, _ = call(args.axsim, ["replay", trace, "--json"])
    texts = args.text + ([f"PASS {name}"] if args.outcome == "powered-off" else [])
    problems = []
    if first.get("outcome") != args.outcome:
        problems.append(f"the run ended as {first.get('outcome')}, not {args.outcome}: {first.get('detail', '')}")
    for text in texts:
        if text not in printed:
            problems.append(f"the guest did not print {text!r}; its last lines are {printed.splitlines()[-3:]}")
    if args.reason not in errors:
        problems.append(f"axsim does not say {args.reason!r} but {errors.splitlines()[:1]}")
    if replayed.get("differences") != 0:
        problems.append(f"the replay has {replayed.get('differences')} differences")
    for key in ("outcome", "instructions", "exits", "virtual_ns", "state_hash"):
        if first.get(key) != replayed.get(key):
            problems.append(f"{key}: {first.get(key)} recorded, {replayed.get(key)} replayed")
    for problem in problems:
        print(f"{name}: {problem}")
    print(f"{name}: {first.get('instructions')} instructions, {first.get('exits')} exits, state {first.get('state_hash')}")
    return 1 if problems else 0


def vm_file(name, args):
    text = (HERE / args.isa / "vm.toml.in").read_text()
    values = {"NAME": name, "CPUS": args.cpus, "CONTEXTS": 2 * args.cpus, "ELF": args.elf.resolve(), "GIC": GICS[args.gic],
              "REGIONS": "".join(f"    [{region}],\n" for region in args.region)}
    return re.sub(r"@(\w+)@", lambda m: str(values[m[1]]), text)


def console(args, work):
    if not args.send:
        return f"file:{work / 'console'}"
    lines = ['expect "ready"'] + [f'send "{line}\\n"' for line in args.send]
    (work / "script").write_text("\n".join(lines) + "\n")
    return f"script:{work / 'script'}"


def call(axsim, arguments):
    """(the JSON object on standard output, standard error)."""
    result = subprocess.run([str(axsim), *map(str, arguments)], capture_output=True, stdin=subprocess.DEVNULL, timeout=580)
    errors = result.stderr.decode(errors="replace")
    try:
        return json.loads(result.stdout), errors
    except json.JSONDecodeError:
        sys.exit(f"axsim {arguments[0]} ended with status {result.returncode} and without JSON: {errors[-1000:]}")


if __name__ == "__main__":
    sys.exit(main())
