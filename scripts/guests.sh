#!/usr/bin/env bash
# Fetches the guest images that configs/vms/*.toml name from the distribution into guests/
# (ignored by git) and records name, version and SHA-256 of each in guests/lock.tsv.
# Usage: scripts/guests.sh [riscv64 arm64 ...]      Idempotent; quiet when nothing is to do.
set -euo pipefail
umask 022 # modes are part of the initrd, whose digest must not depend on who makes it
top=$(cd "$(dirname "$0")/.." && pwd)
out=$top/guests
mkdir -p "$out"
# shellcheck source=scripts/debian-suite.sh
. "$top/scripts/debian-suite.sh"

work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

die() { echo "guests: error: $*" >&2; exit 1; }
say() { echo "guests: $*" >&2; }

# One line per guest: architecture, kernel meta package, suites. A later suite is taken only where the
# package lists of those before it cannot be read: a mirror in the middle of an update serves lists
# that do not match their signature, sometimes for days.
linux_guests() {
  cat <<'LIST'
riscv64 linux-image-riscv64 trixie forky
arm64 linux-image-cloud-arm64 bookworm trixie forky
amd64 linux-image-cloud-amd64 bookworm trixie forky
LIST
}

# Opens the first of the suites whose lists can be read.
open_suite() { # dir arch suite...
  local dir=$1 arch=$2 suite
  shift 2
  for suite in "$@"; do
    suite_open "$dir" "$suite" "$arch" 2>"$work/err" && return 0
    say "the package lists of suite $suite for $arch cannot be read"
    rm -rf "$dir"
  done
  tail -n 5 "$work/err" >&2
  return 1
}

