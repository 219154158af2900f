#!/usr/bin/env bash
# Installs what axsim needs to build and test: Debian packages, and libunicorn >= 2.1.4
# into .deps/ when the system has none. Idempotent; says nothing when nothing is missing.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
deps=$top/.deps
unicorn_needed=2.1.4

packages=(
  g++ clang-19 libclang-rt-19-dev g++-aarch64-linux-gnu g++-riscv64-linux-gnu
  cmake ninja-build ccache pkg-config git ca-certificates binutils python3 python3-jsonschema
  libcapstone-dev libtomlplusplus-dev libboost-dev libgtest-dev libbenchmark-dev
  libcli11-dev nlohmann-json3-dev libzstd-dev libxxhash-dev libfdt-dev
  device-tree-compiler u-boot-qemu cpio xz-utils zstd
)

die() { echo "setup: error: $*" >&2; exit 2; }
say() { echo "setup: $*" >&2; }

missing_packages() {
  local p
  for p in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || echo "$p"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "needs root to run: $*; run it as root, then run this script again"
  fi
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "no apt-get here; install by hand: ${missing[*]}"
  say "installing: ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
         as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1
  then
    tail -n 15 "$log" >&2
    die "apt-get could not install the packages above (log: $log); check the network and try again"
  fi
  rm -f "$log"
}

unicorn_ok() { # $1: PKG_CONFIG_PATH to look in first
  PKG_CONFIG_PATH="$1" pkg-config --atleast-version=$unicorn_needed unicorn 2>/dev/null
}

# The library of a later suite, unpacked beside the project: its binaries need only libc6 >= 2.34.
install_unicorn() {
  unicorn_ok "" && return 0
  unicorn_ok "$deps/unicorn/lib/pkgconfig" && return 0
  say "fetching libunicorn >= $unicorn_needed into .deps/unicorn"
  # shellcheck source=scripts/debian-suite.sh
  . "$top/scripts/debian-suite.sh"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  suite_open "$work/apt" forky "$(dpkg --print-architecture)" || die "cannot read the package lists of suite forky; check the network, or install libunicorn >= $unicorn_needed yourself"
  (cd "$work" && suite_apt "$work/apt" download -q libunicorn-dev libunicorn2t64 >/dev/null 2>&1) ||
    die "cannot download libunicorn-dev from suite forky; check the network, or install libunicorn >= $unicorn_needed yourself"
  local deb
  for deb in "$work"/*.deb; do dpkg -x "$deb" "$work/root"; done
  local lib
  lib=$(dirname "$(find "$work/root" -name 'libunicorn.so.2' -print -quit)")
  rm -rf "$deps/unicorn"
  mkdir -p "$deps/unicorn/lib/pkgconfig"
  cp -r "$work/root/usr/include" "$deps/unicorn/include"
  cp -a "$lib"/libunicorn.so* "$deps/unicorn/lib/"
  local version
  version=$(sed -n 's/^Version: *//p' "$lib/pkgconfig/unicorn.pc")
  cat >"$deps/unicorn/lib/pkgconfig/unicorn.pc" <<PC
prefix=\${pcfiledir}/../..
Name: unicorn
Description: CPU emulator framework
Version: $version
Libs: -L\${prefix}/lib -lunicorn -Wl,-rpath,\${prefix}/lib
Cflags: -I\${prefix}/include
PC
  unicorn_ok "$deps/unicorn/lib/pkgconfig" || die "the fetched libunicorn is $version; $unicorn_needed or newer is needed"
}

install_packages
install_unicorn
