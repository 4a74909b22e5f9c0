// The negacyclic Fourier transform of polynomials of N = 512 coefficients, by one warp.
//
// A real polynomial modulo X^N + 1 is folded into M = N / 2 complex numbers: coefficient j and, as the imaginary part, j + M. A lane
// holds eight of them, j = lane + 32 r for registers r = 0..8. The spectrum comes in an order of its own (register, lane), in which keys
// are stored: products need no other.
#pragma once
#include "device.cuh"

constexpr u32 N = 512, M = N / 2;

/// Polynomials of a ciphertext, where a block has a warp for each.
constexpr u32 MOST_POLYNOMIALS = 8;

/// Complex numbers in the registers of a lane.
struct Eight {
  double re[8], im[8];
};

/// Roots of unity in shared memory.
struct Twiddles {
  double2 roots[M + 32];

  /// Between the two transforms of eight: number `place` of M.
  __device__ __forceinline__ double2 outer(u32 place) const { return roots[place]; }
  /// Before the transform of four: number `place` of 32.
  __device__ __forceinline__ double2 inner(u32 place) const { return roots[M + place]; }
};

__device__ __forceinline__ void multiply(double &re, double &im, double by_re, double by_im) {
  const double t = re * by_re - im * by_im;
  im = re * by_im + im * by_re;
  re = t;
}

/// Four numbers from `first` on to their discrete Fourier transform, with the sign SIGN in the exponent.
template <int SIGN> __device__ __forceinline__ void transform_4(double *re, double *im) {
  const double even_re = re[0] + re[2], even_im = im[0] + im[2], odd_re = re[1] + re[3], odd_im = im[1] + im[3];
  const double low_re = re[0] - re[2], low_im = im[0] - im[2];
  // The difference of the odd ones, times i to the power of SIGN.
  const double high_re = SIGN > 0 ? im[3] - im[1] : im[1] - im[3], high_im = SIGN > 0 ? re[1] - re[3] : re[3] - re[1];
  re[0] = even_re + odd_re;
  im[0] = even_im + odd_im;
  re[1] = low_re + high_re;
  im[1] = low_im + high_im;
  re[2] = even_re - odd_re;
  im[2] = even_im - odd_im;
  re[3] = low_re - high_re;
  im[3] = low_im - high_im;
}

/// x[q] = sum_r x[r] e^{SIGN 2 pi i r q / 8}, in order.
template <int SIGN> __device__ __forceinline__ void transform_8(Eight &x) {
  const double half_root = 0.70710678118654752440;
  double even_re[4], even_im[4], odd_re[4], odd_im[4];
#pragma unroll
  for (int r = 0; r < 4; r++) {
    even_re[r] = x.re[r] + x.re[r + 4];
    even_im[r] = x.im[r] + x.im[r + 4];
    odd_re[r] = x.re[r] - x.re[r + 4];
    odd_im[r] = x.im[r] - x.im[r + 4];
  }
  const double re1 = odd_re[1], im1 = odd_im[1], re2 = odd_re[2], im2 = odd_im[2], re3 = odd_re[3], im3 = odd_im[3];
  if (SIGN > 0) {
    odd_re[1] = (re1 - im1) * half_root;
    odd_im[1] = (im1 + re1) * half_root;
    odd_re[2] = -im2;
    odd_im[2] = re2;
    odd_re[3] = (-re3 - im3) * half_root;
    odd_im[3] = (re3 - im3) * half_root;
  } else {
    odd_re[1] = (re1 + im1) * half_root;
    odd_im[1] = (im1 - re1) * half_root;
    odd_re[2] = im2;
    odd_im[2] = -re2;
    odd_re[3] = (im3 - re3) * half_root;
    odd_im[3] = (-re3 - im3) * half_root;
  }
  transform_4<SIGN>(even_re, even_im);
  transform_4<SIGN>(odd_re, odd_im);
#pragma unroll
  for (int q = 0; q < 4; q++) {
    x.re[2 * q] = even_re[q];
    x.im[2 * q] = even_im[q];
    x.re[2 * q + 1] = odd_re[q];
    x.im[2 * q + 1] = odd_im[q];
  }
}

/// Exchanges registers 0..4 and 4..8 among four neighboring lanes: a transposition of 4 x 4 matrices.
__device__ __forceinline__ void transpose_quads(double (&v)[8], u32 lane) {
#pragma unroll
  for (int bit = 1; bit <= 2; bit <<= 1) {
    const bool upper = lane & bit;
#pragma unroll
    for (int e = 0; e < 8; e++) {
      if (e & bit) continue;
      const double sent = upper ? v[e] : v[e | bit];
      const double received = __shfl_xor_sync(ALL_LANES, sent, bit);
      if (upper)
        v[e] = received;
      else
        v[e | bit] = received;
    }
  }
}

