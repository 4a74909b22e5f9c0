// What the kernels take from the compiler. Tests compile the same sources for CPUs, where threads are emulated.
#pragma once
#include <cstdint>

#ifdef __CUDACC__
/// An entry point, for blocks of so many threads at most.
#define KERNEL(THREADS) extern "C" __global__ void __launch_bounds__(THREADS)
/// The shared memory that the host asks for.
extern __shared__ __align__(128) unsigned char dynamic_shared[];
#else
#include "emulated_device.hpp"
#endif

// Bulk copies into shared memory came with compute capability 9.0.
#if !defined(KEY_RING)
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
#define KEY_RING 1
#else
#define KEY_RING 0
#endif
#endif

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using i8 = int8_t;
using i32 = int32_t;
using i64 = int64_t;

/// Threads of a warp.
constexpr u32 WARP = 32;
constexpr u32 ALL_LANES = 0xffffffffu;

/// The number that stands for no ciphertext in an array of slots.
constexpr u32 NONE = 0xffffffffu;

__device__ __forceinline__ u32 warp_of_block() { return threadIdx.x / WARP; }
__device__ __forceinline__ u32 lane_of_warp() { return threadIdx.x % WARP; }
