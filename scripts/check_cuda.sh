#!/usr/bin/env bash
# Checks the CUDA kernels and the crate that launches them, without a GPU: check_cuda.sh [build]
#
# A library in place of CUDA's driver runs the kernels' sources on CPUs. `build` makes no more than this library, in
# target/emulated-cuda: with LD_LIBRARY_PATH set to it, any program finds an emulated device. Otherwise each kernel is compared with
# integer arithmetic, and the tests of the crate and of the binary run. It needs g++.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
case $what in
  all | build) ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
command -v g++ >/dev/null || { echo "g++ is missing: install it and try again" >&2; exit 1; }

sources=crates/fhectl-cuda/tests/emulator
out=$(mkdir -p "${CARGO_TARGET_DIR:-target}/emulated-cuda" && cd "${CARGO_TARGET_DIR:-target}/emulated-cuda" && pwd)
# For the machine that builds it: fibers switch some hundred million times, and products are fused.
flags=(-std=c++17 -O3 -Wall -Wextra -Wno-unknown-pragmas -Wno-maybe-uninitialized -fPIC -I "$sources" -U_FORTIFY_SOURCE)
if g++ -march=native -E -x c++ /dev/null >/dev/null 2>&1; then flags+=(-march=native); fi
library=(driver queue fibers kernels_sm_80 kernels_sm_90)
pids=()
for name in "${library[@]}" check check_faults; do
  g++ "${flags[@]}" -c "$sources/$name.cpp" -o "$out/$name.o" &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
objects=()
for name in "${library[@]}"; do objects+=("$out/$name.o"); done
g++ -shared -Wl,-soname,libcuda.so.1 -o "$out/libcuda.so.1" "${objects[@]}" -lpthread
echo "ok    $out/libcuda.so.1"
[ "$what" = all ] || exit 0

for name in check check_faults; do
  g++ "$out/$name.o" -o "$out/$name" -L "$out" -l:libcuda.so.1 -Wl,-rpath,"$out"
  # In both orders of threads: what lacks a barrier fails in one of them.
  for reversed in 0 1; do
    EMULATED_REVERSED=$reversed timeout 600 "$out/$name" >"$out/$name.log" ||
      { grep -v "^ok" "$out/$name.log" >&2; echo "FAIL  $sources/$name.cpp with EMULATED_REVERSED=$reversed" >&2; exit 1; }
  done
  echo "ok    $sources/$name.cpp: $(grep -c "^ok" "$out/$name.log") checks"
done

# Tests find the library as they would find CUDA's; without it they fail.
export LD_LIBRARY_PATH=$out${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} FHECTL_CUDA_REQUIRED=1
cargo test --release --locked --package fhectl-cuda
echo "ok    the crate fhectl-cuda on an emulated device"
cargo test --release --locked --features cuda --test cuda
echo "ok    the binary on an emulated device"
