// The centered modulus switch, from 32-bit words to integers modulo 2N.
#pragma once
#include "device.cuh"

/// A warp switches a row.
KERNEL(128)
switch_modulus(const u32 *rows, u32 stride, u32 count, u32 dimension, const u32 *const *orders, const u32 *key_of, u32 log_modulus,
                   u16 *switched) {
  const u32 ciphertext = blockIdx.x * (blockDim.x / WARP) + warp_of_block(), lane = lane_of_warp();
  if (ciphertext >= count) return;
  const u32 *row = rows + (u64)ciphertext * stride;
  const u32 *order = orders ? orders[key_of[ciphertext]] : nullptr;
  u16 *out = switched + (u64)ciphertext * (dimension + 1);
  const u32 unused = 32 - log_modulus;
  i64 errors = 0;
  for (u32 i = lane; i < dimension; i += WARP) {
    const u32 word = row[order ? order[i] : i];
    const u32 rounded = (word + (1u << (unused - 1))) >> unused;
    errors += (i32)((rounded << unused) - word);
    out[i] = (u16)rounded;
  }
#pragma unroll
  for (u32 other = WARP / 2; other > 0; other /= 2) errors += __shfl_xor_sync(ALL_LANES, errors, other);
  if (lane == 0) {
    // The body plus half the sum of errors, in words of 33 bits, so that no half is lost. Half a step less, then rounded: no more
    // than a shift.
    const u64 twice = 2 * (u64)row[dimension] + (u64)errors;
    out[dimension] = (u16)((twice & 0x1ffffffffull) >> (unused + 1));
  }
}
