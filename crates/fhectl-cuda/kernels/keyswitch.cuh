// Keyswitches of many ciphertexts: digits, then their product with the key, a product of matrices.
#pragma once
#include "device.cuh"

/// A thread decomposes a word, most significant digit first, and clears a word of the result.
KERNEL(256)
keyswitch_digits(const u32 *rows, u32 stride, u32 from, u32 base_log, u32 levels, i8 *digits, u32 *out, u32 out_stride, u32 to) {
  const u32 ciphertext = blockIdx.x, i = blockIdx.y * blockDim.x + threadIdx.x;
  const u32 *row = rows + (u64)ciphertext * stride;
  if (i <= to) out[(u64)ciphertext * out_stride + i] = i == to ? row[from] : 0;
  if (i >= from) return;
  u32 rest = ((row[i] >> (31 - base_log * levels)) + 1) >> 1;
  const u32 mask = (1u << base_log) - 1;
  i8 *of_word = digits + ((u64)ciphertext * from + i) * levels;
  for (u32 level = levels; level-- > 0;) {
    const u32 low = rest & mask, carry = low >> (base_log - 1);
    of_word[level] = (i8)(i32)(low - (carry << base_log));
    rest = (rest >> base_log) + carry;
  }
}

/// Words and ciphertexts of a tile, and digits that are in shared memory at a time.
constexpr u32 TILE = 64, DEPTH = 16;

/// A block computes a tile of out -= digits * key, for a share of the digits. A thread computes 4 x 4 words.
KERNEL(256)
keyswitch_product(const u32 *const *keys, const u32 *key_of, const u32 *ciphertexts, const i8 *digits, u32 depth, u32 key_stride,
                      u32 *out, u32 out_stride, u32 width, u32 share) {
  __shared__ __align__(16) u32 key_tile[DEPTH][TILE];
  // The padding spreads writes of neighbors over banks, and keeps reads of four aligned.
  __shared__ __align__(16) i32 digit_tile[DEPTH][TILE + 4];
  const u32 first_column = blockIdx.x * TILE;
  const u32 *slots = ciphertexts + (u64)blockIdx.y * TILE;
  const u32 *key = keys[key_of[slots[0]]];
  const u32 begin = blockIdx.z * share, end = depth - begin < share ? depth : begin + share;
  const u32 x = threadIdx.x % 16, y = threadIdx.x / 16;
  u32 sums[4][4] = {};
  for (u32 d = begin; d < end; d += DEPTH) {
#pragma unroll
    for (u32 e = 0; e < 4; e++) {
      const u32 i = threadIdx.x + 256 * e;
      const u32 row = i / TILE, column = i % TILE;
      key_tile[row][column] = d + row < end && first_column + column < width ? key[(u64)(d + row) * key_stride + first_column + column] : 0;
      const u32 digit = i % DEPTH, ciphertext = slots[i / DEPTH];
      digit_tile[digit][i / DEPTH] = d + digit < end && ciphertext != NONE ? digits[(u64)ciphertext * depth + d + digit] : 0;
    }
    __syncthreads();
#pragma unroll
    for (u32 row = 0; row < DEPTH; row++) {
      const uint4 words = *(const uint4 *)&key_tile[row][x * 4];
      const int4 factors = *(const int4 *)&digit_tile[row][y * 4];
      const u32 word[4] = {words.x, words.y, words.z, words.w};
      const i32 factor[4] = {factors.x, factors.y, factors.z, factors.w};
#pragma unroll
      for (u32 c = 0; c < 4; c++)
#pragma unroll
        for (u32 w = 0; w < 4; w++) sums[c][w] += word[w] * (u32)factor[c];
    }
    __syncthreads();
  }
#pragma unroll
  for (u32 c = 0; c < 4; c++) {
    const u32 ciphertext = slots[y * 4 + c];
    if (ciphertext == NONE) continue;
#pragma unroll
    for (u32 w = 0; w < 4; w++) {
      const u32 column = first_column + x * 4 + w;
      if (column < width) atomicAdd(&out[(u64)ciphertext * out_stride + column], 0u - sums[c][w]);
    }
  }
}
