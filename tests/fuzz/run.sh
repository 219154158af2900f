#!/usr/bin/env bash
# Runs a fuzz target for a while and keeps what it finds.
# Usage: tests/fuzz/run.sh TARGET SECONDS      TARGET: config
# New inputs go to build/fuzz/corpus-TARGET; a crash goes to tests/fuzz/regressions/TARGET, where every
# build's unit tests replay it, and ends the run with status 1. --merge instead of SECONDS brings the smallest set of
# inputs with the same coverage into tests/fuzz/corpus/TARGET.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
[ $# = 2 ] || { sed -n '2,7s/^# //p' "$0" >&2; exit 2; }
target=$1
seeds=tests/fuzz/corpus/$target
[ -d "$seeds" ] || { echo "fuzz: error: no target '$target'; known: $(ls tests/fuzz/corpus)" >&2; exit 2; }
found=build/fuzz/corpus-$target
crashes=tests/fuzz/regressions/$target
dictionary=tests/fuzz/$target.dict

cmake --preset fuzz >build/fuzz.configure.log 2>&1 || { cat build/fuzz.configure.log >&2; exit 2; }
cmake --build --preset fuzz --target "${target}_fuzz" >build/fuzz.build.log 2>&1 || { tail -n 30 build/fuzz.build.log >&2; exit 2; }
mkdir -p "$found" "$crashes"
program=build/fuzz/tests/fuzz/${target}_fuzz

if [ "$2" = --merge ]; then
  merged=$(mktemp -d)
  "$program" -merge=1 -max_len=16384 "$merged" "$seeds" "$found" 2>&1 | tail -n 3
  rm -rf "${seeds:?}"
  mkdir -p "$seeds"
  cp "$merged"/* "$seeds"
  rm -rf "$merged"
  exit 0
fi
before=$(find "$crashes" -type f | wc -l)
status=0
"$program" -max_total_time="$2" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -dict="$dictionary" \
  -artifact_prefix="$crashes/" "$found" "$seeds" >build/fuzz/run.log 2>&1 || status=$?
grep -E 'cov:' build/fuzz/run.log | tail -n 1 || true
grep -E '^stat::' build/fuzz/run.log || true
if [ "$status" != 0 ] || [ "$(find "$crashes" -type f | wc -l)" != "$before" ]; then
  tail -n 30 build/fuzz/run.log >&2
  echo "fuzz: FAILED; the input is in $crashes" >&2
  exit 1
fi
echo "fuzz: $target ran $2 s without a finding"
