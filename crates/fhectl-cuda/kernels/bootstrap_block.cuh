// Bootstraps in the least time: a block takes G ciphertexts, a warp each of their polynomials.
#pragma once
#include "bootstrap.cuh"

/// Spectra of the key in registers.
struct Row {
  double2 x[8];

  __device__ __forceinline__ void load(const double2 *from) {
#pragma unroll
    for (u32 e = 0; e < 8; e++) x[e] = __ldg(from + e * WARP);
  }

  __device__ __forceinline__ void add_product_to(Eight &sum, const double2 *spectrum) const {
#pragma unroll
    for (u32 e = 0; e < 8; e++) {
      const double2 y = spectrum[e * WARP];
      add_product(sum.re[e], sum.im[e], y.x, y.y, x[e]);
    }
  }
};

/// Warps meet once a bit: spectra of this bit and of the next have places of their own, and nobody is two bits ahead.
template <u32 G> __device__ __forceinline__ void bootstrap_block_of(const Bootstraps &all) {
  // Rows of the key that are read ahead of a bit's transforms, into registers. More would not fit beside them.
  constexpr u32 FIRST = G == 1 ? 4 : 3;
  const u32 polynomials = blockDim.x / WARP, warp = warp_of_block(), lane = lane_of_warp();
  const u32 levels = all.gadget.levels, dimension = all.dimension;
  const u32 rows = levels * polynomials, spectra_of_bit = rows * M;
  double2 *spectra = (double2 *)dynamic_shared; // [2][G][levels][polynomials][M]
  Twiddles &twiddles = *(Twiddles *)(spectra + 2 * G * spectra_of_bit);
  double2 *exchanges = (double2 *)(&twiddles + 1), *exchange = exchanges + warp * M;
  u32 *accumulators = (u32 *)(exchanges + polynomials * M) + warp * N; // [G][polynomials][N], from this warp's on
  const u32 *slots = all.ciphertexts + blockIdx.x * G;
  const double2 *row = all.keys[all.key_of[slots[0]]] + warp * M + lane;
  // An empty slot computes what the first does, and writes nothing.
  const u32 ciphertexts[2] = {slots[0], slots[G - 1] == NONE ? slots[0] : slots[G - 1]};
  fill(twiddles);
#pragma unroll 1
  for (u32 g = 0; g < G; g++) all.start(g ? ciphertexts[1] : ciphertexts[0], polynomials, warp, lane, accumulators + g * polynomials * N);
  __syncthreads();

  for (u32 i = 0; i < dimension; i++) {
    Row ahead[FIRST];
#pragma unroll
    for (u32 p = 0; p < FIRST; p++) ahead[p].load(row + p * polynomials * M);

    double2 *of_bit = spectra + (i & 1) * G * spectra_of_bit;
#pragma unroll 1
    for (u32 g = 0; g < G; g++) {
      const u32 degree = all.words(g ? ciphertexts[1] : ciphertexts[0])[i];
#pragma unroll 1
      for (u32 level = 0; level < levels; level++) {
        Eight x;
        load_digits(x, accumulators + g * polynomials * N, degree, all.gadget, level, lane);
        forward(x, twiddles, exchange, lane);
        double2 *spectrum = of_bit + ((g * levels + level) * polynomials + warp) * M + lane;
#pragma unroll
        for (u32 e = 0; e < 8; e++) spectrum[e * WARP] = make_double2(x.re[e], x.im[e]);
      }
    }
    __syncthreads();

#pragma unroll 1
    for (u32 g = 0; g < G; g++) {
      Eight sum = {};
      const double2 *spectrum = of_bit + g * spectra_of_bit + lane;
      // Each of the rest is on its way while the one before is multiplied.
      Row late;
      if (FIRST < rows) late.load(row + FIRST * polynomials * M);
#pragma unroll
      for (u32 p = 0; p < FIRST; p++) ahead[p].add_product_to(sum, spectrum + p * M);
#pragma unroll 1
      for (u32 p = FIRST; p < rows; p++) {
        const Row now = late;
        if (p + 1 < rows) late.load(row + (p + 1) * polynomials * M);
        now.add_product_to(sum, spectrum + p * M);
      }
      backward(sum, twiddles, exchange, lane);
      add_rounded(accumulators + g * polynomials * N, sum, lane);
      __syncwarp();
    }
    row += (u64)rows * polynomials * M;
  }
#pragma unroll 1
  for (u32 g = 0; g < G; g++)
    if (slots[g] != NONE) all.finish(slots[g], polynomials, warp, lane, accumulators + g * polynomials * N);
}
