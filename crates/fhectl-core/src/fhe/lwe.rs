//! LWE ciphertexts.

use super::wire;
use crate::error::{Error, ErrorCode, Result};

/// An LWE ciphertext with words modulo 2^64. Its phase, the message with its noise, is `body - <mask, key>`.
///
/// ```
/// use fhectl_core::fhe::Lwe;
/// let (dimension, bits) = (512, 12);
/// let mut bytes = Vec::new();
/// Lwe { mask: vec![7 << 52; dimension], body: 1 << 63 }.write(bits, &mut bytes);
/// assert_eq!(bytes.len(), Lwe::wire_len(dimension, bits));
/// assert_eq!(Lwe::read(&bytes, dimension, bits)?.body, 1 << 63);
/// # Ok::<(), fhectl_core::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lwe {
    /// One word for each entry of the key.
    pub mask: Vec<u64>,
    pub body: u64,
}

impl Lwe {
    /// The trivial encryption of zero: mask and body are zero.
    pub fn zero(dimension: usize) -> Self {
        Self { mask: vec![0; dimension], body: 0 }
    }

    /// Bytes of one ciphertext whose words are rounded to `bits` bits.
    pub const fn wire_len(dimension: usize, bits: u32) -> usize {
        wire::packed_len(dimension + 1, bits)
    }

    /// Appends mask and body, each rounded to `bits` bits.
    ///
    /// Rounding the mask by `e` moves the phase by `-sum_i s_i e_i`. The body is corrected by half of the sum of all
    /// errors, which leaves `sum_i (1/2 - s_i) e_i`: half of the variance, and the same for every binary key. The
    /// correction reveals nothing about the message, because it depends on the low bits of a uniform mask only. Noise:
    /// [`super::noise::answer_rounding_variance`].
    pub fn write(&self, bits: u32, out: &mut Vec<u8>) {
        let errors = wire::sum_of_rounding_errors(&self.mask, bits);
        let body = self.body.wrapping_add((errors >> 1) as u64);
        wire::pack_all([&self.mask, &[body]], bits, out);
    }

    /// Reads what [`Lwe::write`] wrote.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the length is not [`Lwe::wire_len`] or padding bits are set.
    pub fn read(bytes: &[u8], dimension: usize, bits: u32) -> Result<Self> {
        let mut mask = wire::unpack(bytes, dimension + 1, bits).ok_or_else(|| {
            Error::new(
                ErrorCode::CiphertextInvalid,
                format!(
                    "an LWE ciphertext of {} bytes, expected {} with zero padding",
                    bytes.len(),
                    Self::wire_len(dimension, bits)
                ),
            )
            .hint("it was truncated or altered on the way, or belongs to another model")
        })?;
        let body = mask.pop().unwrap_or_default();
        Ok(Self { mask, body })
    }
}
