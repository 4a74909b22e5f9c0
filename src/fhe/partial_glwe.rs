//! GLWE ciphertexts of which only the first coefficients are there: several answers that share a mask.

use super::{GlweShape, wire};
use crate::error::{Error, Result};

/// A mask of `k` polynomials, and the body's first coefficients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialGlwe {
    /// `k * N` words, polynomial after polynomial.
    pub mask: Vec<u64>,
    /// At most `N` words.
    pub bodies: Vec<u64>,
}

impl PartialGlwe {
    /// The trivial encryption of zeros.
    pub fn zero(shape: GlweShape, coefficients: usize) -> Self {
        debug_assert!(coefficients <= shape.size);
        Self { mask: vec![0; shape.lwe_dimension()], bodies: vec![0; coefficients] }
    }

    /// Exact bytes on the wire.
    pub const fn wire_len(shape: GlweShape, coefficients: usize, bits: u32) -> usize {
        wire::packed_len(shape.lwe_dimension() + coefficients, bits)
    }

    /// Appends mask and bodies, each word rounded to `bits` bits.
    pub fn write(&self, bits: u32, out: &mut Vec<u8>) {
        wire::pack(self.mask.iter().chain(&self.bodies).copied(), bits, out);
    }

    /// Reads what [`PartialGlwe::write`] wrote.
    ///
    /// # Errors
    /// `ciphertext_invalid` for any other length or set padding bits.
    pub fn read(bytes: &[u8], shape: GlweShape, coefficients: usize, bits: u32) -> Result<Self> {
        let mut mask = wire::unpack(bytes, shape.lwe_dimension() + coefficients, bits).ok_or_else(|| {
            Error::user("ciphertext_invalid", format!("{} bytes are no answer of this model", bytes.len()))
                .hint("it was truncated or altered on the way, or belongs to another model")
        })?;
        let bodies = mask.split_off(shape.lwe_dimension());
        Ok(Self { mask, bodies })
    }
}
