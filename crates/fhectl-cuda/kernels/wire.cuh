// The wire form of seeded ciphertexts: a seed of 16 bytes, then the leading bits of the bodies.
#pragma once
#include "device.cuh"

constexpr u32 SEED_BYTES = 16;

/// Body `index` as a torus word. Reads no byte that has none of its bits.
__device__ __forceinline__ u64 unpack_body(const u8 *wire, u64 index, u32 bits) {
  const u64 bit = index * bits;
  const u8 *from = wire + SEED_BYTES + bit / 8;
  const u32 skipped = bit % 8, bytes = (skipped + bits + 7) / 8;
  u64 low = 0;
#pragma unroll 1
  for (u32 b = 0; b < bytes && b < 8; b++) low |= (u64)from[b] << (8 * b);
  u64 value = low >> skipped;
  if (bytes > 8) value |= (u64)from[8] << (64 - skipped);
  return value << (64 - bits);
}
