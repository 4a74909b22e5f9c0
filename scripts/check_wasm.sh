#!/usr/bin/env bash
# Builds the client's half of `fhectl-core` for browsers (wasm32-unknown-unknown), into target/wasm, with the toolchain that
# scripts/wasm_cargo.sh finds. `check_wasm.sh rustup` or `check_wasm.sh debian` takes only that.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/wasm CARGO_PROFILE_RELEASE_DEBUG=0
scripts/wasm_cargo.sh "${1:-any}" build --release --locked --package fhectl-core --lib --no-default-features --features client
echo "ok    fhectl-core with the client alone, for wasm32-unknown-unknown"
