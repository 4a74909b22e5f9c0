#!/usr/bin/env bash
# Whether the server does what its OpenAPI document says: thousands of requests that the document calls valid, and as many
# that it does not, made by schemathesis. Wants target/release/fhectl, python3 with venv, and PyPI the first time.
#
#   scripts/check_openapi.sh [SECONDS]     at most so long, 60 unless said otherwise
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
fhectl=${CARGO_TARGET_DIR:-target}/release/fhectl
venv=${FHECTL_OPENAPI_VENV:-${TMPDIR:-/tmp}/fhectl-check-openapi}
work=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

[ -x "$fhectl" ] || { echo "FAIL  $fhectl is not built: cargo build --release"; exit 1; }
if ! "$venv/bin/schemathesis" --version >/dev/null 2>&1; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5
fi

"$fhectl" serve compiled_model/tree-spam --listen 127.0.0.1:0 --store memory: >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 600); do
  url=$(sed -n 's/^listening on //p' "$work/out")
  [ -z "$url" ] || break
  kill -0 "$server" 2>/dev/null || { cat "$work/log"; echo "FAIL  the server did not start"; exit 1; }
  sleep 0.1
done
[ -n "$url" ] || { cat "$work/log"; echo "FAIL  the server does not listen"; exit 1; }

# One seed, so that what fails fails again. What it writes beside its report goes to the folder that is deleted.
config=$PWD/scripts/schemathesis.toml
failed=0
(cd "$work" && "$venv/bin/schemathesis" --no-color --config-file "$config" run "$url/v1/openapi.json" --seed 1 \
  --max-examples 100 --max-time "$seconds" --continue-on-failure) || failed=1
if grep -q "panicked" "$work/log"; then
  echo "FAIL  a handler panicked"
  failed=1
fi
exit "$failed"
