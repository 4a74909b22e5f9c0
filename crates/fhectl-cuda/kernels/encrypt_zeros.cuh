// Fresh encryptions of zero under clients' public keys: the words of `Zeros::add` of the CPU, from the same seeds.
#pragma once
#include "keystream.cuh"
#include "torus.cuh"
#include "wire.cuh"

/// log2 of the blocks of the stream, of two words each, that are reserved for one encryption: half of `WORDS_PER_ZERO`.
constexpr u32 LOG_BLOCKS_PER_ZERO = 23;

/// What a block's warps share beside the places of their polynomials.
struct ZeroShared {
  Twiddles twiddles;
  SecretCipher cipher;
  /// The binary polynomials rho, a bit a coefficient.
  u64 rho[MOST_POLYNOMIALS * N / 64];
};

/// Draws `k` binary polynomials with no more than `most_ones` ones together, by all threads of the block. They meet here. `block` is the
/// stream's next one, before and after.
__device__ __forceinline__ void draw_rho(ZeroShared &shared, u32 k, u32 most_ones, u64 &block, u32 lane) {
  const u32 words = k * (N / 64);
  u32 ones;
  do {
    // Nobody counts the last ones any more.
    __syncthreads();
    for (u32 i = threadIdx.x; i < words / 2; i += blockDim.x) two_words(shared.cipher, block + i, shared.rho[2 * i], shared.rho[2 * i + 1]);
    block += words / 2;
    __syncthreads();
    ones = 0;
    for (u32 i = lane; i < words; i += WARP) ones += (u32)__popcll(shared.rho[i]);
#pragma unroll
    for (u32 other = WARP / 2; other > 0; other /= 2) ones += __shfl_xor_sync(ALL_LANES, ones, other);
  } while (ones > most_ones);
}

/// A TUniform(`bound_log2`) sample of a word of the stream, or of the lower half of one.
__device__ __forceinline__ i64 t_uniform(u64 draw, u32 bound_log2) {
  draw &= ~0ull >> (62 - bound_log2);
  return (i64)((draw >> 1) + (draw & 1)) - (i64)(1ull << bound_log2);
}

/// Draws samples for the N coefficients of polynomial `polynomial`, by one warp, to words in its own place. `block` is the stream's
/// next one after rho. Samples of up to 32 bits take half a word each.
__device__ __forceinline__ void draw_noise(const SecretCipher &cipher, u64 block, u32 polynomial, u32 bound_log2, u64 *draws, u32 lane) {
  const bool halves = bound_log2 + 2 <= 32;
  const u32 blocks = halves ? N / 4 : N / 2;
  block += polynomial * blocks;
#pragma unroll 1
  for (u32 i = lane; i < blocks; i += WARP) {
    u64 first, second;
    two_words(cipher, block + i, first, second);
    if (halves) {
      draws[4 * i] = first;
      draws[4 * i + 1] = first >> 32;
      draws[4 * i + 2] = second;
      draws[4 * i + 3] = second >> 32;
    } else {
      draws[2 * i] = first;
      draws[2 * i + 1] = second;
    }
  }
}

/// A block makes a ciphertext, a warp each of its polynomials: A^T rho or <b, rho>, and noise.
KERNEL(MOST_POLYNOMIALS *WARP)
encrypt_zeros(const double2 *const *keys, const u32 *key_of, const u8 *seeds, const u32 *zero_of, u32 bound_log2, u32 most_ones,
              u32 *out) {
  const u32 polynomials = blockDim.x / WARP, k = polynomials - 1, polynomial = warp_of_block(), lane = lane_of_warp();
  const u32 ciphertext = blockIdx.x, seed = zero_of[2 * ciphertext];
  out += ((u64)ciphertext * polynomials + polynomial) * N;
  if (seed == NONE) {
    for (u32 j = lane; j < N; j += WARP) out[j] = 0;
    return;
  }
  ZeroShared &shared = *(ZeroShared *)dynamic_shared;
  double2 *places = (double2 *)(&shared + 1), *place = places + polynomial * M; // [polynomials][M]
  fill(shared.twiddles);
  prepare(shared.cipher, seeds + (u64)seed * SEED_BYTES);
  u64 block = (u64)zero_of[2 * ciphertext + 1] << LOG_BLOCKS_PER_ZERO;
  draw_rho(shared, k, most_ones, block, lane);

  if (polynomial < k) {
    Eight x;
    const u64 *rho = shared.rho + polynomial * (N / 64);
#pragma unroll
    for (u32 r = 0; r < 8; r++) {
      const u32 shift = lane + WARP * (r % 2);
      x.re[r] = (double)((u32)(rho[r / 2] >> shift) & 1);
      x.im[r] = (double)((u32)(rho[r / 2 + M / 64] >> shift) & 1);
    }
    forward(x, shared.twiddles, place, lane);
    __syncwarp();
#pragma unroll
    for (u32 e = 0; e < 8; e++) place[e * WARP + lane] = make_double2(x.re[e], x.im[e]);
  }
  __syncthreads();

  // The key has a row for each polynomial of rho.
  const double2 *row = keys[key_of[ciphertext]] + polynomial * M + lane;
  Eight sum = {};
#pragma unroll 1
  for (u32 i = 0; i < k; i++) {
    const double2 *spectrum = places + i * M + lane;
#pragma unroll
    for (u32 e = 0; e < 8; e++) {
      const double2 x = spectrum[e * WARP];
      add_product(sum.re[e], sum.im[e], x.x, x.y, __ldg(row + e * WARP));
    }
    row += polynomials * M;
  }
  // Spectra are read, and their places are free.
  __syncthreads();
  backward(sum, shared.twiddles, place, lane);
  __syncwarp();
  u64 *draws = (u64 *)place;
  draw_noise(shared.cipher, block, polynomial, bound_log2, draws, lane);
  __syncwarp();
  const double turns = 1.0 / 18446744073709551616.0;
#pragma unroll
  for (u32 r = 0; r < 8; r++) {
    const u32 j = lane + WARP * r;
    out[j] = to_word(sum.re[r] + (double)t_uniform(draws[j], bound_log2) * turns);
    out[j + M] = to_word(sum.im[r] + (double)t_uniform(draws[j + M], bound_log2) * turns);
  }
}
