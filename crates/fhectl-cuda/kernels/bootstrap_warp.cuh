// Bootstraps at the highest rate: a warp takes a ciphertext, and the warps of a block share the key.
#pragma once
#include "bootstrap.cuh"
#include "key_rows.cuh"

constexpr u32 MOST_WARPS = 8;

template <u32 K1> __device__ __forceinline__ void bootstrap_warp_of(const Bootstraps &all) {
  const u32 warps = blockDim.x / WARP, warp = warp_of_block(), lane = lane_of_warp(), dimension = all.dimension;
  const u32 *slots = all.ciphertexts + blockIdx.x * warps;
  const u32 ciphertext = slots[warp];
  u32 filled = 0;
  for (u32 w = 0; w < warps; w++) filled += slots[w] != NONE;
  Twiddles &twiddles = *(Twiddles *)dynamic_shared;
  double2 *exchanges = (double2 *)(&twiddles + 1);
  u32 *accumulators = (u32 *)(exchanges + warps * M);
  double2 *exchange = exchanges + warp * M;
  u32 *accumulator = accumulators + warp * K1 * N;
  KeyRows<K1> key(all.keys[all.key_of[slots[0]]], dimension * all.gadget.levels * K1, all.stages, filled,
                  (unsigned char *)(accumulators + warps * K1 * N));
  fill(twiddles);
  if (threadIdx.x == 0) key.start();
  __syncthreads();
  if (ciphertext == NONE) return;

#pragma unroll 1
  for (u32 p = 0; p < K1; p++) all.start(ciphertext, K1, p, lane, accumulator + p * N);
  __syncwarp();
  const u16 *degrees = all.words(ciphertext);
  u32 next_degree = degrees[0];
  for (u32 i = 0; i < dimension; i++) {
    // The word after the last is the body: there is one to read.
    const u32 degree = next_degree;
    next_degree = degrees[i + 1];
    Eight sums[K1] = {};
#pragma unroll 1
    for (u32 level = 0; level < all.gadget.levels; level++)
#pragma unroll 1
      for (u32 p = 0; p < K1; p++) {
        Eight x;
        load_digits(x, accumulator + p * N, degree, all.gadget, level, lane);
        forward(x, twiddles, exchange, lane);
        const double2 *row = key.next() + lane;
#pragma unroll
        for (u32 o = 0; o < K1; o++)
#pragma unroll
          for (u32 e = 0; e < 8; e++) add_product(sums[o].re[e], sums[o].im[e], x.re[e], x.im[e], row[o * M + e * WARP]);
        key.release(lane);
      }
    // The sums move up, because registers have no index. Unrolled, the code would be several times as long.
#pragma unroll 1
    for (u32 o = 0; o < K1; o++) {
      backward(sums[0], twiddles, exchange, lane);
      add_rounded(accumulator + o * N, sums[0], lane);
#pragma unroll
      for (u32 next = 1; next < K1; next++) sums[next - 1] = sums[next];
    }
    __syncwarp();
  }
#pragma unroll 1
  for (u32 p = 0; p < K1; p++) all.finish(ciphertext, K1, p, lane, accumulator + p * N);
}
