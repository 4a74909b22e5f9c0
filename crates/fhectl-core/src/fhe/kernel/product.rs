//! The external product of a GGSW ciphertext with a factor, added to an accumulator.
//!
//! Two accumulators at a time share what they read of the ciphertext, where there are registers for their sums.

use super::aligned::Aligned;
use super::block::{Block, LANES, ROW, ZERO};
use super::complex::Complex;
use super::digits::Word;
use super::factor::{Decompose, Factor};
use super::passes::Buffers;
use super::transform;
use super::twiddles::Twiddles;
use super::unit::{Task, vectorize};
use super::vector::Vector;
use crate::fhe::GlweShape;
use crate::fhe::ggsw::GgswLayout;
use crate::fhe::noise::Gadget;

/// Outputs whose sums stay in registers together.
const OUTPUTS: usize = 5;

/// What products of one shape have in common on one vector unit.
pub struct Multiplier {
    pub shape: GlweShape,
    pub gadget: Gadget,
    pub twiddles: Twiddles,
}

/// What products work in. Each thread needs its own.
pub struct Workspace {
    /// Digits of one polynomial, level by level.
    digits: Aligned<i32>,
    buffers: Buffers,
    /// For each row, for each accumulator of a pair, a spectrum; then, for each output, one of a sum.
    spectra: Vec<Block>,
    /// A block of each sum.
    sums: Vec<Block>,
}

impl Multiplier {
    /// For ciphertexts of this layout, and vectors of `lanes` numbers.
    pub fn new(layout: &GgswLayout, lanes: usize) -> Self {
        let twiddles = Twiddles::new(layout.shape.size / 2 / ROW, lanes);
        Self { shape: layout.shape, gadget: layout.gadget(), twiddles }
    }

    /// Blocks of a spectrum.
    pub fn blocks(&self) -> usize {
        self.shape.size / 2 / LANES
    }

    /// Polynomials of a GLWE ciphertext.
    pub fn polynomials(&self) -> usize {
        self.shape.dimension + 1
    }

    /// Rows of a GGSW ciphertext.
    pub fn rows(&self) -> usize {
        self.polynomials() * self.gadget.levels as usize
    }

    /// Blocks from one spectrum to the next. One more than there are: else the same block of all rows would compete for
    /// one set of a cache.
    fn stride(&self) -> usize {
        self.blocks() + 1
    }

    pub fn workspace(&self) -> Workspace {
        Workspace {
            digits: Aligned::new(self.gadget.levels as usize * self.shape.size),
            buffers: Buffers::new(self.shape.size),
            spectra: vec![ZERO; 2 * self.rows() * self.stride()],
            sums: vec![ZERO; 2 * self.polynomials()],
        }
    }

    /// Accumulators whose products are computed together.
    pub const fn together<S: Vector>() -> usize {
        if S::REGISTER_COUNT >= 32 { 2 } else { 1 }
    }

    /// Adds to each of up to [`Multiplier::together`] accumulators the product of its factor with a ciphertext. Meanwhile
    /// asks for the blocks `ahead`, which the next product will read.
    ///
    /// `key` holds for each block of frequencies, row and output a block, so scaled that sums are in units of 2^-32.
    pub fn add_products<S: Vector, W: Word, F: Factor<W>>(
        &self,
        s: S,
        key: &[Block],
        ahead: &[Block],
        factors: &[F],
        accumulators: &mut [W],
        workspace: &mut Workspace,
    ) {
        let GlweShape { size, .. } = self.shape;
        let (polynomials, stride, blocks) = (self.polynomials(), self.stride(), self.blocks());
        let own = F::BORDER + size;
        let Workspace { digits, buffers, spectra, sums } = workspace;
        let transforms = factors.len() * (self.rows() + polynomials);
        let mut ahead = ahead.chunks(ahead.len().div_ceil(transforms).max(1));
        for (of_pair, (factor, accumulator)) in factors.iter().zip(accumulators.chunks(polynomials * own)).enumerate() {
            for (polynomial, own) in accumulator.chunks(own).enumerate() {
                let spectrum = |level: usize| (2 * (level * polynomials + polynomial) + of_pair) * stride;
                if factor.is_zero(polynomial, size) {
                    (0..self.gadget.levels as usize).for_each(|level| spectra[spectrum(level)..][..blocks].fill(ZERO));
                    continue;
                }
                vectorize(s, Decompose { factor: *factor, own, polynomial, gadget: self.gadget, digits });
                for (level, digits) in digits.chunks(size).enumerate() {
                    let spectrum = &mut spectra[spectrum(level)..][..blocks];
                    let ahead = ahead.next().unwrap_or_default();
                    transform::forward(s, &self.twiddles, digits, ahead, buffers, spectrum);
                }
            }
        }
        let (rows, multiply) = (self.rows(), Multiply { key, spectra, sums, rows: self.rows(), polynomials, stride });
        debug_assert_eq!(key.len(), blocks * rows * polynomials);
        if factors.len() == 2 {
            vectorize(s, Of::<2>(multiply));
        } else {
            vectorize(s, Of::<1>(multiply));
        }
        for (of_pair, accumulator) in accumulators.chunks_mut(polynomials * own).enumerate() {
            for (polynomial, own) in accumulator.chunks_mut(own).enumerate() {
                let sum = &spectra[(2 * polynomial + of_pair) * stride..][..blocks];
                let ahead = ahead.next().unwrap_or_default();
                transform::add_back(s, &self.twiddles, sum, ahead, buffers, &mut own[F::BORDER..]);
                F::border(own);
            }
        }
    }
}

