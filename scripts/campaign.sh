#!/usr/bin/env bash
# The tests that are too long for every change, on an optimised build: Linux's determinism for every number of CPUs and every way of cutting a
# run, forty more kills of a recorder on each instruction set, more shapes of machines. Five to fifteen minutes on two cores.
# Usage: scripts/campaign.sh
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
scripts/guests.sh
cmake --preset release
cmake --build --preset release -j "$(nproc)" --target axsim scenario_tests test_guests
exec ctest --preset release -j "$(nproc)" --output-on-failure -L campaign "$@"
