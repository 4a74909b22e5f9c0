// What `kernels/device.cuh` takes from CUDA's compiler, for CPUs. Threads of a block are fibers of one thread of the host.
#pragma once
#include "fibers.hpp"
#include <cmath>
#include <cstdint>
#include <cstring>

#define KERNEL(THREADS) static void
#define __device__
#define __forceinline__ inline
#define __constant__ static const
#define __align__(bytes) __attribute__((aligned(bytes)))
// The fibers of a block run on the same thread.
#define __shared__ static thread_local

#define threadIdx (emulated::thread_index)
#define blockIdx (emulated::block_index)
#define blockDim (emulated::block_size)
#define dynamic_shared (emulated::dynamic_shared_memory)

struct alignas(16) double2 {
  double x, y;
};
struct alignas(16) int4 {
  int32_t x, y, z, w;
};
struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
inline double2 make_double2(double x, double y) { return {x, y}; }

inline void __syncwarp() { emulated::meet_in_warp(); }
inline void __syncthreads() { emulated::meet_in_block(); }
inline void __threadfence_block() {}
inline int __popcll(unsigned long long word) { return __builtin_popcountll(word); }
template <class T> inline T __ldg(const T *p) { return *p; }
inline uint32_t atomicAdd(uint32_t *to, uint32_t value) { return __atomic_fetch_add(to, value, __ATOMIC_RELAXED); }

template <class T> inline T __shfl_xor_sync(uint32_t, T value, uint32_t mask) {
  static_assert(sizeof(T) <= 8, "values of up to 64 bits");
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = emulated::exchange(bits, mask);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline int __double2loint(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, 8);
  return (int)(uint32_t)bits;
}
inline double __hiloint2double(int high, int low) {
  const uint64_t bits = (uint64_t)(uint32_t)high << 32 | (uint32_t)low;
  double value;
  std::memcpy(&value, &bits, 8);
  return value;
}
inline void sincospi(double x, double *sin, double *cos) {
  *sin = (double)sinl(M_PIl * x);
  *cos = (double)cosl(M_PIl * x);
}

// Bulk copies: complete at once. A barrier counts the phases that are complete.
inline void initialize_barrier(uint64_t *barrier) { *barrier = 0; }
inline void publish_barriers() {}
inline void start_copy(void *to, const void *from, uint32_t bytes, uint64_t *barrier) {
  std::memcpy(to, from, bytes);
  ++*barrier;
}
inline void wait_for_copy(uint64_t *barrier, uint32_t parity) {
  while ((*barrier & 1) == parity) emulated::give_way();
}
