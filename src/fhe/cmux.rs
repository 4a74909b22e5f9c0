//! Selecting with encrypted bits: CMUX trees over tables.

use super::GlweShape;
use super::ggsw::GgswLayout;
use super::lwe::Lwe;
use super::pbs::extract_constant;
use super::random::Random;
use crate::error::Result;
use rayon::prelude::*;
use tfhe::core_crypto::fft_impl::fft64::crypto::bootstrap::{
    FourierLweBootstrapKeyOwned, fill_with_forward_fourier_scratch,
};
use tfhe::core_crypto::fft_impl::fft64::crypto::ggsw::{FourierGgswCiphertextView, cmux, cmux_scratch};
use tfhe::core_crypto::prelude::{
    CiphertextModulus, ComputationBuffers, DecompositionBaseLog, DecompositionLevelCount, Fft, GgswCiphertext,
    GlweCiphertext, GlweSize, LweDimension, PolynomialSize,
};

/// Encrypted bits in the Fourier domain.
pub struct Bits {
    layout: GgswLayout,
    fourier: FourierLweBootstrapKeyOwned,
}

impl Bits {
    /// Reads the wire form, on all threads of the current pool.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the layout.
    pub fn unpack(layout: &GgswLayout, bytes: &[u8]) -> Result<Self> {
        let order: Vec<usize> = (0..layout.count).collect();
        Ok(Self { layout: *layout, fourier: unpack(layout, bytes, &order)? })
    }

    /// The entry of `table` that the bits spell (bit 0 the lowest), as an LWE ciphertext.
    ///
    /// The upper bits choose among polynomials of `N` entries in a tree of CMUXes, the lower ones rotate the chosen
    /// one (TFHE, section 5.1, vertical packing). Noise: a [`GgswLayout::cmux_variance`] a bit. Cost: a CMUX a
    /// polynomial but one, and one a lower bit.
    ///
    /// # Panics
    /// Unless the table has `2^count` entries.
    pub fn look_up(&self, table: &[u64]) -> Lwe {
        assert_eq!(table.len(), 1 << self.layout.count);
        let GlweShape { dimension, size } = self.layout.shape;
        let ggsws: Vec<_> = self.fourier.as_view().into_ggsw_iter().collect();
        let low = self.layout.count.min(size.ilog2() as usize);
        let fft = Fft::new(PolynomialSize(size));
        let selector = Selector { shape: self.layout.shape, fft: &fft, table, low };
        let mut chosen = selector.select(&ggsws[low..], 0);
        let mut buffers = selector.buffers();
        for (bit, ggsw) in ggsws[..low].iter().enumerate() {
            let mut rotated = Vec::with_capacity(chosen.len());
            for polynomial in chosen.chunks(size) {
                rotated.extend_from_slice(&polynomial[1 << bit..]);
                rotated.extend(polynomial[..1 << bit].iter().map(|word| word.wrapping_neg()));
            }
            selector.cmux(&mut chosen, &mut rotated, *ggsw, &mut buffers);
        }
        let mut lwe = Lwe::zero(dimension * size);
        for (polynomial, mask) in chosen.chunks(size).zip(lwe.mask.chunks_mut(size)) {
            extract_constant(polynomial, mask, |word| word);
        }
        lwe.body = chosen[dimension * size];
        lwe
    }
}

/// The tree over one table.
struct Selector<'a> {
    shape: GlweShape,
    fft: &'a Fft,
    table: &'a [u64],
    /// log2 of the entries a polynomial.
    low: usize,
}

impl Selector<'_> {
    /// The GLWE ciphertext that the bits choose among the `2^bits` polynomials from `first` on.
    fn select(&self, bits: &[FourierGgswCiphertextView<'_>], first: usize) -> Vec<u64> {
        let GlweShape { dimension, size } = self.shape;
        let Some((bit, lower)) = bits.split_last() else {
            let mut trivial = vec![0; (dimension + 1) * size];
            let entries = 1 << self.low;
            trivial[dimension * size..][..entries].copy_from_slice(&self.table[first * entries..][..entries]);
            return trivial;
        };
        let half = 1 << lower.len();
        let (mut zero, mut one) = rayon::join(|| self.select(lower, first), || self.select(lower, first + half));
        self.cmux(&mut zero, &mut one, *bit, &mut self.buffers());
        zero
    }

    fn buffers(&self) -> ComputationBuffers {
        let mut buffers = ComputationBuffers::new();
        let size = PolynomialSize(self.shape.size);
        let requirement = cmux_scratch::<u64>(GlweSize(self.shape.dimension + 1), size, self.fft.as_view());
        buffers.resize(requirement.unaligned_bytes_required());
        buffers
    }

    /// `zero += bit * (one - zero)`.
    fn cmux(
        &self,
        zero: &mut [u64],
        one: &mut [u64],
        bit: FourierGgswCiphertextView<'_>,
        buffers: &mut ComputationBuffers,
    ) {
        let (size, native) = (PolynomialSize(self.shape.size), CiphertextModulus::new_native());
        let zero = GlweCiphertext::from_container(zero, size, native);
        let one = GlweCiphertext::from_container(one, size, native);
        cmux(zero, one, bit, self.fft.as_view(), buffers.stack());
    }
}

