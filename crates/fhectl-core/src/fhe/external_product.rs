//! External products in batches, the building block of CMUX trees and blind rotations.
//!
//! A GGSW ciphertext takes some hundred kilobytes in the Fourier domain, an accumulator a tenth of that. So several
//! accumulators share a pass over a GGSW ciphertext: it is read once for all of them, and the sums of a block of frequencies
//! stay in vector registers. The transforms are tfhe's. Between them, real and imaginary parts are stored separately, in
//! blocks as long as the longest vector registers.

use super::ggsw::GgswLayout;
use super::random::Random;
use super::{GlweShape, wire};
use crate::error::Result;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use tfhe::core_crypto::fft_impl::fft64::c64;
use tfhe::core_crypto::fft_impl::fft64::math::polynomial::FourierPolynomialOwned;
use tfhe::core_crypto::prelude::{ComputationBuffers, Fft, Polynomial, PolynomialSize};

/// Frequencies per block.
const LANES: usize = 8;
/// The most accumulators that share a pass over a GGSW ciphertext.
pub const MAX_ACCUMULATORS: usize = 8;

/// A block of frequencies, aligned to a cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct FrequencyBlock {
    re: [f64; LANES],
    im: [f64; LANES],
}

const ZERO: FrequencyBlock = FrequencyBlock { re: [0.0; LANES], im: [0.0; LANES] };

impl FrequencyBlock {
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
    /// Indexed by ciphertext, output polynomial, block of frequencies, row.
    blocks: Vec<FrequencyBlock>,
}

impl FourierGgsws {
    /// Reads the wire form, expands the masks and transforms, on all threads of the current rayon pool. Ciphertext `i` of the
    /// result is number `order[i]` on the wire. Those that `order` leaves out are not unpacked.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the layout.
    pub fn unpack(layout: &GgswLayout, bytes: &[u8], order: &[usize]) -> Result<Self> {
        Self::unpack_into(ScratchBuffer::default(), layout, bytes, order)
    }

