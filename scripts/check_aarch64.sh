#!/usr/bin/env bash
# Runs the tests of the kernel and of bootstraps for aarch64 (NEON), under qemu where this machine is another. Wants rustup's
# target, and Debian's gcc-aarch64-linux-gnu and qemu-user. Into target/aarch64; takes some minutes, so it is no part of
# continuous integration.
set -euo pipefail
cd "$(dirname "$0")/.."
target=aarch64-unknown-linux-gnu
for command in aarch64-linux-gnu-gcc qemu-aarch64; do
  command -v "$command" >/dev/null || { echo "FAIL  $command is missing: apt-get install gcc-aarch64-linux-gnu qemu-user"; exit 1; }
done
rustup target list --installed | grep -qx "$target" || rustup target add "$target"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/aarch64
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
cargo test --release --locked --package fhectl-core --lib --target "$target" -- kernel external_product pbs
