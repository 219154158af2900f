#!/usr/bin/env bash
# Compares the boot of Linux under axsim with QEMU's on the same images; see boot.py for its options.
# Usage: bench/qemu_boot.sh [--isa riscv64|aarch64|x86_64] [--repeats N] [--json FILE] ...
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
missing=()
for package in qemu-system-misc qemu-system-arm qemu-system-x86 opensbi; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "qemu_boot: missing: ${missing[*]}; for the comparison install them (as root: apt-get install ${missing[*]})" >&2
fi
exec python3 "$top/bench/boot.py" "$@"
