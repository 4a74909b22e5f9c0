//! Lists of seeded GLWE ciphertexts: inputs, public keys and evaluation keys all travel as one seed and the leading bits of
//! the bodies.

#[cfg(feature = "evaluate")]
use super::list::{LweList, narrow};
use super::lwe::Lwe;
use super::multiple::add_multiple;
use super::partial_glwe::PartialGlwe;
use super::random::{Random, Seed};
use super::{GlweShape, wire};
use crate::error::{Error, ErrorCode, Result};
use serde::{Deserialize, Serialize};

/// The wire form of a list of seeded GLWE ciphertexts: a 16-byte seed, then `bodies` torus words rounded to `bits` bits.
///
/// Ciphertext `i` of the list has the coefficients `i * N .. (i + 1) * N`. The last ciphertext may be partial. All masks are
/// expanded from the seed, in order.
///
/// ```
/// use fhectl_core::error::ErrorCode;
/// use fhectl_core::fhe::{GlweShape, SeededLayout};
/// let layout = SeededLayout { shape: GlweShape::new(1, 1024), bodies: 1500, bits: 20 };
/// assert_eq!(layout.ciphertexts(), 2);
/// assert_eq!(layout.wire_len(), 16 + 1500 * 20 / 8);
/// assert_eq!(layout.expand(&[0; 10]).unwrap_err().code, ErrorCode::CiphertextInvalid);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeededLayout {
    pub shape: GlweShape,
    /// Coefficients of all ciphertexts together.
    pub bodies: usize,
    /// Bits of each body, 1 to 64.
    #[serde(rename = "body_bits")]
    pub bits: u32,
}

impl SeededLayout {
    /// The exact length of the wire form in bytes.
    pub const fn wire_len(&self) -> usize {
        wire::packed_len(self.bodies, self.bits).saturating_add(16)
    }

    /// The number of GLWE ciphertexts.
    pub const fn ciphertexts(&self) -> usize {
        self.bodies.div_ceil(self.shape.size)
    }

    /// Splits the wire form into the seed and the bodies, as torus words.
    ///
    /// # Errors
    /// `ciphertext_invalid` for any other length or set padding bits.
    pub fn parse(&self, bytes: &[u8]) -> Result<(Seed, Vec<u64>)> {
        let (seed, packed) = self.split(bytes)?;
        Ok((seed, wire::unpack(packed, self.bodies, self.bits).unwrap_or_default()))
    }

    /// Splits the wire form into the seed and the packed bodies.
    ///
    /// # Errors
    /// As [`SeededLayout::parse`].
    pub fn split<'a>(&self, bytes: &'a [u8]) -> Result<(Seed, &'a [u8])> {
        let wrong = || {
            Error::new(
                ErrorCode::CiphertextInvalid,
                format!("{} bytes of seeded ciphertexts, expected {} with zero padding", bytes.len(), self.wire_len()),
            )
            .hint("it was truncated or altered on the way, or belongs to another model")
        };
        let (seed, packed) = bytes.split_first_chunk::<16>().ok_or_else(wrong)?;
        if !wire::is_packed(packed, self.bodies, self.bits) {
            return Err(wrong());
        }
        Ok((Seed(*seed), packed))
    }

    /// Reads the list and expands its masks from the seed.
    ///
    /// # Errors
    /// As [`SeededLayout::parse`].
    pub fn expand(&self, bytes: &[u8]) -> Result<GlweList> {
        let (seed, bodies) = self.parse(bytes)?;
        let mut masks = vec![0; self.ciphertexts() * self.shape.lwe_dimension()];
        Random::new(seed).fill_uniform(&mut masks);
        // Reversed, so that extracting a coefficient reads memory in increasing order.
        for polynomial in masks.chunks_mut(self.shape.size) {
            polynomial.reverse();
        }
        Ok(GlweList { shape: self.shape, reversed_masks: masks, bodies })
    }

    /// Reads a list of one ciphertext and expands its mask.
    ///
    /// # Errors
    /// As [`SeededLayout::parse`].
    pub fn expand_one(&self, bytes: &[u8]) -> Result<PartialGlwe> {
        debug_assert!(self.bodies <= self.shape.size);
        let (seed, bodies) = self.parse(bytes)?;
        let mut mask = vec![0; self.shape.lwe_dimension()];
        Random::new(seed).fill_uniform(&mut mask);
        Ok(PartialGlwe { mask, bodies })
    }
}

