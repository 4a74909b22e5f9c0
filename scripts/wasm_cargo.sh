#!/usr/bin/env bash
# Runs cargo for wasm32-unknown-unknown: wasm_cargo.sh any|rustup|debian ARGUMENTS...
#
# `rustup` is the toolchain at hand, if rustup has or can add the target; `debian` is Debian's packages rustc-web, cargo-web,
# rust-web-src and lld-19, which bring the standard library as sources; `any` is the first that can be had.
# Without arguments it prints the compiler's version and host. With WASM_STD=1 rustup's toolchain builds the standard library
# too, as Debian's always does: smaller, and without the messages of panics where RUSTFLAGS ask for that.
set -euo pipefail
target=wasm32-unknown-unknown

rustup_has_it() {
  command -v rustup >/dev/null || return 1
  # A mirror that lacks the target may leave rustup waiting.
  rustup target list --installed | grep -qx "$target" || timeout 120 rustup target add "$target" >&2 || return 1
  [ "${WASM_STD:-}" != 1 ] || rustup component list --installed | grep -qx rust-src || timeout 120 rustup component add rust-src >&2
}

debian_has_it() {
  command -v apt-get >/dev/null || return 1
  local packages=(rustc-web cargo-web rust-web-src lld-19) root=
  dpkg-query -W "${packages[@]}" >/dev/null 2>&1 && [ -x /usr/bin/cargo ] && return
  [ "$(id -u)" = 0 ] || root=sudo
  { $root apt-get update -q && $root apt-get install -qy --no-install-recommends "${packages[@]}"; } >&2
}

wanted=${1:-}
case $wanted in
  any | rustup | debian) shift ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
if [ "$wanted" != debian ] && rustup_has_it; then
  [ $# -gt 0 ] || exec rustc -vV
  std=()
  if [ "${WASM_STD:-}" = 1 ]; then
    export RUSTC_BOOTSTRAP=1
    std=(-Z build-std=std,panic_abort -Z build-std-features=optimize_for_size)
  fi
  exec cargo "$@" --target "$target" "${std[@]}"
elif [ "$wanted" != rustup ] && debian_has_it; then
  [ $# -gt 0 ] || exec /usr/bin/rustc -vV
  # The standard library is built as well, which a stable compiler does if told to.
  export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 PATH="/usr/bin:$PATH"
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}-debian
  export RUSTFLAGS="${RUSTFLAGS:-} -C linker=wasm-ld-19 -C linker-flavor=wasm-ld"
  exec /usr/bin/cargo "$@" --target "$target" -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size
fi
echo "there is no compiler for $target here: rustup cannot add it, and apt-get has no rustc-web" >&2
exit 1
