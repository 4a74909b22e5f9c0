//! Secret keys. Only clients hold them.

use super::lwe::Lwe;
use super::ntt::{BinaryPoly, Ntt};
use super::partial_glwe::PartialGlwe;
use super::phase::Phase;
use super::random::{Entropy, Random};
use super::vectorized::{Loop, vectorized};
use super::{GlweShape, wire};
use crate::error::{Error, ErrorCode, Result};
use zeroize::{Zeroize, Zeroizing};

/// A binary GLWE secret key, `k * N` bits. It is wiped when dropped and has no `Debug` and no `Clone`.
///
/// ```
/// # #[cfg(feature = "os")] {
/// use fhectl_core::fhe::random::OsEntropy;
/// use fhectl_core::fhe::{GlweSecret, GlweShape};
/// let key = GlweSecret::generate(GlweShape::new(1, 2048), &mut OsEntropy);
/// let mut file = Vec::new();
/// key.write(&mut file);
/// assert_eq!(file.len(), 2048 / 8);
/// assert_eq!(GlweSecret::read(key.shape(), &file)?.shape(), key.shape());
/// # }
/// # Ok::<(), fhectl_core::error::Error>(())
/// ```
///
/// Other crates cannot decrypt to phases: a ciphertext and its phase together are a linear equation in the bits of the key.
/// Only [`crate::circuit::decode`] decrypts, and it returns rounded scores.
///
/// ```compile_fail
/// fn phase(key: &fhectl_core::fhe::GlweSecret, answer: &fhectl_core::fhe::Lwe) -> usize { key.phase(answer); key.shape().size }
/// ```
pub struct GlweSecret {
    shape: GlweShape,
    /// One bit per word, polynomial after polynomial.
    bits: Vec<u64>,
    transformed: Vec<BinaryPoly>,
}

impl Drop for GlweSecret {
    fn drop(&mut self) {
        self.bits.zeroize();
        self.transformed.zeroize();
    }
}

impl GlweSecret {
    /// Draws a uniform binary key of at most [`super::noise::hamming_weight_bound`] ones.
    pub fn generate(shape: GlweShape, entropy: &mut dyn Entropy) -> Self {
        let mut bits = vec![0; shape.lwe_dimension()];
        Random::fresh(entropy).fill_light_binary(&mut bits);
        Self::from_bits(shape, bits)
    }

    fn from_bits(shape: GlweShape, bits: Vec<u64>) -> Self {
        let ntt = Ntt::of_size(shape.size);
        let transformed = bits.chunks(shape.size).map(|poly| ntt.binary(poly)).collect();
        Self { shape, bits, transformed }
    }

    /// The shape of the key.
    pub fn shape(&self) -> GlweShape {
        self.shape
    }

    /// The flattened key, one bit per word.
    pub(super) fn bits(&self) -> &[u64] {
        &self.bits
    }

    /// `sum_j mask_j * s_j`, added to `out` (`size` words). `masks` holds `dimension` polynomials.
    pub(super) fn add_mask_product(&self, masks: &[u64], out: &mut [u64]) {
        let ntt = Ntt::of_size(self.shape.size);
        let (mut sum, mut wide) = (ntt.zero(), ntt.zero());
        for (mask, key) in masks.chunks(self.shape.size).zip(&self.transformed) {
            ntt.wide_into(mask, &mut wide);
            ntt.mul_add(&mut sum, &wide, key);
        }
        ntt.add_to(&mut sum, out);
        sum.zeroize();
    }

    /// `body - <mask, key>`: the message plus noise. The mask has as many words as the flattened key.
    pub(crate) fn phase(&self, lwe: &Lwe) -> Phase {
        debug_assert_eq!(lwe.mask.len(), self.bits.len());
        let product = vectorized(InnerProduct { left: &lwe.mask, right: &self.bits });
        Phase::new(lwe.body.wrapping_sub(product))
    }

    /// The phases of the coefficients that a partial ciphertext holds.
    pub(crate) fn phases(&self, glwe: &PartialGlwe) -> Vec<Phase> {
        debug_assert_eq!(glwe.mask.len(), self.bits.len());
        let mut product = vec![0; self.shape.size];
        self.add_mask_product(&glwe.mask, &mut product);
        let phases =
            glwe.bodies.iter().zip(&product).map(|(body, product)| Phase::new(body.wrapping_sub(*product))).collect();
        // These are products of mask and key without noise, which would give the key away.
        product.zeroize();
        phases
    }

    /// The number of bytes that [`GlweSecret::write`] appends.
    pub const fn stored_len(shape: GlweShape) -> usize {
        wire::packed_len(shape.lwe_dimension(), 1)
    }

    /// Appends the key's bits. For the client's key file only.
    pub fn write(&self, out: &mut Vec<u8>) {
        let top = Zeroizing::new(self.bits.iter().map(|bit| bit << 63).collect::<Vec<u64>>());
        wire::pack(&top, 1, out);
    }

    /// Reads what [`GlweSecret::write`] wrote.
    ///
    /// # Errors
    /// `key_file_invalid` where the length is wrong. The message quotes no content.
    pub fn read(shape: GlweShape, bytes: &[u8]) -> Result<Self> {
        let mut bits = wire::unpack(bytes, shape.lwe_dimension(), 1)
            .ok_or_else(|| Error::new(ErrorCode::KeyFileInvalid, "the secret key has the wrong length"))?;
        bits.iter_mut().for_each(|bit| *bit >>= 63);
        Ok(Self::from_bits(shape, bits))
    }
}

/// The sum of the products of words at the same places.
struct InnerProduct<'a> {
    left: &'a [u64],
    right: &'a [u64],
}

impl Loop for InnerProduct<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        self.left.iter().zip(self.right).fold(0, |sum, (l, r)| sum.wrapping_add(l.wrapping_mul(*r)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::Seed;

    pub(crate) struct Fixed(pub u8);
    impl Entropy for Fixed {
        fn seed(&mut self) -> Seed {
            self.0 += 1;
            Seed([self.0; 16])
        }
    }

    #[test]
    fn a_key_survives_its_file() {
        let shape = GlweShape::new(3, 512);
        let key = GlweSecret::generate(shape, &mut Fixed(0));
        let mut bytes = Vec::new();
        key.write(&mut bytes);
        assert_eq!(bytes.len(), GlweSecret::stored_len(shape));
        let again = GlweSecret::read(shape, &bytes).unwrap();
        assert!(key.bits == again.bits);
        assert!(key.bits.iter().filter(|b| **b == 1).count().abs_diff(768) < 160);
        assert!(GlweSecret::read(shape, &bytes[1..]).is_err());
    }
}
