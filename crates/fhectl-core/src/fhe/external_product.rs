//! External products in batches: what CMUX trees and blind rotations are made of.
//!
//! A GGSW ciphertext is some hundred kilobytes in the Fourier domain, an accumulator a tenth of it. So several
//! accumulators take part in one pass over a GGSW: it is read once for all of them, and the sums of a block of
//! frequencies stay in vector registers. Transforms are tfhe's; between them real and imaginary parts stand apart, in
//! blocks of the longest vectors there are.

use super::ggsw::GgswLayout;
use super::random::Random;
use super::{GlweShape, wire};
use crate::error::Result;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use tfhe::core_crypto::fft_impl::fft64::c64;
use tfhe::core_crypto::fft_impl::fft64::math::polynomial::FourierPolynomialOwned;
use tfhe::core_crypto::prelude::{ComputationBuffers, Fft, Polynomial, PolynomialSize};

/// Frequencies a block.
const LANES: usize = 8;
/// Accumulators that share a pass over a GGSW ciphertext.
pub const TOGETHER: usize = 8;

/// A block of frequencies, aligned to a cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Block {
    re: [f64; LANES],
    im: [f64; LANES],
}

const ZERO: Block = Block { re: [0.0; LANES], im: [0.0; LANES] };

impl Block {
    #[inline(always)]
    fn of(values: &[c64; LANES]) -> Self {
        Self { re: values.map(|value| value.re), im: values.map(|value| value.im) }
    }

    #[inline(always)]
    fn values(&self) -> [c64; LANES] {
        std::array::from_fn(|lane| c64 { re: self.re[lane], im: self.im[lane] })
    }
}

/// GGSW ciphertexts in the Fourier domain.
pub struct FourierGgsws {
    layout: GgswLayout,
    fft: Fft,
    /// For each ciphertext, output polynomial and block of frequencies: the block of every row.
    blocks: Vec<Block>,
}

impl FourierGgsws {
    /// Reads the wire form, expands the masks and transforms, on all threads of the current pool. Ciphertext `i` of the
    /// result is the `order[i]`-th on the wire; what `order` leaves out is not unpacked.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the layout.
    pub fn unpack(layout: &GgswLayout, bytes: &[u8], order: &[usize]) -> Result<Self> {
        Self::unpack_into(Memory::default(), layout, bytes, order)
    }

    /// As [`FourierGgsws::unpack`], into memory that was used before: tens of megabytes, new from the operating system,
    /// cost as much as what is computed in them.
    ///
    /// # Errors
    /// As [`FourierGgsws::unpack`].
    pub fn unpack_into(memory: Memory, layout: &GgswLayout, bytes: &[u8], order: &[usize]) -> Result<Self> {
        let (seed, packed) = layout.layout().split(bytes)?;
        let GlweShape { dimension, size } = layout.shape;
        let rows = layout.rows();
        // Each ciphertext's words are whole bytes: sizes are multiples of eight.
        let each = wire::packed_len(rows * size, layout.key_bits);
        let fft = Fft::new(PolynomialSize(size));
        let of_output = rows * size / 2 / LANES;
        let mut blocks = memory.0;
        // Every block is written below.
        blocks.resize(order.len() * (dimension + 1) * of_output, ZERO);
        blocks.par_chunks_mut((dimension + 1) * of_output).zip(order).for_each_init(
            || (Transforms::new(&fft, size), vec![0u64; dimension * size]),
            |(transforms, masks), (target, index)| {
                let packed = &packed[index * each..][..each];
                let bodies = wire::unpack(packed, rows * size, layout.key_bits).unwrap_or_default();
                let mut stream = Random::at_word(&seed, (index * rows * dimension * size) as u64);
                for (row, body) in bodies.chunks(size).enumerate() {
                    stream.fill_uniform(masks);
                    let polynomials = masks.chunks(size).chain([body]);
                    for (polynomial, target) in polynomials.zip(target.chunks_mut(of_output)) {
                        transforms.torus(&fft, polynomial);
                        transforms.write(row, rows, target);
                    }
                }
            },
        );
        Ok(Self { layout: *layout, fft, blocks })
    }

    pub fn layout(&self) -> &GgswLayout {
        &self.layout
    }

    /// The memory, for others.
    pub fn into_memory(self) -> Memory {
        Memory(self.blocks)
    }

    /// Memory for products; one a thread.
    pub fn workspace(&self) -> Workspace {
        let size = self.layout.shape.size;
        Workspace {
            transforms: Transforms::new(&self.fft, size),
            digits: vec![0; self.layout.levels as usize * size],
            rows: vec![ZERO; TOGETHER * self.layout.rows() * size / 2 / LANES],
            sums: vec![ZERO; TOGETHER * size / 2 / LANES],
        }
    }

