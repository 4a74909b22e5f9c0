#!/usr/bin/env bash
# Checks that the fuzz targets compile (fuzz/run.sh runs them). With the settings of ordinary releases, and into their
# folder, so that it takes half a minute after `cargo clippy --release`.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/../target}
export CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=false CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=false
# Nothing is linked, so there is no need to compile libFuzzer.
export CUSTOM_LIBFUZZER_PATH=/nowhere/libnone.a
# The same releases as everywhere; cargo adds libfuzzer-sys to them.
cp ../Cargo.lock Cargo.lock
cargo check --release --bins
