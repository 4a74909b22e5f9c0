#!/usr/bin/env bash
# Tests of servers that share an S3 store, against a real S3 server: s3s-fs, which is built into target/s3 the first time.
set -euo pipefail
cd "$(dirname "$0")/.."
export FHECTL_TEST_S3=${FHECTL_TEST_S3:-$PWD/target/s3/bin/s3s-fs}
[ -x "$FHECTL_TEST_S3" ] ||
  RUSTFLAGS="" cargo install s3s-fs --version 0.14.1 --locked --features binary --root target/s3 --target-dir target/s3/build --debug
cargo test --release --locked --test s3 -- --ignored "$@"
