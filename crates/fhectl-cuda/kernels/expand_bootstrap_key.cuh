// Bootstrap keys and public keys, from the wire to spectra.
#pragma once
#include "keystream.cuh"
#include "torus.cuh"
#include "wire.cuh"

/// A block transforms a GLWE ciphertext, a row of a GGSW ciphertext or of a public key, and a warp each of its polynomials.
KERNEL(MOST_POLYNOMIALS * WARP)
expand_bootstrap_key(const u8 *wire, const u32 *order, u32 levels, u32 key_bits, double *out) {
  __shared__ PublicCipher cipher;
  __shared__ Twiddles twiddles;
  __shared__ double2 exchanges[MOST_POLYNOMIALS][M];
  const u32 polynomials = blockDim.x / WARP, rows = levels * polynomials, polynomial = warp_of_block(), lane = lane_of_warp();
  const u32 bit = blockIdx.y, row = blockIdx.x;
  fill(twiddles);
  prepare(cipher, wire);

  const u64 row_on_wire = (u64)(order ? order[bit] : bit) * rows + row;
  double2 *exchange = exchanges[polynomial];
  u64 *words = (u64 *)exchange;
  if (polynomial + 1 < polynomials) {
    const u64 first_block = (row_on_wire * (polynomials - 1) + polynomial) * (N / 2);
    for (u32 i = lane; i < N / 2; i += WARP) two_words(cipher, first_block + i, words[2 * i], words[2 * i + 1]);
  } else {
    for (u32 j = lane; j < N; j += WARP) words[j] = unpack_body(wire, row_on_wire * N + j, key_bits);
  }
  __syncwarp();

  // In turns, and by as much less as the inverse transform is more.
  const double scale = 1.0 / 18446744073709551616.0 / M;
  Eight x;
#pragma unroll
  for (int r = 0; r < 8; r++) {
    x.re[r] = (double)(i64)words[lane + WARP * r] * scale;
    x.im[r] = (double)(i64)words[lane + WARP * r + M] * scale;
  }
  forward(x, twiddles, exchange, lane);
  double2 *spectrum = (double2 *)out + (((u64)bit * rows + row) * polynomials + polynomial) * M;
#pragma unroll
  for (int e = 0; e < 8; e++) spectrum[e * WARP + lane] = make_double2(x.re[e], x.im[e]);
}
