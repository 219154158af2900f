#!/usr/bin/env bash
# Builds the bare-metal test guests of one instruction set: every NAME.c or NAME.S of ISA/ but start and the
# kit becomes OUT/NAME.elf, with ISA/start.S, ISA/kit*.c and common/common.c.
# Usage: tests/guests/build.sh ISA OUT [NAME...]      ISA is riscv64, aarch64 or x86_64
set -euo pipefail
top=$(cd "$(dirname "$0")" && pwd)
isa=${1:?usage: tests/guests/build.sh ISA OUT [NAME...]}
out=${2:?usage: tests/guests/build.sh ISA OUT [NAME...]}
shift 2
here=$top/$isa
case $isa in
  riscv64) cc=${RISCV_CC:-riscv64-linux-gnu-gcc}; flags=(-march=rv64imafdc_zicsr_zifencei -mabi=lp64d -mcmodel=medany) ;;
  aarch64) cc=${AARCH64_CC:-aarch64-linux-gnu-gcc}; flags=(-march=armv8-a -mgeneral-regs-only -mstrict-align -mno-outline-atomics) ;;
  x86_64) cc=${X86_64_CC:-x86_64-linux-gnu-gcc}; flags=(-march=x86-64 -mgeneral-regs-only -mno-red-zone -mcmodel=small) ;;
  *) echo "guests: error: no guests for '$isa'; known: riscv64 aarch64 x86_64" >&2; exit 2 ;;
esac
flags+=(-O2 -g1 -std=c17 -ffreestanding -fno-pic -no-pie
        -fno-stack-protector -fno-strict-aliasing -fno-tree-loop-distribute-patterns -Wall -Wextra -Werror
        -nostdlib -static -Wl,--build-id=none,--no-warn-rwx-segments -T "$here/link.ld")
mkdir -p "$out"
names=("$@")
if [ ${#names[@]} = 0 ]; then
  for source in "$here"/*.[cS]; do
    name=$(basename "${source%.*}")
    case $name in start|kit*) ;; *) names+=("$name") ;; esac
  done
fi
for name in "${names[@]}"; do
  sources=()
  for source in "$here/$name".[cS]; do [ -f "$source" ] && sources+=("$source"); done
  [ ${#sources[@]} -gt 0 ] || { echo "guests: error: no guest $name in $here" >&2; exit 2; }
  "$cc" "${flags[@]}" -I "$here" -I "$top/common" -o "$out/$name.elf" "$here/start.S" "$here"/kit*.c "$top/common/common.c" "${sources[@]}"
done
