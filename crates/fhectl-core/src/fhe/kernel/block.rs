//! How complex numbers lie in memory.

use super::complex::Complex;
use super::vector::Vector;

/// Numbers of a block in memory. Shorter vectors are parts of one.
pub const LANES: usize = 8;

/// Numbers of a row.
pub const ROW: usize = 16;
/// Blocks of a row.
pub const OF_ROW: usize = ROW / LANES;

/// A block of complex numbers: real and imaginary parts each on a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct Block {
    pub re: [f64; LANES],
    pub im: [f64; LANES],
}

pub const ZERO: Block = Block { re: [0.0; LANES], im: [0.0; LANES] };

impl Block {
    /// The vector at place `part`.
    #[inline(always)]
    pub fn get<S: Vector>(&self, part: usize) -> Complex<S::f64s> {
        Complex { re: S::as_simd_f64s(&self.re).0[part], im: S::as_simd_f64s(&self.im).0[part] }
    }

    #[inline(always)]
    pub fn set<S: Vector>(&mut self, part: usize, value: Complex<S::f64s>) {
        S::as_mut_simd_f64s(&mut self.re).0[part] = value.re;
        S::as_mut_simd_f64s(&mut self.im).0[part] = value.im;
    }
}

/// The block and the part of it where vector `index` of some blocks is.
#[inline(always)]
pub fn nth<S: Vector>(index: usize) -> (usize, usize) {
    let parts = LANES / S::F64_LANES;
    (index / parts, index % parts)
}
