#!/usr/bin/env bash
# Tests of servers that share an S3 store, against a real S3 server.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/s3_server.sh
cargo test --release --locked --test s3 -- --ignored "$@"
