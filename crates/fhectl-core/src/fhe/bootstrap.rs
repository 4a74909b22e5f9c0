//! Bootstrap keys: parameters and wire form.

use super::ggsw::GgswLayout;
use super::noise::Gadget;
use super::seeded::SeededLayout;
use super::{GlweShape, bad_parameters};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The most bits that digits may cover together: the words of accumulators have one more.
pub const MOST_DIGIT_BITS: u32 = 31;

/// The parameters of a programmable bootstrap from a small LWE key (dimension `n`) to a big GLWE key (`output`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootstrapParams {
    /// The dimension `n` of the small key.
    pub lwe_dimension: usize,
    /// The shape `(k, N)` of the big key.
    pub output: GlweShape,
    #[serde(rename = "decomposition_base_log")]
    pub base_log: u32,
    #[serde(rename = "decomposition_level_count")]
    pub levels: u32,
    /// Bits of each body on the wire.
    #[serde(rename = "body_bits")]
    pub key_bits: u32,
}

impl BootstrapParams {
    /// The gadget decomposition of the blind rotation.
    pub fn gadget(&self) -> Gadget {
        self.ggsws().gadget()
    }

    /// The key as a list: a GGSW ciphertext for each bit of the small key.
    pub const fn ggsws(&self) -> GgswLayout {
        GgswLayout {
            count: self.lwe_dimension,
            shape: self.output,
            base_log: self.base_log,
            levels: self.levels,
            key_bits: self.key_bits,
        }
    }

    /// The key on the wire.
    pub fn layout(&self) -> SeededLayout {
        self.ggsws().layout()
    }

    /// Bytes of the key in memory, in the Fourier domain.
    pub const fn fourier_bytes(&self) -> usize {
        self.ggsws().fourier_bytes()
    }

    /// Checks that the parameters are supported and that the key takes at most 1 GiB in memory.
    ///
    /// # Errors
    /// `parameters_invalid`.
    pub fn check(&self) -> Result<()> {
        self.ggsws().check()?;
        if !(512..=4096).contains(&self.lwe_dimension) || self.base_log * self.levels > MOST_DIGIT_BITS {
            return Err(bad_parameters(format!("no bootstrap of {self:?} is supported")));
        }
        Ok(())
    }
}
