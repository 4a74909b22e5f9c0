#!/usr/bin/env bash
# Plays every committed model and prints the README's table: medians of this run, on this machine. Whole test sets, but
# 200 and 100 images of the networks on MNIST.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${FHECTL_BINARY:-target/release/fhectl}
[ -x "$binary" ] || cargo build --release
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
models=(tree-spam tree-spam-leaf-sum logreg-synthetic qnn-iris cnn-digits mlp-mnist cnn-mnist)
for name in "${@:-${models[@]}}"; do
  samples=()
  case $name in
    mlp-mnist) samples=(--samples 200) ;;
    cnn-mnist) samples=(--samples 100) ;;
  esac
  "$binary" play "$name" "${samples[@]}" --keys "$out/keys" --export-json "$out/$name.json" >/dev/null
done
python3 - "$out" <<'PYTHON'
import json, pathlib, sys
print("| model | rows | accuracy | simulated on all | agreement | compute | round trip | encrypt + decrypt | key | request | response |")
print("|---|---|---|---|---|---|---|---|---|---|---|")
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json"), key=lambda path: path.stat().st_mtime):
    f = json.loads(path.read_text())
    s = {stage: f["seconds"][stage]["median"] * 1e3 for stage in f["seconds"]}
    simulated = f"{f['simulated']['accuracy']:.4f}" if "simulated" in f else ""
    print(f"| `{f['model']}` | {f['samples']} | {f['accuracy']:.4f} | {simulated} | {f['agreement']:.2%} | {s['compute']:.2f} ms | "
          f"{s['roundtrip']:.2f} ms | {s['encrypt'] + s['decrypt']:.2f} ms | {f['key_bytes'] / 1e3:.1f} kB | "
          f"{f['request_bytes'] / 1e3:.1f} kB | {f['response_bytes'] / 1e3:.1f} kB |")
PYTHON