/// Expanded GLWE ciphertexts, whose coefficients are read as LWE ciphertexts.
#[derive(Debug, Clone)]
pub struct GlweList {
    shape: GlweShape,
    /// `k * N` words per ciphertext, each polynomial in reverse order.
    reversed_masks: Vec<u64>,
    bodies: Vec<u64>,
}

impl GlweList {
    /// The shape of each ciphertext.
    pub fn shape(&self) -> GlweShape {
        self.shape
    }

    /// The masks, `k * N` words a ciphertext, each polynomial in reverse order.
    pub fn reversed_masks(&self) -> &[u64] {
        &self.reversed_masks
    }

    /// The bodies: a word for each coefficient.
    pub fn bodies(&self) -> &[u64] {
        &self.bodies
    }

    /// Adds `factor` times coefficient `index`, as an LWE ciphertext, to `sum`, which has dimension `k * N`.
    ///
    /// Sample extraction (TFHE, section 4.2) makes word `j` of the mask `a_{i-j}` for `j <= i` and `-a_{N+i-j}` beyond. It
    /// shares a pass with the product and the addition. Cost: `k * N` multiply-adds. Noise: `factor^2` times
    /// [`super::noise::seeded_variance`].
    pub fn add_coefficient(&self, index: usize, factor: i64, sum: &mut Lwe) {
        let size = self.shape.size;
        let (ciphertext, i) = (index / size, index % size);
        let factor = factor as u64;
        let masks = &self.reversed_masks[ciphertext * self.shape.lwe_dimension()..][..self.shape.lwe_dimension()];
        for (reversed, sum) in masks.chunks(size).zip(sum.mask.chunks_mut(size)) {
            let (straight, wrapped) = sum.split_at_mut(i + 1);
            add_multiple(&reversed[size - 1 - i..], factor, straight);
            add_multiple(reversed, factor.wrapping_neg(), wrapped);
        }
        sum.body = sum.body.wrapping_add(self.bodies[index].wrapping_mul(factor));
    }

    /// All coefficients as LWE ciphertexts of 32-bit words. The rounding adds noise: [`super::noise::narrowing_variance`].
    #[cfg(feature = "evaluate")]
    pub fn to_list(&self) -> LweList {
        use rayon::prelude::*;
        let size = self.shape.size;
        let dimension = self.shape.lwe_dimension();
        let mut list = LweList::zero(self.bodies.len(), dimension);
        list.rows_mut().enumerate().for_each(|(index, row)| {
            let i = index % size;
            let masks = &self.reversed_masks[index / size * dimension..][..dimension];
            for (reversed, out) in masks.chunks(size).zip(row.chunks_mut(size)) {
                let (straight, wrapped) = out.split_at_mut(i + 1);
                for (out, a) in straight.iter_mut().zip(&reversed[size - 1 - i..]) {
                    *out = narrow(*a);
                }
                for (out, a) in wrapped.iter_mut().zip(reversed) {
                    *out = narrow(*a).wrapping_neg();
                }
            }
            row[dimension] = narrow(self.bodies[index]);
        });
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::GlweSecret;
    use crate::fhe::random::OsEntropy;

    #[test]
    fn every_coefficient_decrypts_after_extraction() {
        for (shape, bits) in [(GlweShape::new(9, 64), 16), (GlweShape::new(1, 2048), 43), (GlweShape::new(3, 512), 64)]
        {
            let secret = GlweSecret::generate(shape, &mut OsEntropy);
            let layout = SeededLayout { shape, bodies: shape.size + 37, bits };
            let messages: Vec<u64> = (0..layout.bodies as u64).map(|i| (i % 8) << 61).collect();
            let bytes = layout.encrypt(&secret, &messages, &mut OsEntropy);
            assert_eq!(bytes.len(), layout.wire_len());
            let list = layout.expand(&bytes).unwrap();
            for (index, message) in messages.iter().enumerate() {
                let mut lwe = Lwe::zero(shape.lwe_dimension());
                list.add_coefficient(index, 3, &mut lwe);
                let error = secret.phase(&lwe).word().wrapping_sub(message.wrapping_mul(3)) as i64;
                assert!(error.unsigned_abs() < 1 << 58, "{shape:?} coefficient {index}: off by {error}");
            }
            let rows = list.to_list();
            for (index, message) in messages.iter().enumerate() {
                let error = secret.phase(&rows.lwe(index)).word().wrapping_sub(*message) as i64;
                assert!(error.unsigned_abs() < 1 << 58, "{shape:?} row {index}: off by {error}");
            }
            assert!(layout.expand(&bytes[1..]).is_err());
        }
    }
}