/// The part of the fold's twist that depends on the register only: e^{i pi r / 16}.
template <int SIGN> __device__ __forceinline__ void twist(Eight &x) {
  constexpr double RE[8] = {1.0, 0.98078528040323044913, 0.92387953251128675613, 0.83146961230254523708,
                            0.70710678118654752440, 0.55557023301960222474, 0.38268343236508977173, 0.19509032201612826785};
  constexpr double IM[8] = {0.0, 0.19509032201612826785, 0.38268343236508977173, 0.55557023301960222474,
                            0.70710678118654752440, 0.83146961230254523708, 0.92387953251128675613, 0.98078528040323044913};
#pragma unroll
  for (int r = 1; r < 8; r++) multiply(x.re[r], x.im[r], RE[r], SIGN * IM[r]);
}

/// Where lane `lane` finds number `index` of eight, across lanes. Exclusive or keeps both directions free of bank conflicts.
__device__ __forceinline__ u32 exchange_place(u32 q, u32 lane) { return q * WARP + (lane ^ ((q & 1) << 2)); }

/// From folded coefficients to the spectrum. `exchange` is M numbers of shared memory that the warp has for itself.
__device__ __forceinline__ void forward(Eight &x, const Twiddles &twiddles, double2 *exchange, u32 lane) {
  twist<1>(x);
  transform_8<1>(x);
#pragma unroll
  for (int q = 0; q < 8; q++) {
    const double2 w = twiddles.outer(q * WARP + lane);
    multiply(x.re[q], x.im[q], w.x, w.y);
  }
  __syncwarp();
#pragma unroll
  for (int q = 0; q < 8; q++) exchange[exchange_place(q, lane)] = make_double2(x.re[q], x.im[q]);
  __syncwarp();
  const u32 q = lane >> 2, quarter = lane & 3;
#pragma unroll
  for (int r = 0; r < 8; r++) {
    const double2 v = exchange[exchange_place(q, quarter + 4 * r)];
    x.re[r] = v.x;
    x.im[r] = v.y;
  }
  transform_8<1>(x);
#pragma unroll
  for (int r = 1; r < 8; r++) {
    const double2 w = twiddles.inner(r * 4 + quarter);
    multiply(x.re[r], x.im[r], w.x, w.y);
  }
  transpose_quads(x.re, lane);
  transpose_quads(x.im, lane);
  transform_4<1>(x.re, x.im);
  transform_4<1>(x.re + 4, x.im + 4);
}

/// The inverse of `forward`, times M.
__device__ __forceinline__ void backward(Eight &x, const Twiddles &twiddles, double2 *exchange, u32 lane) {
  const u32 q = lane >> 2, quarter = lane & 3;
  transform_4<-1>(x.re, x.im);
  transform_4<-1>(x.re + 4, x.im + 4);
  transpose_quads(x.re, lane);
  transpose_quads(x.im, lane);
#pragma unroll
  for (int r = 1; r < 8; r++) {
    const double2 w = twiddles.inner(r * 4 + quarter);
    multiply(x.re[r], x.im[r], w.x, -w.y);
  }
  transform_8<-1>(x);
  __syncwarp();
#pragma unroll
  for (int r = 0; r < 8; r++) exchange[exchange_place(q, quarter + 4 * r)] = make_double2(x.re[r], x.im[r]);
  __syncwarp();
#pragma unroll
  for (int r = 0; r < 8; r++) {
    const double2 v = exchange[exchange_place(r, lane)];
    x.re[r] = v.x;
    x.im[r] = v.y;
  }
#pragma unroll
  for (int r = 0; r < 8; r++) {
    const double2 w = twiddles.outer(r * WARP + lane);
    multiply(x.re[r], x.im[r], w.x, -w.y);
  }
  transform_8<-1>(x);
  twist<-1>(x);
}

/// Computes the roots of unity, by all threads of the block. They have to meet before they use them.
__device__ __forceinline__ void fill(Twiddles &twiddles) {
#pragma unroll 1
  for (u32 i = threadIdx.x; i < M + 32; i += blockDim.x) {
    const u32 q = i / WARP, lane = i % WARP;
    double sin, cos;
    sincospi(i < M ? lane * (4 * q + 1) / 512.0 : (lane & 3) * (lane >> 2) / 16.0, &sin, &cos);
    twiddles.roots[i] = make_double2(cos, sin);
  }
}
