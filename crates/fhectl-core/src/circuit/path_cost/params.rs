//! The public parameters of `PathCost`.

use crate::circuit::answer_encoding::AnswerEncoding;
use crate::circuit::checks::{check_bits, check_noise_flooding};
use crate::circuit::prime::is_prime;
use crate::circuit::thermometer;
use crate::circuit::traits::Circuit;
use crate::error::Result;
use crate::fhe::{Lwe, SeededLayout, bad_parameters, noise};
use crate::model::{Output, Quantizer};
use serde::{Deserialize, Serialize};

/// The most leaves of an answer: 16 MB of ciphertexts or so.
pub const MAX_LEAVES: usize = 4096;

/// The public parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PathCostParams {
    /// The thermometer's layout; its key (`k = 1`) is also the answer's.
    pub input: SeededLayout,
    /// `p`: steps of the torus.
    #[serde(rename = "plaintext_modulus")]
    pub modulus: u64,
    /// Leaves of an answer, padded to a power of two.
    pub leaves: usize,
    /// Whether a second ciphertext a leaf carries its class.
    pub values: bool,
    pub classes: usize,
    /// The answer where no leaf's count is zero.
    pub default_class: usize,
    #[serde(rename = "response_modulus_log2")]
    pub response_bits: u32,
    pub noise_flooding: Option<u64>,
}

impl PathCostParams {
    /// Ciphertexts of an answer.
    pub fn answers(&self) -> usize {
        self.leaves * if self.values { 2 } else { 1 }
    }

    /// Half of a step, in turns, as far as noise may reach.
    pub(super) fn margin(&self) -> f64 {
        0.5 / self.modulus as f64 - noise::dependent_cut(self.noise_flooding, self.response_bits)
    }
}

impl Circuit for PathCostParams {
    fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        let classes = output.classes();
        self.input.shape.check()?;
        check_bits("input.bits", self.input.bits)?;
        check_bits("response_bits", self.response_bits)?;
        check_noise_flooding(self.noise_flooding)?;
        thermometer::check(quantizer, &self.input)?;
        if self.input.shape.dimension != 1 {
            return Err(bad_parameters("path-cost keys have k = 1"));
        }
        if !is_prime(self.modulus)
            || !(3..1 << 16).contains(&self.modulus)
            || (self.values && self.modulus < classes as u64)
        {
            return Err(bad_parameters(format!("a plaintext modulus of {} for {classes} classes", self.modulus)));
        }
        if !self.leaves.is_power_of_two() || self.leaves > MAX_LEAVES {
            return Err(bad_parameters(format!("{} leaves, want a power of two up to {MAX_LEAVES}", self.leaves)));
        }
        if self.classes != classes || self.default_class >= classes || (!self.values && classes > 2) {
            return Err(bad_parameters(format!(
                "default class {} of {} in a model of {classes} classes",
                self.default_class, self.classes
            )));
        }
        Ok(())
    }

    fn input_layout(&self) -> SeededLayout {
        self.input
    }

    fn response_bytes(&self) -> usize {
        self.answers() * Lwe::wire_len(self.input.shape.lwe_dimension(), self.response_bits)
    }

    fn answer_encoding(&self) -> AnswerEncoding {
        AnswerEncoding {
            margin: self.margin(),
            messages: self.answers(),
            shape: self.input.shape,
            response_bits: self.response_bits,
            noise_flooding: self.noise_flooding,
        }
    }

    fn least_failure_log2(&self) -> Option<f64> {
        Some(self.answer_encoding().least_failure(noise::seeded_variance(self.input.shape, self.input.bits)))
    }
}
