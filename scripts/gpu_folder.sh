#!/usr/bin/env bash
# Makes the folder with which a machine with a GPU is checked: gpu_folder.sh [FOLDER]
#
# FOLDER (target/gpu-check), and FOLDER.tar.gz with the same, get three stripped programs, the committed models that a device computes, their test rows, and
# gpu_check.sh, which runs there: no Rust, no CUDA toolkit and no network are needed on that machine. It must have a processor of
# this one's architecture and a C library that is no older.
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
  -*) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
folder=${1:-target/gpu-check}
target=${CARGO_TARGET_DIR:-target}

cargo build --release --locked --features cuda
cargo build --release --locked --package fhectl-cuda --example gpu_check
cargo build --release --locked --package fhectl-bench --example load

rm -rf "$folder"
mkdir -p "$folder/compiled_model" "$folder/datasets/mnist"
cp "$target/release/fhectl" "$target/release/examples/gpu_check" "$target/release/examples/load" "$folder"
strip "$folder/fhectl" "$folder/gpu_check" "$folder/load"
for model in mlp-mnist cnn-digits cnn-mnist tree-spam-leaf-sum; do
  cp -r "compiled_model/$model" "$folder/compiled_model"
done
cp datasets/mnist/t10k-* "$folder/datasets/mnist"
cp datasets/digits.csv.gz datasets/spam.csv.gz "$folder/datasets"
cp scripts/gpu_check.sh "$folder"
git rev-parse HEAD >"$folder/COMMIT" 2>/dev/null || echo unknown >"$folder/COMMIT"
size=$(du -sk "$folder" | cut -f1)
tar -C "$folder/.." -czf "$folder.tar.gz" "$(basename "$folder")"
echo "$folder: $size KiB, $(du -k "$folder.tar.gz" | cut -f1) KiB as $folder.tar.gz; copy it to the machine and run gpu_check.sh in it"
# What is lent by the minute may take no more than this.
[ "$size" -le 61440 ] || { echo "FAIL  $folder has more than 60 MiB" >&2; exit 1; }