lock() { # name version file
  local sum
  sum=$(sha256sum "$3" | cut -d' ' -f1)
  touch "$out/lock.tsv"
  grep -v -P "^$1\t" "$out/lock.tsv" >"$out/lock.tmp" || true
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$sum" "${3#"$out"/}" >>"$out/lock.tmp"
  sort -o "$out/lock.tsv" "$out/lock.tmp"
  rm -f "$out/lock.tmp"
}

# Present and as recorded?
locked_ok() { # name
  local line sum file
  line=$(grep -P "^$1\t" "$out/lock.tsv" 2>/dev/null) || return 1
  sum=$(cut -f3 <<<"$line")
  file=$out/$(cut -f4 <<<"$line")
  [ -f "$file" ] && [ "$(sha256sum "$file" | cut -d' ' -f1)" = "$sum" ]
}

download() { # aptroot package dir -> path of the .deb
  (cd "$3" && suite_apt "$1" download -q "$2" >/dev/null 2>"$3/err") ||
    { tail -n 3 "$3/err" >&2; die "cannot download $2; check the network and try again"; }
  find "$3" -name "${2}_*.deb" -print -quit
}

fetch_linux() { # arch meta suite...
  local arch=$1 meta=$2
  shift 2
  if locked_ok "linux-$arch" && locked_ok "initrd-$arch"; then return 0; fi
  say "fetching Linux and busybox for $arch from suite $1"
  local versioned binary deb
  work=$(mktemp -d)
  open_suite "$work/apt" "$arch" "$@" || die "cannot read the package lists of $* for $arch; check the network and try again"
  versioned=$(suite_cache "$work/apt" depends "$meta" | sed -n 's/^ *Depends: *\(linux-image-[^ ]*\).*/\1/p' | head -n 1)
  [ -n "$versioned" ] || die "package $meta names no kernel package; the suite may have changed"
  # From suite forky on the image itself is in a package of its own.
  binary=$(suite_cache "$work/apt" depends "$versioned" | sed -n 's/^ *Depends: *\(linux-binary-[^ ]*\).*/\1/p' | head -n 1)
  versioned=${binary:-$versioned}
  deb=$(download "$work/apt" "$versioned" "$work")
  mkdir "$work/kernel"
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/kernel" --wildcards --no-wildcards-match-slash './boot/*' './usr/lib/modules/*/vmlinuz' 2>/dev/null || true
  unpack_kernel "$(find "$work/kernel" -name 'vmlinu*' -type f -print -quit)" "$out/linux-$arch" ||
    die "package $versioned holds no kernel; the suite may have changed"
  install -m 644 "$(find "$work/kernel" -name 'System.map*' -size +100k -print -quit)" "$out/linux-$arch.map" 2>/dev/null || true
  lock "linux-$arch" "$versioned $(dpkg-deb -f "$deb" Version)" "$out/linux-$arch"
  rm -f "$deb"

  deb=$(download "$work/apt" busybox-static "$work")
  mkdir "$work/busybox"
  dpkg -x "$deb" "$work/busybox"
  make_initrd "$(find "$work/busybox" -path '*bin/busybox' -type f -print -quit)" "$out/initrd-$arch.cpio"
  lock "initrd-$arch" "busybox-static $(dpkg-deb -f "$deb" Version)" "$out/initrd-$arch.cpio"
  rm -rf "$work"
  work=
}

# A boot loader would unpack a compressed kernel; the hypervisor places it as it is.
unpack_kernel() { # from to
  [ -f "$1" ] || return 1
  if [ "$(od -An -N2 -tx1 "$1" | tr -d ' ')" = 1f8b ]; then
    gzip -dc "$1" >"$2"
    chmod 644 "$2"
  else
    install -m 644 "$1" "$2"
  fi
}

# A root of one static busybox and an init that ends in a shell on the console.
make_initrd() { # busybox out
  local root=$work/root
  install -d -m 700 "$root"
  mkdir -p "$root"/{bin,dev,proc,sys,tmp,etc}
  cp "$1" "$root/bin/busybox"
  chmod 755 "$root/bin/busybox"
  for name in sh ash; do ln -s busybox "$root/bin/$name"; done
  cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
exec 0</dev/console 1>/dev/console 2>&1
[ -n "$axsim_auto" ] && poweroff -f
echo "axsim guest ready"
export PS1='~ # ' HOME=/ PATH=/bin
cd /
exec setsid -c sh -i
INIT
  chmod 755 "$root/init"
  find "$root" -exec touch -h -d @0 {} +
  (cd "$root" && find . -print0 | LC_ALL=C sort -z | cpio --quiet --null -o -H newc --reproducible -R 0:0 >"$2")
}

# U-Boot comes as an installed package of the host's own distribution.
copy_uboot() { # arch board
  local from=/usr/lib/u-boot/$2
  if locked_ok "uboot-$1"; then return 0; fi
  [ -f "$from/uboot.elf" ] || { say "U-Boot for $1 skipped: package u-boot-qemu is not installed (scripts/setup.sh installs it)"; return 0; }
  install -m 644 "$from/uboot.elf" "$out/uboot-$1.elf"
  lock "uboot-$1" "u-boot-qemu $(dpkg-query -W -f='${Version}' u-boot-qemu)" "$out/uboot-$1.elf"
}

# For a PC it is a ROM, and the 32-bit one: the other keeps its first descriptor table in the ROM, and the CPU wants to mark there
# what it has loaded.
copy_uboot_rom() {
  local from=/usr/lib/u-boot/qemu-x86/u-boot.rom
  if locked_ok uboot-i386; then return 0; fi
  [ -f "$from" ] || { say "U-Boot for amd64 skipped: package u-boot-qemu is not installed (scripts/setup.sh installs it)"; return 0; }
  install -m 644 "$from" "$out/uboot-i386.rom"
  lock uboot-i386 "u-boot-qemu $(dpkg-query -W -f='${Version}' u-boot-qemu)" "$out/uboot-i386.rom"
}

# SeaBIOS, and the option ROM with which it starts a kernel; both are the same on every host.
fetch_seabios() {
  if locked_ok seabios && locked_ok linuxboot_dma; then return 0; fi
  say "fetching SeaBIOS and its option ROM"
  local deb
  work=$(mktemp -d)
  open_suite "$work/apt" amd64 bookworm trixie forky || die "cannot read the package lists for amd64; check the network and try again"
  deb=$(download "$work/apt" seabios "$work")
  dpkg -x "$deb" "$work/seabios"
  install -m 644 "$work/seabios/usr/share/seabios/bios.bin" "$out/seabios.bin"
  lock seabios "seabios $(dpkg-deb -f "$deb" Version)" "$out/seabios.bin"
  deb=$(download "$work/apt" qemu-system-data "$work")
  dpkg-deb --fsys-tarfile "$deb" | tar -x -O --wildcards '*/linuxboot_dma.bin' >"$out/linuxboot_dma.bin"
  lock linuxboot_dma "qemu-system-data $(dpkg-deb -f "$deb" Version)" "$out/linuxboot_dma.bin"
  rm -rf "$work"
  work=
}

wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || wanted=(riscv64 arm64 amd64)
for arch in "${wanted[@]}"; do
  line=$(linux_guests | grep "^$arch ") || die "no guests are known for '$arch'; known: $(linux_guests | cut -d' ' -f1 | tr '\n' ' ')"
  case $arch in
    riscv64) copy_uboot riscv64 qemu-riscv64_smode ;;
    arm64) copy_uboot arm64 qemu_arm64 ;;
    amd64) copy_uboot_rom; fetch_seabios ;;
  esac
  # shellcheck disable=SC2086
  fetch_linux $line
done
