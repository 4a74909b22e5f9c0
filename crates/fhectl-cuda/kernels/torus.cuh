// Words of the torus and numbers: rounding, digits, and the way back.
#pragma once
#include "transform.cuh"

/// A word rounded to its 32 most significant bits.
__device__ __forceinline__ u32 narrow(u64 word) { return (u32)(word >> 32) + ((u32)word >> 31); }

/// A gadget decomposition of 32-bit words.
struct Gadget {
  u32 base_log, levels;
};

/// A word without its `unused` low bits, rounded to the nearest integer. What is half way goes away from zero: the digits of a word and
/// of its negative must be each other's negatives, or the noise gets a mean. 2^31 is minus half a turn and stays negative.
__device__ __forceinline__ i32 round_away(u32 word, u32 unused) {
  const u32 sign = (u32)((i32)word >> 31);
  const u32 magnitude = (word ^ sign) - sign;
  const u32 rounded = (magnitude + (1u << (unused - 1))) >> unused;
  return (i32)((rounded ^ sign) - sign);
}

/// What the digit of a level below the last carries into the next. A digit above B/2 carries; B/2 itself does where the next digit is in
/// its own upper half. See `Word::decompose` of the CPU's kernels for why.
__device__ __forceinline__ i32 carry(i32 rest, u32 base_log) {
  const i32 low = rest & (i32)((1u << base_log) - 1), above = rest >> base_log;
  return (((low - 1) | above) & low) >> (base_log - 1) & 1;
}

/// An integer of 32 bits as f64, with an addition in place of a slow conversion.
__device__ __forceinline__ double to_double(i32 x) {
  return __hiloint2double(0x43300000, x ^ (i32)0x80000000) - 4503601774854144.0; // 2^52 + 2^31
}

/// A number of turns, below 2^51, to the nearest word.
__device__ __forceinline__ u32 to_word(double turns) {
  // The sum with 1.5 * 2^52 has no room for bits below the point.
  const double magic = 6755399441055744.0;
  const double whole = (turns + magic) - magic;
  return (u32)__double2loint(__fma_rn(turns - whole, 4294967296.0, magic));
}

/// Word `j` of polynomial * X^degree, for degrees below 2N.
__device__ __forceinline__ u32 rotated(const u32 *polynomial, u32 j, u32 degree) {
  const u32 from = (j - degree) & (2 * N - 1);
  const u32 word = polynomial[from & (N - 1)];
  return from & N ? 0u - word : word;
}

/// The digits of polynomial * (X^degree - 1), folded: balanced ones in [-B/2, B/2], of `level`, that of the smallest factor first, as rows
/// of keys are.
__device__ __forceinline__ void load_digits(Eight &x, const u32 *polynomial, u32 degree, Gadget gadget, u32 level, u32 lane) {
  const u32 base_log = gadget.base_log, unused = 32 - base_log * gadget.levels;
  i32 rest[16];
#pragma unroll
  for (u32 r = 0; r < 16; r++) {
    const u32 j = lane + WARP * r;
    rest[r] = round_away(rotated(polynomial, j, degree) - polynomial[j], unused);
  }
#pragma unroll 1
  for (u32 below = 0; below < level; below++)
#pragma unroll
    for (u32 r = 0; r < 16; r++) rest[r] = (rest[r] >> base_log) + carry(rest[r], base_log);
  if (level + 1 < gadget.levels)
#pragma unroll
    for (u32 r = 0; r < 16; r++) rest[r] = (rest[r] & (i32)((1u << base_log) - 1)) - (carry(rest[r], base_log) << base_log);
#pragma unroll
  for (u32 r = 0; r < 8; r++) {
    x.re[r] = to_double(rest[r]);
    x.im[r] = to_double(rest[r + 8]);
  }
}

/// Adds folded numbers of turns to a polynomial.
__device__ __forceinline__ void add_rounded(u32 *polynomial, const Eight &turns, u32 lane) {
#pragma unroll
  for (int r = 0; r < 8; r++) {
    const u32 j = lane + WARP * r;
    polynomial[j] += to_word(turns.re[r]);
    polynomial[j + M] += to_word(turns.im[r]);
  }
}

/// sum += x * y, number by number.
__device__ __forceinline__ void add_product(double &sum_re, double &sum_im, double x_re, double x_im, double2 y) {
  sum_re = __fma_rn(x_re, y.x, sum_re);
  sum_im = __fma_rn(x_re, y.y, sum_im);
  sum_re = __fma_rn(-x_im, y.y, sum_re);
  sum_im = __fma_rn(x_im, y.x, sum_im);
}
