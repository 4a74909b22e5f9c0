#!/usr/bin/env bash
# Builds the browser's client and page again, compares them with web/dist where the compiler is the recorded one, and runs the
# client's tests in Node (and in Deno where it is there) against a real `fhectl serve`: check_web.sh. It needs npm's registry.
set -euo pipefail
cd "$(dirname "$0")/.."
export FHECTL=${FHECTL:-${CARGO_TARGET_DIR:-$PWD/target}/release/fhectl}

. scripts/packages.sh
has_node || get npm nodejs npm || true
if ! has_node; then
  echo "left out: the client wants Node 20 or later, and npm"
  exit 0
fi
WASM_STD=1 scripts/wasm_cargo.sh any >/dev/null || { echo "left out: there is no compiler for WebAssembly here"; exit 0; }
[ -x "$FHECTL" ] || cargo build --release --locked

told=$(scripts/build_web.sh check)
echo "$told"
case $told in "left out"*) exit 0 ;; esac
(cd web/client && npx tsc -p tests/consumer)
node --test web/client/tests/*.test.mjs
if command -v deno >/dev/null; then
  deno run --allow-read --allow-net --allow-run --allow-env web/client/tests/deno.mjs
else
  echo "left out: there is no Deno here"
fi
echo "ok    the browser's client"