/// Reads GGSW ciphertexts, expands their masks and transforms them, the `i`-th of the result being the `order[i]`-th
/// on the wire.
pub(super) fn unpack(layout: &GgswLayout, bytes: &[u8], order: &[usize]) -> Result<FourierLweBootstrapKeyOwned> {
    let (seed, bodies) = layout.layout().parse(bytes)?;
    let GlweShape { dimension, size } = layout.shape;
    let base_log = DecompositionBaseLog(layout.base_log as usize);
    let levels = DecompositionLevelCount(layout.levels as usize);
    let glwe_size = GlweSize(dimension + 1);
    let polynomial_size = PolynomialSize(size);
    let mut fourier =
        FourierLweBootstrapKeyOwned::new(LweDimension(layout.count), glwe_size, polynomial_size, base_log, levels);
    let fft = Fft::new(polynomial_size);
    let fft = fft.as_view();
    let rows = levels.0 * glwe_size.0;
    let ggsws: Vec<_> = fourier.as_mut_view().into_ggsw_iter().collect();
    ggsws.into_par_iter().zip(order).for_each_init(
        || {
            let mut buffers = ComputationBuffers::new();
            buffers.resize(fill_with_forward_fourier_scratch(fft).unaligned_bytes_required());
            (buffers, vec![0u64; rows * glwe_size.0 * size], vec![0u64; rows * dimension * size])
        },
        |(buffers, ggsw, masks), (target, index)| {
            let bodies = &bodies[index * rows * size..][..rows * size];
            Random::at_word(seed, (index * masks.len()) as u64).fill_uniform(masks);
            let glwes = ggsw.chunks_mut(glwe_size.0 * size);
            for ((glwe, mask), body) in glwes.zip(masks.chunks(dimension * size)).zip(bodies.chunks(size)) {
                glwe[..dimension * size].copy_from_slice(mask);
                glwe[dimension * size..].copy_from_slice(body);
            }
            let native = CiphertextModulus::new_native();
            let standard =
                GgswCiphertext::from_container(ggsw.as_slice(), glwe_size, polynomial_size, base_log, native);
            target.fill_with_forward_fourier(standard, fft, buffers.stack());
        },
    );
    Ok(fourier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::OsEntropy;
    use crate::fhe::{GlweSecret, ggsw};

    #[test]
    fn bits_choose_their_entry_with_no_more_noise_than_predicted() {
        let (mut squares, mut count) = (0.0, 0.0);
        // More bits than a polynomial has coefficients, and fewer.
        for (bits, shape) in [(12, GlweShape::new(1, 2048)), (11, GlweShape::new(3, 512)), (5, GlweShape::new(2, 1024))]
        {
            let layout = GgswLayout { count: bits, shape, base_log: 11, levels: 2, key_bits: 60 };
            let secret = GlweSecret::generate(shape, &mut OsEntropy);
            let mut random = Random::fresh(&mut OsEntropy);
            let table: Vec<u64> = (0..1u64 << bits).map(|_| random.word()).collect();
            for _ in 0..60 {
                let index = random.below(1 << bits) as usize;
                let spelled: Vec<u64> = (0..bits).map(|bit| (index >> bit & 1) as u64).collect();
                let wire = ggsw::encrypt(&layout, &spelled, &secret, &mut OsEntropy);
                let answer = Bits::unpack(&layout, &wire).unwrap().look_up(&table);
                let error = secret.phase(&answer).wrapping_sub(table[index]) as i64 as f64 / 2f64.powi(64);
                let sigma = (bits as f64 * layout.cmux_variance()).sqrt();
                assert!(error.abs() < 8.0 * sigma, "entry {index} of {shape:?}: off by {error}, sigma {sigma}");
                squares += (error / sigma).powi(2);
                count += 1.0;
            }
        }
        // The bound counts every bit as a one.
        let ratio: f64 = squares / count;
        assert!((0.2..1.0 + 4.0 * (2.0f64 / count).sqrt()).contains(&ratio), "measured/bound variance {ratio}");
    }
}
