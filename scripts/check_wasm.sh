#!/usr/bin/env bash
# Builds the client's half of `fhectl-core` for browsers (wasm32-unknown-unknown), into target/wasm. Takes the toolchain at
# hand if rustup has or can add the target, and otherwise Debian's packages rustc-web, cargo-web, rust-web-src and
# lld-19, which bring the standard library as sources. `check_wasm.sh rustup` or `check_wasm.sh debian` takes only that.
set -euo pipefail
cd "$(dirname "$0")/.."
target=wasm32-unknown-unknown
build=(build --release --locked --package fhectl-core --lib --no-default-features --features client --target "$target")
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/wasm CARGO_PROFILE_RELEASE_DEBUG=0

rustup_has_it() {
  command -v rustup >/dev/null || return 1
  # A mirror that lacks the target may leave rustup waiting.
  rustup target list --installed | grep -qx "$target" || timeout 120 rustup target add "$target"
}

debian_has_it() {
  command -v apt-get >/dev/null || return 1
  local packages=(rustc-web cargo-web rust-web-src lld-19) root=
  dpkg-query -W "${packages[@]}" >/dev/null 2>&1 && [ -x /usr/bin/cargo ] && return
  [ "$(id -u)" = 0 ] || root=sudo
  $root apt-get update -q && $root apt-get install -qy --no-install-recommends "${packages[@]}"
}

wanted=${1:-any}
case $wanted in
  any | rustup | debian) ;;
  *) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
if [ "$wanted" != debian ] && rustup_has_it; then
  cargo "${build[@]}"
elif [ "$wanted" != rustup ] && debian_has_it; then
  # The standard library is built as well, which a stable compiler does if told to.
  export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$CARGO_TARGET_DIR-debian
  export RUSTFLAGS="-C linker=wasm-ld-19 -C linker-flavor=wasm-ld"
  PATH="/usr/bin:$PATH" /usr/bin/cargo "${build[@]}" -Z build-std=std,panic_abort
else
  echo "FAIL  no compiler for $target: rustup cannot add it here, and apt-get has no rustc-web"
  exit 1
fi
echo "ok    fhectl-core with the client alone, for $target"
