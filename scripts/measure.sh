#!/usr/bin/env bash
# Plays the committed models, or those that are named, and prints the first table of docs/src/benchmarks.md: medians of this
# run, on this machine. Whole test sets, but some images of the networks on MNIST and on digits.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${FHECTL_BINARY:-target/release/fhectl}
[ -x "$binary" ] || cargo build --release
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
models=(tree-spam tree-spam-leaf-sum boost-spam boost-spam-cmux-forest forest-spam linreg-diabetes logreg-synthetic
  qnn-iris cnn-digits mlp-mnist cnn-mnist)
[ $# -gt 0 ] || set -- "${models[@]}"
for name in "$@"; do
  samples=()
  case $name in
    cnn-digits) samples=(--samples 200) ;;
    mlp-mnist) samples=(--samples 1000) ;;
    cnn-mnist) samples=(--samples 100) ;;
  esac
  "$binary" play "$name" "${samples[@]}" --keys "$out/keys" --export-json "$out/$name.json" >/dev/null
done
python3 - "$out" <<'PYTHON'
import json, pathlib, sys


def time(milliseconds):
    return f"{milliseconds / 1e3:.2f} s" if milliseconds >= 1e3 else f"{milliseconds:.{2 if milliseconds < 10 else 1}f} ms"


def size(count):
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


print("| model | rows | accuracy | simulated, all rows | agreement | compute | round trip | encrypt + decrypt | key | request | response |")
print("|---|---|---|---|---|---|---|---|---|---|---|")
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json"), key=lambda path: path.stat().st_mtime):
    f = json.loads(path.read_text())
    s = {stage: f["seconds"][stage]["median"] * 1e3 for stage in f["seconds"]}
    quality = f"{f['accuracy']:.4f}" if "accuracy" in f else f"R2 {f['r2']:.4f}"
    simulated = f"{f['simulated']['accuracy']:.4f}" if "simulated" in f else ""
    cells = [f"`{f['model']}`", f["samples"], quality, simulated, f"{100 * f['agreement']:.4g} %", time(s["compute"]),
             time(s["roundtrip"]), time(s["encrypt"] + s["decrypt"]), size(f["key_bytes"]), size(f["request_bytes"]),
             size(f["response_bytes"])]
    print("| " + " | ".join(map(str, cells)) + " |")
PYTHON
