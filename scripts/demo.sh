#!/usr/bin/env bash
# Shows axsim from a fresh Debian 12 on: boots Linux under the hypervisor core with a scripted console, on each
# instruction set, records the run, replays it, and prints what both say.
# Usage: scripts/demo.sh
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
isas=(riscv64 aarch64 x86_64)

say() { echo "demo: $*" >&2; }

scripts/setup.sh
scripts/guests.sh
mkdir -p build/demo
say "building axsim"
if ! { cmake --preset release && cmake --build --preset release --target axsim -j "$(nproc)"; } >build/demo/build.log 2>&1; then
  tail -n 30 build/demo/build.log >&2
  say "the build failed (build/demo/build.log)"
  exit 1
fi

show() { # isa run replay trace
  python3 - "$@" <<'PY'
import json, os, sys

run, replay = (json.load(open(path)) for path in sys.argv[2:4])

def mips(record):
    return record["instructions"] / max(record["wall_seconds"], 1e-9) / 1e6

rows = (
    ("outcome", run["outcome"], replay["outcome"]),
    ("instructions", f"{run['instructions']:,}", f"{replay['instructions']:,}"),
    ("exits", f"{run['exits']:,}", f"{replay['exits']:,}"),
    ("virtual seconds", f"{run['virtual_ns'] / 1e9:.3f}", f"{replay['virtual_ns'] / 1e9:.3f}"),
    ("wall seconds", f"{run['wall_seconds']:.2f}", f"{replay['wall_seconds']:.2f}"),
    ("MIPS", f"{mips(run):.0f}", f"{mips(replay):.0f}"),
    ("state hash", run["state_hash"], replay["state_hash"]),
)
print(f"{sys.argv[1]:16} {'recorded run':>34} {'replay':>34}")
for name, left, right in rows:
    print(f"{name:16} {left!s:>34} {right!s:>34}")
print(f"trace: {os.path.getsize(sys.argv[4]):,} bytes")
print(f"{replay['differences']} differences")
sys.exit(0 if replay["differences"] == 0 and run["state_hash"] == replay["state_hash"] else 1)
PY
}

for isa in "${isas[@]}"; do
  trace=build/demo/linux-$isa.axtrace
  say "booting Linux on one simulated $isa vCPU, recording to $trace"
  build/release/axsim run "configs/vms/linux-$isa.toml" --console "script:configs/demo/linux-$isa.script" --record "$trace" --json >"build/demo/run-$isa.json"
  say "replaying it"
  build/release/axsim replay "$trace" --json >"build/demo/replay-$isa.json"
  show "$isa" "build/demo/run-$isa.json" "build/demo/replay-$isa.json" "$trace"
done
