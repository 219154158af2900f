#!/usr/bin/env bash
# Runs built guests under QEMU and OpenSBI, to check the guests themselves. Prints a line for each.
# Usage: tests/guests/run_qemu.sh DIR [NAME...]      DIR is what build.sh made.
set -uo pipefail
dir=${1:?usage: tests/guests/run_qemu.sh DIR [NAME...]}
shift
command -v qemu-system-riscv64 >/dev/null || { echo "guests: skipped: qemu-system-riscv64 is not installed" >&2; exit 0; }
endless="jump_nowhere trap_loop trap_storm pt_root_on_mmio"
[ $# -gt 0 ] || set -- $(cd "$dir" && ls ./*.elf | sed 's,^\./,,; s,\.elf$,,')
# QEMU 7.2 reports a failing AMO as a load, and a page table on a device as a page fault.
deviating="access_faults pt_on_mmio"
failed=0
for name in "$@"; do
  [ "$name" = echo ] && continue
  limit=60
  case " $endless " in *" $name "*) limit=3 ;; esac
  log=$(timeout "$limit" qemu-system-riscv64 -M virt -cpu rv64,h=false -smp "${HARTS:-4}" -m 256M -display none -monitor none \
        -serial stdio -kernel "$dir/$name.elf" </dev/null 2>&1 | tr -d '\r' | tr -c '[:print:]\n' '?')
  line=$(tail -n 1 <<<"$log")
  if [ "$line" = "PASS $name" ]; then echo "$line"
  elif [ "$limit" = 3 ] && ! grep -q FAIL <<<"$log"; then echo "ENDLESS $name"
  elif [[ " $deviating " == *" $name "* ]]; then echo "DEVIATES $line"
  else echo "${line:-nothing} ($name)"; failed=1
  fi
done
exit $failed
