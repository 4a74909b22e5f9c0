//! `LeafSum`: a decision tree with one encrypted label as its answer.
//!
//! Thermometer bits arrive directly under the small key, so no keyswitch is needed. The tree is a sum of signed boxes.
//! A box's count of violated conditions, shifted by a half, uses the whole circle: one bootstrap with a sign decides
//! it. Signs of all boxes add up to the class.

pub mod client;
#[cfg(feature = "evaluate")]
pub mod evaluate;
#[cfg(feature = "evaluate")]
pub mod needs;

use super::reading::Reading;
use super::{check_bits, check_flood, thermometer};
use crate::error::Result;
use crate::fhe::bootstrap::BootstrapParams;
use crate::fhe::{Lwe, SeededLayout, bad_parameters, noise};
use crate::model::{Output, Quantizer};
use serde::{Deserialize, Serialize};

/// The public parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeafSumParams {
    /// The thermometer's layout; its GLWE key, flattened, is the small LWE key.
    pub input: SeededLayout,
    /// `2d`: bits have step `2^64 / circle`, for boxes of up to `d` features.
    #[serde(rename = "plaintext_modulus")]
    pub circle: u64,
    pub bootstrap: BootstrapParams,
    /// Boxes that are tested, one bootstrap each.
    pub boxes: usize,
    pub classes: usize,
    /// The class of the sum zero; the answer is `(class - default) mod classes` with step `2^64 / classes`.
    pub default_class: usize,
    #[serde(rename = "response_modulus_log2")]
    pub response_bits: u32,
    pub noise_flooding: Option<u64>,
}

impl LeafSumParams {
    pub(super) fn response_bytes(&self) -> usize {
        Lwe::wire_len(self.bootstrap.output.lwe_dimension(), self.response_bits)
    }

    /// Half of a step, in turns, as far as noise may reach.
    pub(super) fn margin(&self) -> f64 {
        0.5 / self.classes as f64 - noise::dependent_cut(self.noise_flooding, self.response_bits)
    }

    /// How its answers are read.
    pub(super) fn reading(&self) -> Reading {
        Reading {
            margin: self.margin(),
            messages: 1,
            shape: self.bootstrap.output,
            response_bits: self.response_bits,
            noise_flooding: self.noise_flooding,
        }
    }

    /// log2 of the failure rate that the parameters have at least: every box reads one bit.
    pub(super) fn least_failure(&self) -> f64 {
        let boxes = self.boxes.max(1) as f64;
        let each =
            noise::bootstrap_variance(self.bootstrap.lwe_dimension, self.bootstrap.output, self.bootstrap.gadget());
        let answer = self.reading().least_failure(boxes * each);
        let bit = noise::seeded_variance(self.input.shape, self.input.bits)
            + noise::modulus_switch_variance(self.bootstrap.lwe_dimension, self.bootstrap.output.size);
        noise::log2_union([answer, noise::log2_failure(0.5 / self.circle as f64, bit)])
    }

    pub(super) fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        let classes = output.classes();
        self.input.shape.check()?;
        self.bootstrap.check()?;
        check_bits("input.bits", self.input.bits)?;
        check_bits("response_bits", self.response_bits)?;
        check_flood(self.noise_flooding)?;
        thermometer::check(quantizer, &self.input)?;
        if self.input.shape.lwe_dimension() != self.bootstrap.lwe_dimension {
            return Err(bad_parameters("inputs and bootstrap have different small keys"));
        }
        if !(2..1 << 16).contains(&self.circle) || !self.circle.is_multiple_of(2) || self.boxes > 1 << 16 {
            return Err(bad_parameters(format!("{} boxes on a circle of {} steps", self.boxes, self.circle)));
        }
        if self.classes != classes || self.default_class >= classes {
            return Err(bad_parameters(format!(
                "default class {} of {} in a model of {classes} classes",
                self.default_class, self.classes
            )));
        }
        Ok(())
    }
}
