#!/usr/bin/env bash
# The same machine ends in the same state in every build that is there: GCC with sanitizers, GCC and Clang optimised.
# Usage: tests/scenario/cross_build.sh OUT, where OUT/guests/riscv64 holds the bare-metal guests.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:?usage: tests/scenario/cross_build.sh OUT}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

builds=()
for build in dev release clang; do
  if [ -x "$top/build/$build/axsim" ]; then builds+=("$build"); else echo "skipped: build/$build is not built"; fi
done
[ ${#builds[@]} -ge 2 ] || { echo "SKIP: fewer than two builds are there"; exit 77; }

failures=0
# compare NAME VM OPTIONS...: one run per build, and the first build's recording replayed by all.
compare() {
  local name=$1 vm=$2 build first='' result
  shift 2
  for build in "${builds[@]}"; do
    local record=()
    [ -n "$first" ] || record=(--record "$work/$name.axtrace")
    "$top/build/$build/axsim" run "$vm" --json --state-hash-every 20000000 "${record[@]}" "$@" </dev/null >"$work/$build.json" 2>"$work/$build.err" || true
    result=$(grep -E '"(outcome|instructions|exits|virtual_ns|state_hash)"' "$work/$build.json" || cat "$work/$build.err")
    if [ -z "$first" ]; then
      first=$result
    elif [ "$result" != "$first" ]; then
      printf 'FAIL: %s differs between %s and %s:\n%s\n%s\n' "$name" "${builds[0]}" "$build" "$first" "$result"
      failures=$((failures + 1))
    elif ! "$top/build/$build/axsim" replay "$work/$name.axtrace" --json >"$work/$build.json" 2>"$work/$build.err"; then
      printf 'FAIL: %s does not replay what %s recorded of %s:\n' "$build" "${builds[0]}" "$name"
      cat "$work/$build.err"
      failures=$((failures + 1))
    else
      echo "ok: $name: $build and ${builds[0]}"
    fi
  done
}

missing() { # NAME FILE
  [ -f "$top/guests/$2" ] && return 1
  echo "skipped: $1 needs guests/$2; run scripts/guests.sh"
  [ "${CI:-}" != true ] || failures=$((failures + 1))
}

for cpus in 1 2 4; do
  sed -e "s#@NAME@#ipi_smp#; s#@CPUS@#$cpus#; s#@CONTEXTS@#$((2 * cpus))#; s#@ELF@#$out/guests/riscv64/ipi_smp.elf#" \
    "$top/tests/guests/riscv64/vm.toml.in" >"$work/smp$cpus.toml"
  compare "ipi_smp on $cpus" "$work/smp$cpus.toml" --console file:/dev/null
done
sed -e "s#@NAME@#fp#; s#@CPUS@#1#; s#@CONTEXTS@#2#; s#@ELF@#$out/guests/riscv64/fp.elf#" "$top/tests/guests/riscv64/vm.toml.in" >"$work/fp.toml"
compare fp "$work/fp.toml" --console file:/dev/null

printf 'expect "stop autoboot"\nsend " "\nexpect "=> "\nsend "bdinfo\\n"\nexpect "=> "\nsend "poweroff\\n"\n' >"$work/uboot.script"
missing U-Boot uboot-riscv64.elf || compare U-Boot "$top/configs/vms/uboot-riscv64.toml" --console "script:$work/uboot.script"
missing Linux linux-riscv64 || for file in linux-riscv64 linux-riscv64-smp2 linux-riscv64-smp4; do
  compare "$file" "$top/configs/vms/$file.toml" --console file:/dev/null --max-insns 200000000
done
exit "$((failures != 0))"