    /// Adds to each of up to [`TOGETHER`] accumulators its factor's product with ciphertext `index`: the factor where
    /// the encrypted bit is one, an encryption of zero where it is not.
    ///
    /// Accumulators and factors are GLWE ciphertexts, `k + 1` polynomials, one after the other. Decomposition into
    /// balanced digits and products with the rows (TFHE, definition 3.12). Noise: with a CMUX's difference for the
    /// factor, [`GgswLayout::cmux_variance`].
    pub fn add_products(&self, index: usize, factors: &[u64], accumulators: &mut [u64], workspace: &mut Workspace) {
        let GlweShape { dimension, size } = self.layout.shape;
        let (rows, glwe) = (self.layout.rows(), (dimension + 1) * size);
        let (half, of_output) = (size / 2 / LANES, rows * size / 2 / LANES);
        let Workspace { transforms, digits, rows: spectra, sums } = workspace;
        for (factor, spectra) in factors.chunks(glwe).zip(spectra.chunks_mut(of_output)) {
            for (polynomial, words) in factor.chunks(size).enumerate() {
                let row = |level: usize| level * (dimension + 1) + polynomial;
                // The masks of trivial ciphertexts, as at the leaves of a tree of CMUXes.
                if words.iter().all(|word| *word == 0) {
                    (0..self.layout.levels as usize).for_each(|level| clear(row(level), rows, spectra));
                    continue;
                }
                decompose(words, self.layout.base_log, digits);
                for (level, digits) in digits.chunks(size).enumerate() {
                    transforms.integers(&self.fft, digits);
                    transforms.write(row(level), rows, spectra);
                }
            }
        }
        let ggsw = &self.blocks[index * (dimension + 1) * of_output..][..(dimension + 1) * of_output];
        let count = accumulators.len() / glwe;
        for (output, key) in ggsw.chunks(of_output).enumerate() {
            let mut done = 0;
            while done < count {
                let (spectra, sums) = (&spectra[done * of_output..], &mut sums[done * half..]);
                done += match count - done {
                    8.. => multiply::<8>(key, rows, spectra, sums),
                    4.. => multiply::<4>(key, rows, spectra, sums),
                    2.. => multiply::<2>(key, rows, spectra, sums),
                    _ => multiply::<1>(key, rows, spectra, sums),
                };
            }
            for (accumulator, sums) in accumulators.chunks_mut(glwe).zip(sums.chunks(half)) {
                transforms.add_back(&self.fft, sums, &mut accumulator[output * size..][..size]);
            }
        }
    }
}

/// Memory of [`FourierGgsws`] that are no longer needed.
#[derive(Default)]
pub struct Memory(Vec<Block>);

/// What [`FourierGgsws::add_products`] works in.
pub struct Workspace {
    transforms: Transforms,
    digits: Vec<u64>,
    /// For each ciphertext and block of frequencies the block of every row.
    rows: Vec<Block>,
    sums: Vec<Block>,
}

/// Puts zeros into a row of every block.
fn clear(row: usize, rows: usize, target: &mut [Block]) {
    target.chunks_mut(rows).for_each(|target| target[row] = ZERO);
}

/// One polynomial on its way through a transform.
struct Transforms {
    spectrum: FourierPolynomialOwned,
    buffers: ComputationBuffers,
}

impl Transforms {
    fn new(fft: &Fft, size: usize) -> Self {
        let mut buffers = ComputationBuffers::new();
        let (forward, backward) = (fft.as_view().forward_scratch(), fft.as_view().backward_scratch());
        buffers.resize(forward.or(backward).unaligned_bytes_required());
        Self { spectrum: FourierPolynomialOwned::new(PolynomialSize(size)), buffers }
    }

    fn torus(&mut self, fft: &Fft, words: &[u64]) {
        let polynomial = Polynomial::from_container(words);
        let _ = fft.as_view().forward_as_torus(self.spectrum.as_mut_view(), polynomial, self.buffers.stack());
    }

    fn integers(&mut self, fft: &Fft, words: &[u64]) {
        let polynomial = Polynomial::from_container(words);
        let _ = fft.as_view().forward_as_integer(self.spectrum.as_mut_view(), polynomial, self.buffers.stack());
    }

    /// Puts the spectrum into its row of every block.
    fn write(&self, row: usize, rows: usize, target: &mut [Block]) {
        for (target, values) in target.chunks_mut(rows).zip(self.spectrum.data.as_chunks::<LANES>().0) {
            target[row] = Block::of(values);
        }
    }

    /// Transforms sums back and adds them to `words`.
    fn add_back(&mut self, fft: &Fft, sums: &[Block], words: &mut [u64]) {
        for (values, sum) in self.spectrum.data.as_chunks_mut::<LANES>().0.iter_mut().zip(sums) {
            *values = sum.values();
        }
        let polynomial = Polynomial::from_container(words);
        fft.as_view().add_backward_in_place_as_torus(polynomial, self.spectrum.as_mut_view(), self.buffers.stack());
    }
}

/// Multiplies for `C` ciphertexts, with the longest vectors of this machine. Returns `C`.
fn multiply<const C: usize>(key: &[Block], rows: usize, spectra: &[Block], sums: &mut [Block]) -> usize {
    Arch::new().dispatch(Multiply::<C> { key, rows, spectra, sums });
    C
}