    /// As [`FourierGgsws::unpack`], into a buffer that was used before. The ciphertexts take tens of megabytes: getting
    /// fresh pages from the operating system costs as much as the computation in them.
    ///
    /// # Errors
    /// As [`FourierGgsws::unpack`].
    pub fn unpack_into(buffer: ScratchBuffer, layout: &GgswLayout, bytes: &[u8], order: &[usize]) -> Result<Self> {
        let (seed, packed) = layout.layout().split(bytes)?;
        let GlweShape { dimension, size } = layout.shape;
        let rows = layout.rows();
        // The polynomial size is a multiple of eight, so that the words of each ciphertext fill whole bytes.
        let each = wire::packed_len(rows * size, layout.key_bits);
        let fft = Fft::new(PolynomialSize(size));
        let of_output = rows * size / 2 / LANES;
        let mut blocks = buffer.0;
        // Old contents do not matter: every block is written below.
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

    /// The parameters of the list. Its `count` includes ciphertexts that were not unpacked.
    pub fn layout(&self) -> &GgswLayout {
        &self.layout
    }

    /// Gives the buffer back for reuse.
    pub fn into_buffer(self) -> ScratchBuffer {
        ScratchBuffer(self.blocks)
    }

    /// Buffers for products. Each thread needs its own.
    pub fn workspace(&self) -> Workspace {
        let size = self.layout.shape.size;
        Workspace {
            transforms: Transforms::new(&self.fft, size),
            digits: vec![0; self.layout.levels as usize * size],
            rows: vec![ZERO; MAX_ACCUMULATORS * self.layout.rows() * size / 2 / LANES],
            sums: vec![ZERO; MAX_ACCUMULATORS * size / 2 / LANES],
        }
    }

    /// Adds to each of up to [`MAX_ACCUMULATORS`] accumulators the external product of its factor with ciphertext `index`: an
    /// encryption of the factor where the encrypted bit is one, of zero where it is zero.
    ///
    /// Accumulators and factors are GLWE ciphertexts of `k + 1` polynomials, one after the other. The factor is decomposed
    /// into balanced digits, which are multiplied with the rows (TFHE, definition 3.12). Noise, where the factor is the
    /// difference of the inputs of a CMUX: [`GgswLayout::cmux_variance`].
    pub fn add_products(&self, index: usize, factors: &[u64], accumulators: &mut [u64], workspace: &mut Workspace) {
        let GlweShape { dimension, size } = self.layout.shape;
        let (rows, glwe) = (self.layout.rows(), (dimension + 1) * size);
        let (half, of_output) = (size / 2 / LANES, rows * size / 2 / LANES);
        let Workspace { transforms, digits, rows: spectra, sums } = workspace;
        for (factor, spectra) in factors.chunks(glwe).zip(spectra.chunks_mut(of_output)) {
            for (polynomial, words) in factor.chunks(size).enumerate() {
                let row = |level: usize| level * (dimension + 1) + polynomial;
                // So are the masks of trivial ciphertexts, as at the leaves of a CMUX tree.
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

/// The allocation of [`FourierGgsws`] that are no longer needed, for [`FourierGgsws::unpack_into`].
#[derive(Default)]
pub struct ScratchBuffer(Vec<FrequencyBlock>);

/// Buffers of [`FourierGgsws::add_products`].
pub struct Workspace {
    transforms: Transforms,
    digits: Vec<u64>,
    /// Spectra of digits, indexed by accumulator, block of frequencies, row.
    rows: Vec<FrequencyBlock>,
    sums: Vec<FrequencyBlock>,
}

/// Writes zeros into a row of every block.
fn clear(row: usize, rows: usize, target: &mut [FrequencyBlock]) {
    target.chunks_mut(rows).for_each(|target| target[row] = ZERO);
}

/// The buffers of a Fourier transform, with the spectrum of one polynomial.
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

    /// Writes the spectrum into a row of every block.
    fn write(&self, row: usize, rows: usize, target: &mut [FrequencyBlock]) {
        for (target, values) in target.chunks_mut(rows).zip(self.spectrum.data.as_chunks::<LANES>().0) {
            target[row] = FrequencyBlock::of(values);
        }
    }

    /// Adds the inverse transform of `sums` to `words`.
    fn add_back(&mut self, fft: &Fft, sums: &[FrequencyBlock], words: &mut [u64]) {
        for (values, sum) in self.spectrum.data.as_chunks_mut::<LANES>().0.iter_mut().zip(sums) {
            *values = sum.values();
        }
        let polynomial = Polynomial::from_container(words);
        fft.as_view().add_backward_in_place_as_torus(polynomial, self.spectrum.as_mut_view(), self.buffers.stack());
    }
}

/// Multiplies for `C` accumulators, with the longest vector instructions of this machine. Returns `C`.
fn multiply<const C: usize>(
    key: &[FrequencyBlock],
    rows: usize,
    spectra: &[FrequencyBlock],
    sums: &mut [FrequencyBlock],
) -> usize {
    Arch::new().dispatch(Multiply::<C> { key, rows, spectra, sums });
    C
}

/// For each of `C` accumulators: the sum over rows of digit spectrum times key spectrum, for one output polynomial.
struct Multiply<'a, const C: usize> {
    key: &'a [FrequencyBlock],
    rows: usize,
    spectra: &'a [FrequencyBlock],
    sums: &'a mut [FrequencyBlock],
}

impl<const C: usize> WithSimd for Multiply<'_, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (of_ciphertext, blocks) = (self.key.len(), self.key.len() / self.rows);
        for (index, key) in self.key.chunks_exact(self.rows).enumerate() {
            let spectra: [&[FrequencyBlock]; C] =
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

/// Gadget decomposition of each word, rounded to `levels * base_log` bits: `levels` polynomials of balanced digits, the level
/// of the smallest factor first, as in the wire form of a GGSW ciphertext. Digits lie in `[-B/2, B/2]`, in two's complement.
///
/// The digits of a uniform word have mean zero: `-B/2` and `B/2` are the same up to a carry, and each is used for half of
/// the words. If the mean were `-1/2`, the noise would have a mean that depends on the computation (the noise of the key,
/// rotated), and averaging many answers would disclose it.
fn decompose(words: &[u64], base_log: u32, digits: &mut [u64]) {
    let size = words.len();
    let levels = (digits.len() / size) as u32;
    let unused = 64 - base_log * levels;
    // Rounding does not wrap around: a word next to half a turn keeps its sign.
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
            // A digit above B/2 carries. B/2 itself carries where the next digit is in its own upper half.
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
            // Negated words are equally likely and have negated digits. Odd words are never half-way between two roundings.
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
