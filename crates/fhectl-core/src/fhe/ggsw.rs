//! Encrypted bits as GGSW ciphertexts: bootstrap keys, and inputs that select.

use super::noise::{self, Gadget};
use super::seeded::SeededLayout;
use super::{GlweShape, bad_parameters};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A list of GGSW ciphertexts of one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GgswLayout {
    pub count: usize,
    pub shape: GlweShape,
    #[serde(rename = "decomposition_base_log")]
    pub base_log: u32,
    #[serde(rename = "decomposition_level_count")]
    pub levels: u32,
    /// Bits of the bodies on the wire.
    #[serde(rename = "body_bits")]
    pub key_bits: u32,
}

impl GgswLayout {
    pub fn gadget(&self) -> Gadget {
        Gadget { base_log: self.base_log, levels: self.levels, key_bits: self.key_bits }
    }

    /// GLWE ciphertexts a GGSW.
    pub const fn rows(&self) -> usize {
        (self.levels as usize).saturating_mul(self.shape.dimension + 1)
    }

    /// The list on the wire: for each bit a GGSW, for each of its levels (smallest factor first) `k + 1` GLWE
    /// ciphertexts.
    pub fn layout(&self) -> SeededLayout {
        SeededLayout {
            shape: self.shape,
            bodies: self.count.saturating_mul(self.rows()).saturating_mul(self.shape.size),
            bits: self.key_bits,
        }
    }

    /// Bytes of the unpacked list in the Fourier domain; `usize::MAX` where that is more than a machine can address, which
    /// parameters that were not checked yet may come to.
    pub const fn fourier_bytes(&self) -> usize {
        let row = (self.shape.dimension + 1).saturating_mul(self.shape.size).saturating_mul(8);
        self.count.saturating_mul(self.rows()).saturating_mul(row)
    }

    /// The variance that a CMUX with one of these bits adds at most: that of a step of a bootstrap, whose formula
    /// takes the mean over a uniform bit; for a bit that is one it doubles.
    pub fn cmux_variance(&self) -> f64 {
        noise::bootstrap_variance(2, self.shape, self.gadget())
    }

    /// # Errors
    /// `parameters_invalid` where nothing of these parameters can run, or the list would be beyond 1 GiB.
    pub fn check(&self) -> Result<()> {
        self.shape.check()?;
        let decomposed = self.base_log.saturating_mul(self.levels);
        if self.count == 0
            || self.count > 8192
            || self.base_log == 0
            || self.levels == 0
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
