//! The bootstrap key: its shape, its wire form, and the client's side of making it.

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
    pub base_log: u32,
    pub levels: u32,
    /// Bits of the key's bodies on the wire.
    pub key_bits: u32,
}

impl BootstrapParams {
    pub fn gadget(&self) -> Gadget {
        Gadget { base_log: self.base_log, levels: self.levels, key_bits: self.key_bits }
    }

    /// The key on the wire: for each bit of the small key a GGSW, for each of its levels (smallest factor first)
    /// `k + 1` GLWE ciphertexts.
    pub fn layout(&self) -> SeededLayout {
        let rows = self.lwe_dimension * self.levels as usize * (self.output.dimension + 1);
        SeededLayout { shape: self.output, bodies: rows * self.output.size, bits: self.key_bits }
    }

    /// Bytes of the unpacked key in the Fourier domain.
    pub const fn fourier_bytes(&self) -> usize {
        let glwe_size = self.output.dimension + 1;
        self.lwe_dimension * self.levels as usize * glwe_size * glwe_size * self.output.size * 8
    }

    /// # Errors
    /// `parameters_invalid` where no bootstrap of these parameters can run, or its key would be beyond 1 GiB.
    pub fn check(&self) -> Result<()> {
        self.output.check()?;
        let decomposed = self.base_log.saturating_mul(self.levels);
        if !(512..=4096).contains(&self.lwe_dimension)
            || self.base_log == 0
            || self.levels == 0
            || decomposed > 52
            || !(1..=64).contains(&self.key_bits)
            || self.output.size < 256
            || self.fourier_bytes() > 1 << 30
        {
            return Err(bad_parameters(format!("no bootstrap of {self:?} is supported")));
        }
        Ok(())
    }
}

/// Encrypts every bit of `small` as a GGSW under `big` and returns the key in its wire form.
///
/// Row `r < k` of level `l` encrypts `-bit * s_r * 2^(64 - base_log * l)`, row `k` `bit * 2^(64 - base_log * l)`
/// (TFHE, definition 3.8, in tfhe's order of rows and levels).
///
/// # Panics
/// Where the keys do not have the parameters' shape.
pub fn generate(params: &BootstrapParams, small: &GlweSecret, big: &GlweSecret, entropy: &mut dyn Entropy) -> Vec<u8> {
    assert_eq!(small.shape().lwe_dimension(), params.lwe_dimension);
    let layout = params.layout();
    let mut messages = Vec::with_capacity(layout.bodies);
    for bit in small.bits() {
        for level in (1..=params.levels).rev() {
            let factor = bit << (64 - params.base_log * level);
            messages.extend(big.bits().iter().map(|s| factor.wrapping_neg().wrapping_mul(*s)));
            messages.push(factor);
            messages.resize(messages.len() + params.output.size - 1, 0);
        }
    }
    let wire = layout.encrypt(big, &messages, entropy);
    zeroize::Zeroize::zeroize(&mut messages);
    wire
}
