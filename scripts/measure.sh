#!/usr/bin/env bash
# Plays every committed model's whole test set and prints the README's table: medians of this run, on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${FHECTL_BINARY:-target/release/fhectl}
[ -x "$binary" ] || cargo build --release
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for model in "${@:-tree-spam tree-spam-leaf-sum logreg-synthetic}"; do
  for name in $model; do
    "$binary" play "$name" --keys "$out/keys" --export-json "$out/$name.json" >/dev/null
  done
done
python3 - "$out" <<'PYTHON'
import json, pathlib, sys
print("| model | rows | accuracy | equal to clear | compute | round trip | encrypt + decrypt | key | request | response |")
print("|---|---|---|---|---|---|---|---|---|---|")
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    f = json.loads(path.read_text())
    s = {stage: f["seconds"][stage]["median"] * 1e3 for stage in f["seconds"]}
    print(f"| `{f['model']}` | {f['samples']} | {f['accuracy']:.4f} | {f['agreement']:.2%} | {s['compute']:.2f} ms | "
          f"{s['roundtrip']:.2f} ms | {s['encrypt'] + s['decrypt']:.2f} ms | {f['key_bytes'] / 1e3:.1f} kB | "
          f"{f['request_bytes'] / 1e3:.1f} kB | {f['response_bytes'] / 1e3:.1f} kB |")
PYTHON
