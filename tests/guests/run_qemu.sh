#!/usr/bin/env bash
# Runs built guests under QEMU, to check the guests themselves. Prints a line for each.
# Usage: [GIC=2] [CPUS=N] [EL2=1] tests/guests/run_qemu.sh ISA DIR [NAME...]      DIR is what build.sh made.
# EL2=1 runs aarch64 guests on one CPU behind qemu_el2.S's second stage; s2_perm always does.
set -uo pipefail
isa=${1:?usage: tests/guests/run_qemu.sh ISA DIR [NAME...]}
dir=${2:?usage: tests/guests/run_qemu.sh ISA DIR [NAME...]}
shift 2
qemu=qemu-system-$isa
case $isa in
  riscv64) machine=(-M virt -cpu "rv64,h=false") ;;
  aarch64) machine=(-M "virt,gic-version=${GIC:-3},its=off" -cpu cortex-a72) ;;
  *) echo "guests: error: no guests for '$isa'; known: riscv64 aarch64" >&2; exit 2 ;;
esac
command -v "$qemu" >/dev/null || { echo "guests: skipped: $qemu is not installed" >&2; exit 0; }
endless="jump_nowhere trap_loop trap_storm pt_root_on_mmio"
[ $# -gt 0 ] || set -- $(cd "$dir" && ls ./*.elf | sed 's,^\./,,; s,\.elf$,,')
# QEMU 7.2 reports a failing AMO as a load, and a riscv64 page table on a device as a page fault.
case $isa in riscv64) deviating="access_faults pt_on_mmio" ;; *) deviating="" ;; esac
stub=$(mktemp)
trap 'rm -f "$stub"' EXIT
behind_el2() { # NAME
  [ "$isa" = aarch64 ] && { [ "$1" = s2_perm ] || [ -n "${EL2:-}" ]; }
}
failed=0
for name in "$@"; do
  [ "$name" = echo ] && continue
  limit=60
  case " $endless " in *" $name "*) limit=3 ;; esac
  options=(-smp "${CPUS:-4}" -m 256M)
  if behind_el2 "$name"; then
    [ -s "$stub" ] || "${AARCH64_CC:-aarch64-linux-gnu-gcc}" -nostdlib -static -Wl,-Ttext=0x60000000,--build-id=none -o "$stub" \
      "$(dirname "$0")/qemu_el2.S" || exit 2
    options=(-M "virt,virtualization=on,gic-version=${GIC:-3},its=off" -m 1G -device "loader,file=$stub,cpu-num=0")
  fi
  log=$(timeout "$limit" "$qemu" "${machine[@]}" "${options[@]}" -display none -monitor none \
        -serial stdio -kernel "$dir/$name.elf" </dev/null 2>&1 | tr -d '\r' | tr -c '[:print:]\n' '?')
  line=$(tail -n 1 <<<"$log")
  if [ "$line" = "PASS $name" ]; then echo "$line"
  elif [ "$limit" = 3 ] && ! grep -q FAIL <<<"$log"; then echo "ENDLESS $name"
  elif [[ " $deviating " == *" $name "* ]]; then echo "DEVIATES $line"
  else echo "${line:-nothing} ($name)"; failed=1
  fi
done
exit $failed
