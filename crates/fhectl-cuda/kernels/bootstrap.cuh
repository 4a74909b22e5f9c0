// What the bootstrap kernels have in common: arguments, and how a ciphertext comes in and goes out.
#pragma once
#include "torus.cuh"

/// The arguments of a bootstrap kernel, see README.md.
struct Bootstraps {
  const double2 *const *keys;
  const u32 *key_of, *ciphertexts;
  const u16 *switched;
  const u32 *tables, *table_of, *zeros;
  u32 *out;
  u32 out_stride, dimension;
  Gadget gadget;
  u32 stages;

  /// The switched words of a ciphertext: `dimension` of the mask, then the body.
  __device__ __forceinline__ const u16 *words(u32 ciphertext) const { return switched + (u64)ciphertext * (dimension + 1); }

  /// Writes polynomial `p` of the first accumulator, by one warp: an encryption of zero, and the table times X^-body in the last.
  __device__ __forceinline__ void start(u32 ciphertext, u32 polynomials, u32 p, u32 lane, u32 *polynomial) const {
    const u32 *zero = zeros ? zeros + ((u64)ciphertext * polynomials + p) * N : nullptr;
    const u32 *table = tables + (u64)table_of[ciphertext] * N;
    const u32 degree = 2 * N - words(ciphertext)[dimension];
#pragma unroll 1
    for (u32 j = lane; j < N; j += WARP) {
      const u32 word = p == polynomials - 1 ? rotated(table, j, degree) : 0;
      polynomial[j] = word + (zero ? zero[j] : 0);
    }
  }

  /// Writes the part of the result that comes from polynomial `p`: the constant coefficient as an LWE ciphertext.
  __device__ __forceinline__ void finish(u32 ciphertext, u32 polynomials, u32 p, u32 lane, const u32 *polynomial) const {
    u32 *row = out + (u64)ciphertext * out_stride + p * N;
    if (p < polynomials - 1) {
#pragma unroll 1
      for (u32 j = lane; j < N; j += WARP) row[j] = j ? 0u - polynomial[N - j] : polynomial[0];
    } else if (lane == 0) {
      row[0] = polynomial[0];
    }
  }
};

/// An entry point that is called NAME and runs BODY.
#define BOOTSTRAP_ENTRY(NAME, THREADS, BODY)                                                                                         \
  KERNEL(THREADS)                                                                                                                    \
  NAME(const double2 *const *keys, const u32 *key_of, const u32 *ciphertexts, const u16 *switched, const u32 *tables,                \
       const u32 *table_of, const u32 *zeros, u32 *out, u32 out_stride, u32 dimension, u32 base_log, u32 levels, u32 stages) {       \
    BODY({keys, key_of, ciphertexts, switched, tables, table_of, zeros, out, out_stride, dimension, {base_log, levels}, stages});    \
  }
