#!/usr/bin/env bash
# Compiles the CUDA kernels to PTX: build_cuda.sh [check | usage]
#
# What the binary embeds is written to crates/fhectl-cuda/ptx. `check` compiles elsewhere and compares, byte for byte. `usage` prints
# what each kernel takes of registers and shared memory, and what did not fit. It needs python3 with pip or venv, and g++: NVIDIA's
# compiler comes from PyPI, into target/cuda-toolkit. It needs no GPU.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-build}
case $what in
  build | check | usage) ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
for program in python3 g++; do
  command -v "$program" >/dev/null || { echo "$program is missing: install it and try again" >&2; exit 1; }
done

# Other versions give other bytes.
versions="nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85"
target=${CARGO_TARGET_DIR:-target}
toolkit=$target/cuda-toolkit
if [ "$versions" != "$(cat "$toolkit/VERSIONS" 2>/dev/null)" ]; then
  rm -rf "$toolkit"
  mkdir -p "$toolkit/wheels"
  python=python3
  if ! python3 -m pip --version >/dev/null 2>&1; then
    python3 -m venv "$toolkit/python" || { echo "python3 has neither pip nor venv: install one and try again" >&2; exit 1; }
    python=$toolkit/python/bin/python
  fi
  # shellcheck disable=SC2086
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$toolkit/wheels" $versions ||
    { echo "the compiler cannot be had from PyPI: see above" >&2; exit 1; }
  for wheel in "$toolkit"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$toolkit"; done
  rm -rf "$toolkit/wheels" "$toolkit/python"
  chmod +x "$toolkit"/nvidia/cu13/bin/* "$toolkit"/nvidia/cu13/nvvm/bin/*
  echo "$versions" >"$toolkit/VERSIONS"
fi
bin=$toolkit/nvidia/cu13/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for capability in 80 90; do
  "$bin/nvcc" -O3 -std=c++17 -arch="compute_$capability" -ptx crates/fhectl-cuda/kernels/kernels.cu -o "$scratch/full.ptx"
  # Without comments and spaces that say nothing. Nothing of a later version of PTX is used, as the assembler finds below: so drivers
  # from CUDA 12.0 on take it.
  sed -e 's,//.*,,' -e 's/[[:space:]]\+/ /g' -e 's/^ //' -e 's/ $//' -e 's/, /,/g' -e '/^$/d' -e 's/^\.version .*/.version 8.0/' \
    "$scratch/full.ptx" >"$scratch/sm_$capability.ptx"
  rm "$scratch/full.ptx"
  "$bin/ptxas" -v -arch="sm_$capability" "$scratch/sm_$capability.ptx" -o "$scratch/cubin" 2>"$scratch/usage_$capability" ||
    { cat "$scratch/usage_$capability" >&2; exit 1; }
done

ptx=crates/fhectl-cuda/ptx
case $what in
  build)
    mkdir -p "$ptx"
    cp "$scratch"/sm_{80,90}.ptx "$ptx"
    wc -c "$ptx"/*.ptx
    ;;
  check)
    for capability in 80 90; do
      cmp "$scratch/sm_$capability.ptx" "$ptx/sm_$capability.ptx" ||
        { echo "FAIL  $ptx/sm_$capability.ptx is not what the kernels give: run scripts/build_cuda.sh" >&2; exit 1; }
    done
    echo "ok    $ptx is what the kernels give"
    ;;
  usage)
    for capability in 80 90; do
      sed -n "s/.*Compiling entry function '\(.*\)' for '\(.*\)'/\2 \1:/p; s/^ *[0-9]* bytes stack frame, \(.*\)/\1/p; s/.*: Used /registers: /p" \
        "$scratch/usage_$capability" | paste -d ' ' - - - | sort
    done
    ;;
esac
