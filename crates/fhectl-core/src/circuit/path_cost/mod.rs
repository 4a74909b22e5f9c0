//! `PathCost`: a decision tree with no bootstrap at all.
//!
//! The circle is cut into a prime number `p` of steps. For each leaf the server counts violated conditions and
//! multiplies the count by a random non-zero factor: zero stays zero, anything else becomes uniform over the
//! non-zero residues. The client looks for a zero. With more than two classes a second ciphertext a leaf carries
//! the class, masked unless the count is zero. Leaves are shuffled and padded to a power of two.
//!
//! Sources: path costs are from Tai, Ma, Zhao, Chow, "Privacy-preserving decision trees evaluation via linear
//! functions" (ESORICS 2017).

pub mod client;
#[cfg(feature = "evaluate")]
pub mod evaluate;
#[cfg(feature = "evaluate")]
pub mod needs;

use super::reading::Reading;
use super::{check_bits, check_flood, thermometer};
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
    /// `p`: steps of the circle.
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

/// Whether multiplying by anything but zero keeps a count from becoming zero: by trial division, for small numbers.
pub(super) fn is_prime(n: u64) -> bool {
    (2..1 << 16).contains(&n) && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

impl PathCostParams {
    /// Ciphertexts of an answer.
    pub fn answers(&self) -> usize {
        self.leaves * if self.values { 2 } else { 1 }
    }

    pub(super) fn response_bytes(&self) -> usize {
        self.answers() * Lwe::wire_len(self.input.shape.lwe_dimension(), self.response_bits)
    }

    /// Half of a step, in turns, as far as noise may reach.
    pub(super) fn margin(&self) -> f64 {
        0.5 / self.modulus as f64 - noise::dependent_cut(self.noise_flooding, self.response_bits)
    }

    /// How its answers are read.
    pub(super) fn reading(&self) -> Reading {
        Reading {
            margin: self.margin(),
            messages: self.answers(),
            shape: self.input.shape,
            response_bits: self.response_bits,
            noise_flooding: self.noise_flooding,
        }
    }

    /// log2 of the failure rate that the parameters have at least: one bit, once.
    pub(super) fn least_failure(&self) -> f64 {
        self.reading().least_failure(noise::seeded_variance(self.input.shape, self.input.bits))
    }

    pub(super) fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        let classes = output.classes();
        self.input.shape.check()?;
        check_bits("input.bits", self.input.bits)?;
        check_bits("response_bits", self.response_bits)?;
        check_flood(self.noise_flooding)?;
        thermometer::check(quantizer, &self.input)?;
        if self.input.shape.dimension != 1 {
            return Err(bad_parameters("path-cost keys have k = 1"));
        }
        if !is_prime(self.modulus)
            || !(3..1 << 16).contains(&self.modulus)
            || (self.values && self.modulus < classes as u64)
        {
            return Err(bad_parameters(format!("a circle of {} steps for {classes} classes", self.modulus)));
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
}
