#!/usr/bin/env bash
# Records the golden traces anew, after a change that is meant to change what a machine does.
# Usage: traces/record.sh [AXSIM]      Say in the commit why the old ones no longer hold.
set -euo pipefail
cd "$(dirname "$0")"
axsim=$(realpath "${1:-../build/release/axsim}")
for vm in *.toml; do
  "$axsim" run "$vm" --console file:/dev/null --state-hash-every 100_000 --record "${vm%.toml}.axtrace" </dev/null
done
