// How the warps of a block read the rows of their common bootstrap key, in order.
#pragma once
#include "bulk_copy.cuh"
#include "transform.cuh"

#if KEY_RING
/// Rows of K1 spectra pass through a ring in shared memory: a row is copied once for all warps, some rows ahead.
template <u32 K1> struct KeyRows {
  static constexpr u32 ROW = K1 * M;
  const double2 *key;
  double2 *ring;
  u64 *barriers;
  u32 *readers; // Warps that are done with a stage.
  u32 warps, rows, stages, row, stage, parity;

  /// Bytes of shared memory after the ring: a barrier and a counter for each stage, padded to 16 bytes.
  __device__ __forceinline__ KeyRows(const double2 *key, u32 rows, u32 stages, u32 warps, unsigned char *shared)
      : key(key), ring((double2 *)shared), barriers((u64 *)(shared + stages * ROW * sizeof(double2))), readers((u32 *)(barriers + stages)),
        warps(warps), rows(rows), stages(stages), row(0), stage(0), parity(0) {}

  /// Starts the first copies. One thread of the block does this. The others have to wait until it is done.
  __device__ __forceinline__ void start() {
    for (u32 s = 0; s < stages; s++) {
      initialize_barrier(&barriers[s]);
      readers[s] = 0;
    }
    publish_barriers();
    for (u32 s = 0; s < stages && s < rows; s++) copy(s, s);
  }

  __device__ __forceinline__ void copy(u32 row, u32 stage) {
    start_copy(ring + stage * ROW, key + (u64)row * ROW, ROW * sizeof(double2), &barriers[stage]);
  }

  /// The next row, once it is there.
  __device__ __forceinline__ const double2 *next() {
    wait_for_copy(&barriers[stage], parity);
    return ring + stage * ROW;
  }

  /// Says that this warp is done with the row. The last warp has the stage filled again.
  __device__ __forceinline__ void release(u32 lane) {
    __syncwarp();
    if (lane == 0) {
      __threadfence_block();
      if (atomicAdd(&readers[stage], 1u) == warps - 1) {
        readers[stage] = 0;
        if (row + stages < rows) {
          __threadfence_block();
          copy(row + stages, stage);
        }
      }
    }
    row++;
    if (++stage == stages) {
      stage = 0;
      parity ^= 1;
    }
  }
};
#else
/// Rows of K1 spectra, read where they are. Warps of a block are at the same row or nearly so, and find it in the cache.
template <u32 K1> struct KeyRows {
  const double2 *row;

  __device__ __forceinline__ KeyRows(const double2 *key, u32, u32, u32, unsigned char *) : row(key) {}
  __device__ __forceinline__ void start() {}
  __device__ __forceinline__ const double2 *next() { return row; }
  __device__ __forceinline__ void release(u32) { row += K1 * M; }
};
#endif
