// LWE ciphertexts as rows of 32-bit words, from coefficients of GLWE ciphertexts.
#pragma once
#include "keystream.cuh"
#include "torus.cuh"
#include "wire.cuh"

/// A block expands a GLWE ciphertext and writes the rows of its coefficients.
KERNEL(256)
expand_keyswitch_key(const u8 *wire, u32 bodies, u32 glwe_dimension, u32 polynomial_size, u32 key_bits, u32 *rows, u32 stride) {
  __shared__ PublicCipher cipher;
  u32 *mask = (u32 *)dynamic_shared;
  const u32 dimension = glwe_dimension * polynomial_size;
  prepare(cipher, wire);
  const u64 first_block = (u64)blockIdx.x * (dimension / 2);
  for (u32 i = threadIdx.x; i < dimension / 2; i += blockDim.x) {
    u64 first, second;
    two_words(cipher, first_block + i, first, second);
    mask[2 * i] = narrow(first);
    mask[2 * i + 1] = narrow(second);
  }
  __syncthreads();
  for (u32 coefficient = 0; coefficient < polynomial_size; coefficient++) {
    const u32 index = blockIdx.x * polynomial_size + coefficient;
    if (index >= bodies) break;
    u32 *row = rows + (u64)index * stride;
    for (u32 w = threadIdx.x; w < stride; w += blockDim.x) {
      // Sample extraction: a_{i-j}, then -a_{N+i-j}.
      const u32 j = w & (polynomial_size - 1), polynomial = w - j;
      u32 word = 0;
      if (w < dimension)
        word = j <= coefficient ? mask[polynomial + coefficient - j] : 0u - mask[polynomial + polynomial_size + coefficient - j];
      else if (w == dimension)
        word = narrow(unpack_body(wire, index, key_bits));
      row[w] = word;
    }
  }
}

/// A thread writes a word. Masks are reversed, so that neighbors read neighbors.
KERNEL(128)
extract_inputs(const u64 *reversed_masks, const u64 *bodies, u32 glwe_dimension, u32 polynomial_size, u32 coefficients, u32 *rows,
                   u32 stride) {
  const u32 dimension = glwe_dimension * polynomial_size, w = blockIdx.y * blockDim.x + threadIdx.x;
  if (w >= stride) return;
  const u32 request = blockIdx.x / coefficients, index = blockIdx.x % coefficients;
  const u32 ciphertexts = (coefficients + polynomial_size - 1) / polynomial_size;
  const u32 ciphertext = index / polynomial_size, coefficient = index % polynomial_size;
  u32 word = 0;
  if (w < dimension) {
    const u32 j = w & (polynomial_size - 1);
    const u64 *reversed = reversed_masks + ((u64)request * ciphertexts + ciphertext) * dimension + (w - j);
    word = j <= coefficient ? narrow(reversed[polynomial_size - 1 - coefficient + j]) : 0u - narrow(reversed[j - coefficient - 1]);
  } else if (w == dimension) {
    word = narrow(bodies[blockIdx.x]);
  }
  rows[(u64)blockIdx.x * stride + w] = word;
}
