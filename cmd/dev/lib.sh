# Shared by the scripts in cmd/dev; sourced, never run. Sets `root` and a clean, repeatable environment.
set -eu
export PATH="${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin"
export LC_ALL=C.UTF-8
export HOME="${HOME:-/tmp}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"
jobs="${TROUPE_JOBS:-$(nproc)}"

step() { printf '== %s\n' "$*" >&2; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# retry COUNT COMMAND...: networks hiccup; three tries with a growing pause, then the command's own status.
retry() {
  local count="$1" try=1
  shift
  until "$@"; do
    [ "$try" -lt "$count" ] || return 1
    sleep $((try * 5))
    try=$((try + 1))
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# ccache stops the build when it cannot write, so a folder that cannot be written switches it off.
choose_ccache() {
  local folder="${CCACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ccache}"
  if ! { mkdir -p "$folder" && [ -w "$folder" ]; } 2>/dev/null; then
    export CCACHE_DISABLE=1
  fi
}

# configure PRESET: only when there is no build file yet; afterwards ninja itself sees changed CMake files.
configure() {
  choose_ccache
  if [ ! -f "$root/build/$1/build.ninja" ]; then
    step "configuring $1"
    (cd "$root" && cmake --preset "$1" >&2)
  fi
}

# compile PRESET TARGET...
compile() {
  local preset="$1"
  shift
  configure "$preset"
  step "building $preset: $*"
  ninja -C "$root/build/$preset" -j "$jobs" "$@" >&2
}
