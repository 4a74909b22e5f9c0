//! The public parameters of `LeafSum`.

use crate::circuit::answer_encoding::AnswerEncoding;
use crate::circuit::checks::{check_bits, check_noise_flooding};
use crate::circuit::key_fact::KeyFact;
use crate::circuit::key_part::KeyPart;
use crate::circuit::tag::{TagLayout, TagNoise};
use crate::circuit::thermometer;
use crate::circuit::traits::Circuit;
use crate::error::Result;
use crate::fhe::bootstrap::BootstrapParams;
use crate::fhe::part::PartParams;
use crate::fhe::{Lwe, SeededLayout, bad_parameters, noise, public_key};
use crate::model::{Output, Quantizer};
use serde::{Deserialize, Serialize};

/// The public parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeafSumParams {
    /// The thermometer's layout; its GLWE key, flattened, is the small LWE key.
    pub input: SeededLayout,
    /// `2d`: bits have step `2^64 / plaintext_modulus`, for boxes of up to `d` features.
    pub plaintext_modulus: u64,
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
    /// By how much the count of a box with conditions on so many features is stretched.
    #[cfg(feature = "evaluate")]
    pub(super) fn scale(&self, features: u32) -> i64 {
        (self.plaintext_modulus / 2) as i64 / i64::from(features.max(1))
    }

    /// Half of a step, in turns, as far as noise may reach.
    pub(super) fn margin(&self) -> f64 {
        0.5 / self.classes as f64 - noise::dependent_cut(self.noise_flooding, self.response_bits)
    }
}

impl Circuit for LeafSumParams {
    fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        let classes = output.classes();
        self.input.shape.check()?;
        self.bootstrap.check()?;
        check_bits("input.bits", self.input.bits)?;
        check_bits("response_bits", self.response_bits)?;
        check_noise_flooding(self.noise_flooding)?;
        thermometer::check(quantizer, &self.input)?;
        if self.input.shape.lwe_dimension() != self.bootstrap.lwe_dimension {
            return Err(bad_parameters("inputs and bootstrap have different small keys"));
        }
        if !(2..1 << 16).contains(&self.plaintext_modulus)
            || !self.plaintext_modulus.is_multiple_of(2)
            || self.boxes > 1 << 16
        {
            return Err(bad_parameters(format!(
                "{} boxes with plaintext modulus {}",
                self.boxes, self.plaintext_modulus
            )));
        }
        if self.classes != classes || self.default_class >= classes {
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
        Lwe::wire_len(self.bootstrap.output.lwe_dimension(), self.response_bits)
    }

    fn answer_encoding(&self) -> AnswerEncoding {
        AnswerEncoding {
            margin: self.margin(),
            messages: 1,
            shape: self.bootstrap.output,
            response_bits: self.response_bits,
            noise_flooding: self.noise_flooding,
        }
    }

    fn least_failure_log2(&self) -> Option<f64> {
        let boxes = self.boxes.max(1) as f64;
        let each =
            noise::bootstrap_variance(self.bootstrap.lwe_dimension, self.bootstrap.output, self.bootstrap.gadget());
        let answer = self.answer_encoding().least_failure(boxes * each);
        let bit = noise::seeded_variance(self.input.shape, self.input.bits)
            + noise::modulus_switch_variance(self.bootstrap.lwe_dimension, self.bootstrap.output.size);
        Some(noise::log2_union([answer, noise::log2_failure(0.5 / self.plaintext_modulus as f64, bit)]))
    }

    fn keys(&self) -> Vec<KeyFact> {
        vec![
            KeyFact { role: "inputs", shape: self.input.shape },
            KeyFact { role: "answers", shape: self.bootstrap.output },
        ]
    }

    fn key_parts(&self) -> Vec<KeyPart> {
        vec![KeyPart { params: PartParams::Bootstrap(self.bootstrap), from: 0, to: 1 }]
    }

    fn bootstraps(&self) -> usize {
        self.boxes
    }

    fn tag(&self) -> Option<TagLayout> {
        let output = self.bootstrap.output;
        let bootstrap = noise::bootstrap_variance(self.bootstrap.lwe_dimension, output, self.bootstrap.gadget())
            + noise::narrowing_variance(output.lwe_dimension());
        // A zero where the bootstrap begins, and one at the end.
        let variance = bootstrap + 2.0 * public_key::zero_variance(output);
        Some(
            TagNoise { look_ups: vec![TagNoise::first(self.input.shape, output)], output, variance }
                .layout(self.input.shape),
        )
    }
}