/// For each of `C` ciphertexts the sum over rows of its spectrum times the key's, for one output polynomial.
struct Multiply<'a, const C: usize> {
    key: &'a [Block],
    rows: usize,
    spectra: &'a [Block],
    sums: &'a mut [Block],
}

impl<const C: usize> WithSimd for Multiply<'_, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (of_ciphertext, blocks) = (self.key.len(), self.key.len() / self.rows);
        for (index, key) in self.key.chunks_exact(self.rows).enumerate() {
            let spectra: [&[Block]; C] =
                std::array::from_fn(|c| &self.spectra[c * of_ciphertext + index * self.rows..][..key.len()]);
            for vector in 0..LANES / S::F64_LANES {
                let part = |values: &[f64; LANES]| S::as_simd_f64s(values).0[vector];
                let mut re = [simd.splat_f64s(0.0); C];
                let mut im = [simd.splat_f64s(0.0); C];
                for (row, key) in key.iter().enumerate() {
                    let (x, y) = (part(&key.re), part(&key.im));
                    for c in 0..C {
                        let value = &spectra[c][row];
                        let (a, b) = (part(&value.re), part(&value.im));
                        re[c] = simd.mul_add_f64s(a, x, re[c]);
                        im[c] = simd.mul_add_f64s(a, y, im[c]);
                        re[c] = simd.negate_mul_add_f64s(b, y, re[c]);
                        im[c] = simd.mul_add_f64s(b, x, im[c]);
                    }
                }
                for c in 0..C {
                    let sum = &mut self.sums[c * blocks + index];
                    S::as_mut_simd_f64s(&mut sum.re).0[vector] = re[c];
                    S::as_mut_simd_f64s(&mut sum.im).0[vector] = im[c];
                }
            }
        }
    }
}

/// Balanced digits of every word rounded to `levels * base_log` bits: `levels` polynomials, the level of the smallest
/// factor first, as the rows of a GGSW stand on the wire. Digits lie in `[-B/2, B/2]`, in two's complement.
///
/// Of a uniform word every digit has mean zero: `-B/2` and `B/2` stand for the same up to a carry, and each is taken for
/// half of the words that have it. With a mean of `-1/2`, noise would have a mean that depends on what was computed:
/// the key's own noise in a rotated order, to be averaged out of many answers.
fn decompose(words: &[u64], base_log: u32, digits: &mut [u64]) {
    let size = words.len();
    let levels = (digits.len() / size) as u32;
    let unused = 64 - base_log * levels;
    // Rounded away from the middle without wrapping round: what is nearest to half a turn keeps its side.
    let rounded = |word: u64| ((word as i64 >> (unused - 1)) + 1) >> 1;
    let (lower, top) = digits.split_at_mut((levels as usize - 1) * size);
    if lower.is_empty() {
        for (digit, word) in top.iter_mut().zip(words) {
            *digit = rounded(*word) as u64;
        }
        return;
    }
    let (mask, half) = ((1i64 << base_log) - 1, 1i64 << (base_log - 1));
    for (index, word) in words.iter().enumerate() {
        let mut rest = rounded(*word);
        for digits in lower.chunks_mut(size) {
            let (low, above) = (rest & mask, rest >> base_log);
            // More than half carries; half itself where the next digit is in its own upper half.
            let carry = (((low - 1) | above) & low & half) >> (base_log - 1);
            digits[index] = (low - (carry << base_log)) as u64;
            rest = above + carry;
        }
        top[index] = rest as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_are_balanced_and_add_up(words in prop::collection::vec(any::<u64>(), 1..20), base_log in 2u32..24, levels in 1usize..3) {
            let mut digits = vec![0u64; words.len() * levels];
            decompose(&words, base_log, &mut digits);
            for (index, word) in words.iter().enumerate() {
                let sum = (0..levels).fold(0u64, |sum, level| {
                    let digit = digits[level * words.len() + index];
                    let half = 1 << (base_log - 1);
                    assert!((-half..=half).contains(&(digit as i64)));
                    sum.wrapping_add(digit << (64 - base_log * (levels - level) as u32))
                });
                let error = (word.wrapping_sub(sum) as i64).unsigned_abs();
                prop_assert!(error <= 1 << (63 - base_log * levels as u32), "{word}: off by {error}");
            }
        }

        #[test]
        fn digits_have_no_mean(words in prop::collection::vec(any::<u64>(), 1..20), base_log in 2u32..24, levels in 1usize..3) {
            // What is as likely, the negated words, has the negated digits. Odd words are never rounded from the middle.
            let words: Vec<u64> = words.iter().map(|word| word | 1).collect();
            let negated: Vec<u64> = words.iter().map(|word| word.wrapping_neg()).collect();
            let (mut digits, mut opposite) = (vec![0u64; words.len() * levels], vec![0u64; words.len() * levels]);
            decompose(&words, base_log, &mut digits);
            decompose(&negated, base_log, &mut opposite);
            opposite.iter_mut().for_each(|digit| *digit = digit.wrapping_neg());
            prop_assert_eq!(digits, opposite);
        }
    }
}
