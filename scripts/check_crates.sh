#!/usr/bin/env bash
# Checks crates with fewer features than the binary gives them, which the whole workspace's build does not see: the core as
# browsers, clients and servers take it, and the server, which must not be able to name a secret key.
set -euo pipefail
cd "$(dirname "$0")/.."

for features in "" client evaluate; do
  cargo clippy --release --locked --package fhectl-core --lib --no-default-features --features "$features" -- -D warnings
  echo "ok    fhectl-core with ${features:-no feature} alone"
done

cargo clippy --release --locked --package fhectl --features cuda --all-targets -- -D warnings
echo "ok    fhectl with CUDA devices"

cargo check --release --locked --package fhectl-server
for crate in fhectl-server fhectl-cuda; do
  if cargo tree --locked --package "$crate" --edges features,normal | grep -F 'fhectl-core feature "client"'; then
    echo "FAIL  $crate turns on fhectl-core's feature client, and could name secret keys"
    exit 1
  fi
  echo "ok    $crate without secret keys"
done