/// Sums over rows of spectra times the key's, for each output and each accumulator. Sums take the place of the first rows.
struct Multiply<'a> {
    key: &'a [Block],
    spectra: &'a mut [Block],
    sums: &'a mut [Block],
    rows: usize,
    polynomials: usize,
    stride: usize,
}

/// [`Multiply`] for `C` accumulators.
struct Of<'a, const C: usize>(Multiply<'a>);

impl<const C: usize> Task for Of<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Vector>(self, s: S) {
        match self.0.polynomials {
            2 => self.0.all::<S, C, 2>(s),
            3 => self.0.all::<S, C, 3>(s),
            4 => self.0.all::<S, C, 4>(s),
            5 => self.0.all::<S, C, 5>(s),
            _ => self.0.in_turn::<S, C>(s),
        }
    }
}

impl Multiply<'_> {
    /// All `P` outputs at once.
    #[inline(always)]
    fn all<S: Vector, const C: usize, const P: usize>(self, s: S) {
        let Self { key, spectra, rows, stride, .. } = self;
        for (index, key) in key.chunks_exact(rows * P).enumerate() {
            for part in 0..LANES / S::F64_LANES {
                let mut sums = [[Complex { re: s.splat_f64s(0.0), im: s.splat_f64s(0.0) }; P]; C];
                for (row, key) in key.as_chunks::<P>().0.iter().enumerate() {
                    multiply_row(s, &spectra[2 * row * stride + index..], stride, part, key, &mut sums);
                }
                for output in 0..P {
                    for c in 0..C {
                        spectra[(2 * output + c) * stride + index].set::<S>(part, sums[c][output]);
                    }
                }
            }
        }
    }

    /// Some outputs at a time, of many.
    #[inline(always)]
    fn in_turn<S: Vector, const C: usize>(self, s: S) {
        let Self { key, spectra, sums, rows, polynomials, stride } = self;
        let width = polynomials.div_ceil(polynomials.div_ceil(OUTPUTS));
        for (index, key) in key.chunks_exact(rows * polynomials).enumerate() {
            for part in 0..LANES / S::F64_LANES {
                for first in (0..polynomials).step_by(width) {
                    let key = &key[first..];
                    let sums = &mut sums[2 * first..];
                    macro_rules! outputs {
                        ($outputs:literal) => {
                            some::<S, C, $outputs>(s, &spectra[index..], stride, part, key, polynomials, sums)
                        };
                    }
                    match width.min(polynomials - first) {
                        1 => outputs!(1),
                        2 => outputs!(2),
                        3 => outputs!(3),
                        4 => outputs!(4),
                        _ => outputs!(5),
                    }
                }
            }
            for (sums, spectra) in sums.chunks(2).zip(spectra.chunks_mut(2 * stride)) {
                for c in 0..C {
                    spectra[c * stride + index] = sums[c];
                }
            }
        }
    }
}

/// The sums of `P` outputs, those of `key` and after it.
#[inline(always)]
fn some<S: Vector, const C: usize, const P: usize>(
    s: S,
    spectra: &[Block],
    stride: usize,
    part: usize,
    key: &[Block],
    polynomials: usize,
    out: &mut [Block],
) {
    let mut sums = [[Complex { re: s.splat_f64s(0.0), im: s.splat_f64s(0.0) }; P]; C];
    for (row, key) in key.chunks(polynomials).enumerate() {
        if let Some(key) = key.first_chunk() {
            multiply_row(s, &spectra[2 * row * stride..], stride, part, key, &mut sums);
        }
    }
    for output in 0..P {
        for c in 0..C {
            out[2 * output + c].set::<S>(part, sums[c][output]);
        }
    }
}

/// Adds a row's products to sums: a part of a block, for each accumulator and output.
#[inline(always)]
fn multiply_row<S: Vector, const C: usize, const P: usize>(
    s: S,
    spectra: &[Block],
    stride: usize,
    part: usize,
    key: &[Block; P],
    sums: &mut [[Complex<S::f64s>; P]; C],
) {
    let mut values = [sums[0][0]; C];
    for c in 0..C {
        values[c] = spectra[c * stride].get::<S>(part);
    }
    for output in 0..P {
        let w = key[output].get::<S>(part);
        for c in 0..C {
            let (sum, value) = (&mut sums[c][output], values[c]);
            sum.re = s.fma(value.re, w.re, sum.re);
            sum.im = s.fma(value.re, w.im, sum.im);
            sum.re = s.fnma(value.im, w.im, sum.re);
            sum.im = s.fma(value.im, w.re, sum.im);
        }
    }
}
