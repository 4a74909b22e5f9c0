//! The bootstrap key: its shape, its wire form, and the client's side of making it.

use super::ggsw::{self, GgswLayout};
use super::noise::Gadget;
use super::random::Entropy;
use super::secret::GlweSecret;
use super::seeded::SeededLayout;
use super::{GlweShape, bad_parameters};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// All that fixes a programmable bootstrap from the small key (dimension `n`) to the big one (`output`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootstrapParams {
    /// `n`.
    pub lwe_dimension: usize,
    /// `(k, N)`.
    pub output: GlweShape,
    #[serde(rename = "decomposition_base_log")]
    pub base_log: u32,
    #[serde(rename = "decomposition_level_count")]
    pub levels: u32,
    /// Bits of the key's bodies on the wire.
    #[serde(rename = "body_bits")]
    pub key_bits: u32,
}

impl BootstrapParams {
    pub fn gadget(&self) -> Gadget {
        self.ggsws().gadget()
    }

    /// The key: a GGSW for each bit of the small key.
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

    /// Bytes of the unpacked key in the Fourier domain.
    pub const fn fourier_bytes(&self) -> usize {
        self.ggsws().fourier_bytes()
    }

    /// # Errors
    /// `parameters_invalid` where no bootstrap of these parameters can run, or its key would be beyond 1 GiB.
    pub fn check(&self) -> Result<()> {
        self.ggsws().check()?;
        if !(512..=4096).contains(&self.lwe_dimension) {
            return Err(bad_parameters(format!("no bootstrap of {self:?} is supported")));
        }
        Ok(())
    }
}

/// Encrypts every bit of `small` under `big` and returns the key in its wire form.
///
/// # Panics
/// Where the keys do not have the parameters' shape.
pub fn generate(params: &BootstrapParams, small: &GlweSecret, big: &GlweSecret, entropy: &mut dyn Entropy) -> Vec<u8> {
    ggsw::encrypt(&params.ggsws(), small.bits(), big, entropy)
}
