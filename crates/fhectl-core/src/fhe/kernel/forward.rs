//! Polynomials to spectra: butterflies between parts, across rows, and within rows.

use super::block::{Block, OF_ROW, ROW, nth};
use super::butterfly::{Radix, Sixteen};
use super::complex::Complex;
use super::memory::fetch;
use super::passes::{Buffers, Sizes};
use super::twiddles::Twiddles;
use super::unit::Task;
use super::vector::Vector;

/// Coefficients to be transformed.
pub trait Input: Copy {
    /// A vector of coefficients, from `at` on.
    fn get<S: Vector>(self, s: S, at: usize) -> S::f64s;
}

impl Input for &[i32] {
    #[inline(always)]
    fn get<S: Vector>(self, s: S, at: usize) -> S::f64s {
        s.integers(&self[at..at + S::F64_LANES])
    }
}

impl Input for &[f64] {
    #[inline(always)]
    fn get<S: Vector>(self, _: S, at: usize) -> S::f64s {
        S::as_simd_f64s(&self[at..at + S::F64_LANES]).0[0]
    }
}

/// The complex number whose parts are half a polynomial apart.
#[inline(always)]
fn complex<S: Vector>(s: S, input: impl Input, at: usize, half: usize) -> Complex<S::f64s> {
    Complex { re: input.get(s, at), im: input.get(s, at + half) }
}

/// [`super::transform::forward`] of one size.
pub struct Forward<'a, I, T, R> {
    pub twiddles: &'a Twiddles,
    pub input: I,
    pub ahead: &'a [Block],
    pub buffers: &'a mut Buffers,
    pub spectrum: &'a mut [Block],
    pub _sizes: Sizes<T, R>,
}

impl<I: Input, T: Radix, R: Radix> Task for Forward<'_, I, T, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Vector>(self, s: S) {
        let Self { twiddles, input, ahead, buffers: Buffers { between, tile }, spectrum, _sizes: _ } = self;
        let (lanes, half) = (S::F64_LANES, Sizes::<T, R>::NUMBERS);
        let tile = &mut tile[..ROW];
        let mut ahead = Sizes::<T, R>::pieces::<S>(ahead);
        if T::POINTS > 1 {
            for vector in 0..Sizes::<T, R>::PART / lanes {
                let (block, part) = nth::<S>(vector);
                T::forward(
                    s,
                    &twiddles.top,
                    &mut between[..],
                    #[inline(always)]
                    |_, q| complex(s, input, q * Sizes::<T, R>::PART + vector * lanes, half),
                    #[inline(always)]
                    |between, q, x| between[q * Sizes::<T, R>::BLOCKS + block].set::<S>(part, x),
                );
            }
        }
        for (index, between) in between.chunks_exact_mut(Sizes::<T, R>::BLOCKS).enumerate() {
            let between = &mut between[..Sizes::<T, R>::BLOCKS];
            for vector in 0..ROW / lanes {
                let (block, part) = nth::<S>(vector);
                fetch(ahead.next().unwrap_or_default());
                R::forward(
                    s,
                    &twiddles.columns[index],
                    between,
                    #[inline(always)]
                    |between, q| {
                        if T::POINTS > 1 {
                            between[q * OF_ROW + block].get::<S>(part)
                        } else {
                            complex(s, input, q * ROW + vector * lanes, half)
                        }
                    },
                    #[inline(always)]
                    |between, q, x| between[q * OF_ROW + block].set::<S>(part, x),
                );
            }
            for group in 0..R::POINTS / lanes {
                fetch(ahead.next().unwrap_or_default());
                for vector in 0..ROW / lanes {
                    let (block, part) = nth::<S>(vector);
                    let row = |row: usize| &between[(group * lanes + row) * OF_ROW + block];
                    let tile = &mut tile[vector * lanes..][..lanes];
                    s.transpose(
                        #[inline(always)]
                        |q| row(q).get::<S>(part).re,
                        #[inline(always)]
                        |q, value| S::as_mut_simd_f64s(&mut tile[q].re).0[0] = value,
                    );
                    s.transpose(
                        #[inline(always)]
                        |q| row(q).get::<S>(part).im,
                        #[inline(always)]
                        |q, value| S::as_mut_simd_f64s(&mut tile[q].im).0[0] = value,
                    );
                }
                let group = index * R::POINTS / lanes + group;
                let spectrum = &mut spectrum[group * OF_ROW * lanes..][..OF_ROW * lanes];
                Sixteen::forward(
                    s,
                    &twiddles.of_rows(group),
                    &mut (&*tile, spectrum),
                    #[inline(always)]
                    |(tile, _), q| tile[q].get::<S>(0),
                    #[inline(always)]
                    |(_, spectrum), q, x| {
                        let (block, part) = nth::<S>(q);
                        spectrum[block].set::<S>(part, x);
                    },
                );
            }
        }
    }
}
