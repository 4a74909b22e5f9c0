//! The keyswitching key: its shape and its wire form.

use super::noise::{self, Gadget};
use super::seeded::SeededLayout;
use super::{GlweShape, bad_parameters};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// All that fixes a keyswitch from the big key (`from` words) to a small one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyswitchParams {
    /// Dimension of the flattened big key.
    #[serde(rename = "input_lwe_dimension")]
    pub from: usize,
    /// The small key; flattened it is an LWE key.
    #[serde(rename = "output")]
    pub to: GlweShape,
    #[serde(rename = "decomposition_base_log")]
    pub base_log: u32,
    #[serde(rename = "decomposition_level_count")]
    pub levels: u32,
    /// Bits of the key's bodies on the wire.
    #[serde(rename = "body_bits")]
    pub key_bits: u32,
}

impl KeyswitchParams {
    /// The key on the wire: for each word of the big key, for each level (largest factor first), one coefficient.
    pub fn layout(&self) -> SeededLayout {
        SeededLayout { shape: self.to, bodies: self.from.saturating_mul(self.levels as usize), bits: self.key_bits }
    }

    /// Bytes of the unpacked key: a row of 32-bit words a coefficient. `usize::MAX` where that is more than a machine can
    /// address, which parameters that were not checked yet may come to.
    pub const fn unpacked_bytes(&self) -> usize {
        let row = (self.to.lwe_dimension() + 1).next_multiple_of(128).saturating_mul(4);
        self.from.saturating_mul(self.levels as usize).saturating_mul(row)
    }

    /// The variance that a keyswitch adds.
    pub fn variance(&self) -> f64 {
        let gadget = Gadget { base_log: self.base_log, levels: self.levels, key_bits: self.key_bits };
        noise::keyswitch_variance(self.from, self.to.lwe_dimension(), gadget)
    }

    /// # Errors
    /// `parameters_invalid` where no keyswitch of these parameters can run, or its key would be beyond 1 GiB.
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
