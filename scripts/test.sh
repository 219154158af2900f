#!/usr/bin/env bash
# Builds and tests everything, from a fresh Debian 12 on: set-up, guests, the builds dev (sanitizers),
# clang and release; then unit tests, small guests and tidy on dev, the same without tidy on clang, and
# whole operating systems on release. What is too long for every change is scripts/campaign.sh.
# Usage: scripts/test.sh      With CI=true a missing guest is a failure; otherwise its tests are skipped.
set -uo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 2
jobs=$(nproc)
closing=()
notes=()
failed=0

say() { echo "test: $*" >&2; }
fail() { notes+=("FAILED: $*"); failed=1; }

# Prints the result however the script ends, ctest's own closing lines last.
summary() {
  local line
  echo
  echo "axsim tests after ${SECONDS} s on $jobs cores:"
  for line in "${notes[@]}"; do echo "  $line"; done
  for line in "${closing[@]}"; do echo "$line"; done
  exit $failed
}

build() { # preset targets...
  local preset=$1 start=$SECONDS
  shift
  say "building $preset: $*"
  if cmake --preset "$preset" >"build/$preset.configure.log" 2>&1; then
    cmake --build --preset "$preset" -j "$jobs" --target "$@" || { fail "the build $preset"; return 1; }
  else
    cat "build/$preset.configure.log" >&2
    fail "configuring $preset (build/$preset.configure.log)"
    return 1
  fi
  notes+=("built $preset in $((SECONDS - start)) s")
}

run_tests() { # preset what ctest-options...
  local preset=$1 what=$2 log=build/$1.ctest.log
  shift 2
  say "testing $preset: $what"
  ctest --preset "$preset" -j "$jobs" --no-tests=ignore --output-on-failure "$@" 2>&1 | tee "$log"
  [ "${PIPESTATUS[0]}" = 0 ] || fail "$preset: $what; repeat with: ctest --preset $preset $* --rerun-failed"
  mapfile -t -O ${#closing[@]} closing < <(echo "$preset, $what:"; sed -n '/tests passed,/,$p; /^No tests were found/p' "$log" | grep -v '^$')
}

scripts/setup.sh || { fail "set-up"; summary; }
mkdir -p build
if ! scripts/guests.sh; then
  if [ "${CI:-}" = true ]; then fail "a guest is missing"; summary; fi
  notes+=("SKIPPED: tests of the guests that could not be fetched; see above")
fi

# Each build makes what its tests run; `cmake --build` without a target makes all.
build dev axsim unit_tests test_guests || summary
build clang axsim unit_tests test_guests || summary
build release axsim scenario_tests axsim_bench test_guests || summary
# CTest has an entry for each program that was not made.
run_tests dev "unit tests and small guests with sanitizers, tidy" -LE 'scenario|campaign' -E _NOT_BUILT
run_tests clang "unit tests and small guests" -LE 'scenario|campaign|tidy' -E _NOT_BUILT
run_tests release "scenarios and small guests" -L "scenario|guest"
summary
