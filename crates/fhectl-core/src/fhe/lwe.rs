//! One LWE ciphertext: the form answers travel in.

use super::wire;
use crate::error::{Error, ErrorCode, Result};

/// An LWE ciphertext over the 2^64 torus: `phase = body - <mask, key>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lwe {
    pub mask: Vec<u64>,
    pub body: u64,
}

impl Lwe {
    /// The trivial encryption of zero.
    pub fn zero(dimension: usize) -> Self {
        Self { mask: vec![0; dimension], body: 0 }
    }

    /// Bytes of one ciphertext whose words are cut to `bits`.
    pub const fn wire_len(dimension: usize, bits: u32) -> usize {
        wire::packed_len(dimension + 1, bits)
    }

    /// Appends mask and body, each rounded to `bits` bits.
    ///
    /// A mask that is rounded by `e` moves the phase by `-sum_i s_i e_i`. The body takes half of all errors back, so
    /// `sum_i (1/2 - s_i) e_i` is left: half of the variance, and the same for every binary key. That says nothing of
    /// what was encrypted: rounding errors are low bits of a mask that is uniform. Noise:
    /// [`super::noise::answer_rounding_variance`].
    pub fn write(&self, bits: u32, out: &mut Vec<u8>) {
        let errors: i128 = self.mask.iter().map(|word| i128::from(wire::rounding_error(*word, bits))).sum();
        let body = self.body.wrapping_add((errors >> 1) as u64);
        wire::pack(self.mask.iter().copied().chain([body]), bits, out);
    }

    /// Reads what [`Lwe::write`] wrote.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the length is not the expected one.
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
