//! Lists of GGSW ciphertexts of bits: bootstrap keys, and inputs of CMUX trees.

use super::noise::{self, Gadget};
use super::seeded::SeededLayout;
use super::{GlweShape, bad_parameters};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The parameters of a list of `count` GGSW ciphertexts, which encrypt one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GgswLayout {
    pub count: usize,
    pub shape: GlweShape,
    #[serde(rename = "decomposition_base_log")]
    pub base_log: u32,
    #[serde(rename = "decomposition_level_count")]
    pub levels: u32,
    /// Bits of each body on the wire.
    #[serde(rename = "body_bits")]
    pub key_bits: u32,
}

impl GgswLayout {
    /// The gadget decomposition that products with these ciphertexts use.
    pub fn gadget(&self) -> Gadget {
        Gadget { base_log: self.base_log, levels: self.levels, key_bits: self.key_bits }
    }

    /// GLWE ciphertexts per GGSW ciphertext: `levels * (k + 1)`.
    pub const fn rows(&self) -> usize {
        (self.levels as usize).saturating_mul(self.shape.dimension + 1)
    }

    /// The list on the wire: for each bit, for each level (smallest factor first), `k + 1` GLWE ciphertexts.
    pub fn layout(&self) -> SeededLayout {
        SeededLayout {
            shape: self.shape,
            bodies: self.count.saturating_mul(self.rows()).saturating_mul(self.shape.size),
            bits: self.key_bits,
        }
    }

    /// Bytes of the list in memory, in the Fourier domain. `usize::MAX` where that is more than a machine can address, which
    /// parameters that were not checked yet may come to.
    pub const fn fourier_bytes(&self) -> usize {
        let row = (self.shape.dimension + 1).saturating_mul(self.shape.size).saturating_mul(8);
        self.count.saturating_mul(self.rows()).saturating_mul(row)
    }

    /// An upper bound on the variance that a CMUX with one of these bits adds. The formula of a bootstrap takes the mean over
    /// a uniform key bit; for a bit that is one, the variance is twice as large.
    pub fn cmux_variance(&self) -> f64 {
        noise::cmuxes_variance(2, self.shape, self.gadget())
    }

    /// Checks that the parameters are supported and that the list takes at most 1 GiB in memory.
    ///
    /// # Errors
    /// `parameters_invalid`.
    pub fn check(&self) -> Result<()> {
        self.shape.check()?;
        let decomposed = self.base_log.saturating_mul(self.levels);
        if self.count == 0
            || self.count > 8192
            || self.base_log == 0
            || self.levels == 0
            || self.base_log > 31
            || decomposed > 52
            || !(1..=64).contains(&self.key_bits)
            || self.shape.size < 128
            || self.fourier_bytes() > 1 << 30
        {
            return Err(bad_parameters(format!("no GGSW ciphertexts of {self:?} are supported")));
        }
        Ok(())
    }
}
