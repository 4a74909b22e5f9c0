//! Keyswitching keys: parameters and wire form.

use super::noise::{self, Gadget};
use super::seeded::SeededLayout;
use super::stride::stride;
use super::{GlweShape, bad_parameters};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The parameters of a keyswitch from a big LWE key to a small one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyswitchParams {
    /// Dimension of the flattened big key.
    #[serde(rename = "input_lwe_dimension")]
    pub from: usize,
    /// The shape of the small key. Flattened it is an LWE key.
    #[serde(rename = "output")]
    pub to: GlweShape,
    #[serde(rename = "decomposition_base_log")]
    pub base_log: u32,
    #[serde(rename = "decomposition_level_count")]
    pub levels: u32,
    /// Bits of each body on the wire.
    #[serde(rename = "body_bits")]
    pub key_bits: u32,
}

impl KeyswitchParams {
    /// The key on the wire: one coefficient for each bit of the big key and each level (largest factor first).
    pub fn layout(&self) -> SeededLayout {
        SeededLayout { shape: self.to, bodies: self.from.saturating_mul(self.levels as usize), bits: self.key_bits }
    }

    /// Bytes of the key in memory: a row of 32-bit words per coefficient. `usize::MAX` where that is more than a machine can
    /// address, which parameters that were not checked yet may come to.
    pub const fn unpacked_bytes(&self) -> usize {
        let row = stride(self.to.lwe_dimension()).saturating_mul(4);
        self.from.saturating_mul(self.levels as usize).saturating_mul(row)
    }

    /// The variance that a keyswitch adds, in fractions of the torus squared.
    pub fn variance(&self) -> f64 {
        let gadget = Gadget { base_log: self.base_log, levels: self.levels, key_bits: self.key_bits };
        noise::keyswitch_variance(self.from, self.to.lwe_dimension(), gadget)
    }

    /// Checks that the parameters are supported and that the key takes at most 1 GiB in memory.
    ///
    /// # Errors
    /// `parameters_invalid`.
    pub fn check(&self) -> Result<()> {
        self.to.check()?;
        let decomposed = self.base_log.saturating_mul(self.levels);
        if !(512..=8192).contains(&self.from)
            || !(1..=16).contains(&self.base_log)
            || self.levels == 0
            || decomposed > 31
            || !(1..=64).contains(&self.key_bits)
            || self.unpacked_bytes() > 1 << 30
        {
            return Err(bad_parameters(format!("no keyswitch of {self:?} is supported")));
        }
        Ok(())
    }
}
