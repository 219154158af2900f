# Sourced, not run: a private view of another Debian suite or architecture, which leaves the
# system's own apt configuration alone and needs no root. Uses the mirror the system uses.

# suite_open DIR SUITE ARCH: makes DIR a private apt root and reads the suite's lists.
suite_open() {
  local dir=$1 suite=$2 arch=$3 mirror
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
  mirror=$(suite_mirror)
  [ -n "$mirror" ] || { echo "no package mirror is configured on this system" >&2; return 1; }
  echo "$arch" >"$dir/arch"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$dir/sources.list"
  suite_apt "$dir" update -q >"$dir/update.log" 2>&1 || { tail -n 5 "$dir/update.log" >&2; return 1; }
}

# The mirror of the system's own Debian packages. Images are often shipped with empty package lists,
# where nothing but the address says which source is Debian's.
suite_mirror() {
  local uris
  uris=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null)
  [ -n "$uris" ] || uris=$(apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    grep debian | grep -v security)
  head -n 1 <<<"$uris"
}

# suite_apt DIR ARGS...: apt-get within that private root.
suite_apt() {
  local dir=$1
  shift
  apt-get "$@" $(suite_options "$dir")
}

# suite_cache DIR ARGS...: apt-cache within that private root.
suite_cache() {
  local dir=$1
  shift
  apt-cache "$@" $(suite_options "$dir")
}

suite_options() {
  local dir=$1 arch
  arch=$(cat "$dir/arch")
  echo "-o Dir::Etc::sourcelist=$dir/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::Lists=$dir/lists" \
    "-o Dir::Cache=$dir/cache -o Dir::State::status=/dev/null -o APT::Architecture=$arch -o APT::Architectures=$arch" \
    "-o APT::Sandbox::User=root"
}
