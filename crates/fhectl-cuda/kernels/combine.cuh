// Weighted sums of rows, as `LweList::combine`. Words of a row are independent: a thread computes one column.
#pragma once
#include "device.cuh"

/// Sums that a block computes together: each word that it reads serves all of them.
constexpr u32 SUMS = 8;
/// Inputs whose weights are in shared memory at a time.
constexpr u32 INPUTS = 128;

KERNEL(128)
combine_dense(const u32 *in, u32 in_stride, u32 inputs, const i32 *weights, const u32 *constants, u32 *out, u32 out_stride, u32 width,
                  u32 outputs) {
  __shared__ u32 of_tile[INPUTS][SUMS];
  const u32 column = blockIdx.x * blockDim.x + threadIdx.x, first = blockIdx.y * SUMS, request = blockIdx.z;
  in += (u64)request * inputs * in_stride;
  u32 sums[SUMS] = {};
  for (u32 tile = 0; tile < inputs; tile += INPUTS) {
    __syncthreads();
    for (u32 i = threadIdx.x; i < INPUTS * SUMS; i += blockDim.x) {
      // Neighbors read weights of neighboring inputs.
      const u32 input = tile + i % INPUTS, output = first + i / INPUTS;
      of_tile[i % INPUTS][i / INPUTS] = input < inputs && output < outputs ? (u32)weights[(u64)output * inputs + input] : 0;
    }
    __syncthreads();
    if (column >= width) continue;
    const u32 here = inputs - tile < INPUTS ? inputs - tile : INPUTS;
#pragma unroll 4
    for (u32 t = 0; t < here; t++) {
      const u32 word = in[(u64)(tile + t) * in_stride + column];
#pragma unroll
      for (u32 o = 0; o < SUMS; o++) sums[o] += word * of_tile[t][o];
    }
  }
  if (column >= width) return;
#pragma unroll
  for (u32 o = 0; o < SUMS; o++) {
    if (first + o >= outputs) break;
    const u32 constant = column == width - 1 ? constants[first + o] : 0;
    out[((u64)request * outputs + first + o) * out_stride + column] = sums[o] + constant;
  }
}

KERNEL(128)
combine_sparse(const u32 *in, u32 in_stride, u32 inputs, const u32 *starts, const u32 *terms, const u32 *constants, u32 *out,
                   u32 out_stride, u32 width, u32 outputs) {
  const u32 column = blockIdx.x * blockDim.x + threadIdx.x, output = blockIdx.y, request = blockIdx.z;
  if (column >= width) return;
  in += (u64)request * inputs * in_stride;
  u32 sum = column == width - 1 ? constants[output] : 0;
  const u32 end = starts[output + 1];
#pragma unroll 4
  for (u32 t = starts[output]; t < end; t++) sum += in[(u64)terms[2 * t] * in_stride + column] * terms[2 * t + 1];
  out[((u64)request * outputs + output) * out_stride + column] = sum;
}
