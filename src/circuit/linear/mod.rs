//! `Linear`: a linear model with no bootstrap at all.
//!
//! Quantised features ride in the coefficients of a seeded GLWE; a score is a scalar product of extracted LWE
//! ciphertexts with clear weights. Only the score leaves the server, re-randomised and flooded.

pub mod client;
#[cfg(feature = "evaluate")]
pub mod evaluate;
#[cfg(feature = "evaluate")]
pub mod needs;

use super::{check_bits, check_flood};
use crate::error::Result;
use crate::fhe::{GlweShape, Lwe, SeededLayout, bad_parameters};
use crate::model::{Output, Quantizer};
use serde::{Deserialize, Serialize};

/// The most words of masks that a request expands to: 1 GiB.
const MAX_MASK_WORDS: usize = 1 << 27;

/// The public parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearParams {
    /// The key of inputs and answers, `k = 1`.
    pub shape: GlweShape,
    pub features: usize,
    /// Scores an answer holds: 1 for two classes or a value, else one a class.
    pub scores: usize,
    /// Scores are signed integers times `2^step_log2`.
    pub step_log2: u32,
    pub input_bits: u32,
    pub response_bits: u32,
    /// Uniform noise over `[-2^f, 2^f)` drowns what the model left in the answer; `None`: not re-randomised.
    pub flood_log2: Option<u32>,
}

impl LinearParams {
    /// The layout of a request: a coefficient a feature.
    pub fn input(&self) -> SeededLayout {
        SeededLayout { shape: self.shape, bodies: self.features, bits: self.input_bits }
    }

    pub(super) fn response_bytes(&self) -> usize {
        self.scores * Lwe::wire_len(self.shape.lwe_dimension(), self.response_bits)
    }

    pub(super) fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        self.shape.check()?;
        check_bits("input_bits", self.input_bits)?;
        check_bits("response_bits", self.response_bits)?;
        check_flood(self.flood_log2)?;
        let scores = output.margins();
        if self.features != quantizer.features.len() || self.scores != scores || self.features > 1 << 20 {
            return Err(bad_parameters(format!(
                "{} features and {} scores for a model of {} features and {output:?}",
                self.features,
                self.scores,
                quantizer.features.len()
            )));
        }
        let mask_words = self.input().ciphertexts().saturating_mul(self.shape.lwe_dimension());
        if mask_words > MAX_MASK_WORDS {
            return Err(bad_parameters(format!("{} features in {:?}", self.features, self.shape)));
        }
        if !(1..=62).contains(&self.step_log2) {
            return Err(bad_parameters(format!("a step of 2^{}", self.step_log2)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FeatureQuantizer;

    #[test]
    fn rows_beyond_memory_are_refused() {
        let check = |shape, features| {
            let feature = FeatureQuantizer::Affine { low: 0.0, step: 1.0, levels: 2 };
            let params = LinearParams {
                shape,
                features,
                scores: 1,
                step_log2: 49,
                input_bits: 54,
                response_bits: 25,
                flood_log2: None,
            };
            params.check(&Quantizer { features: vec![feature; features] }, Output::Value).map_err(|error| error.code)
        };
        assert_eq!(check(GlweShape::new(1, 4096), 1 << 20), Ok(()));
        assert_eq!(check(GlweShape::new(512, 16), 1 << 18), Ok(()));
        assert_eq!(check(GlweShape::new(512, 16), (1 << 18) + 1), Err("parameters_invalid"));
    }
}
