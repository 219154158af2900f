#!/usr/bin/env bash
# Builds the bare-metal test guests: every NAME.c or NAME.S of riscv64/ but the kit becomes OUT/NAME.elf.
# Usage: tests/guests/build.sh OUT [NAME...]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)/riscv64
out=${1:?usage: tests/guests/build.sh OUT [NAME...]}
shift
cc=${RISCV_CC:-riscv64-linux-gnu-gcc}
flags=(-march=rv64imafdc_zicsr_zifencei -mabi=lp64d -mcmodel=medany -O2 -g1 -std=c17 -ffreestanding -fno-pic -no-pie
       -fno-stack-protector -fno-strict-aliasing -fno-tree-loop-distribute-patterns -Wall -Wextra -Werror
       -nostdlib -static -Wl,--build-id=none,--no-warn-rwx-segments -T "$here/link.ld")
mkdir -p "$out"
names=("$@")
if [ ${#names[@]} = 0 ]; then
  for source in "$here"/*.[cS]; do
    name=$(basename "${source%.*}")
    case $name in start|kit) ;; *) names+=("$name") ;; esac
  done
fi
for name in "${names[@]}"; do
  sources=()
  for source in "$here/$name".[cS] ; do [ -f "$source" ] && sources+=("$source"); done
  [ ${#sources[@]} -gt 0 ] || { echo "guests: error: no guest $name in $here" >&2; exit 2; }
  "$cc" "${flags[@]}" -I "$here" -o "$out/$name.elf" "$here/start.S" "$here/kit.c" "${sources[@]}"
done
