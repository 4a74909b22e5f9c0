//! The public parameters of `Linear`.

use crate::circuit::answer_encoding::AnswerEncoding;
use crate::circuit::checks::{check_bits, check_noise_flooding};
use crate::circuit::traits::Circuit;
use crate::error::Result;
use crate::fhe::{GlweShape, Lwe, SeededLayout, bad_parameters, noise};
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
    #[serde(rename = "scaling_factor_log2")]
    pub step_log2: u32,
    #[serde(rename = "input_body_bits")]
    pub input_bits: u32,
    #[serde(rename = "response_modulus_log2")]
    pub response_bits: u32,
    /// Uniform noise over `[-f, f)`, in units of 2^-64, drowns what the model left in the answer; `None`: not re-randomized.
    pub noise_flooding: Option<u64>,
}

impl LinearParams {
    /// Half of a step, in turns, as far as noise may reach.
    pub(super) fn margin(&self) -> f64 {
        (f64::from(self.step_log2) - 65.0).exp2() - noise::dependent_cut(self.noise_flooding, self.response_bits)
    }
}

impl Circuit for LinearParams {
    fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        self.shape.check()?;
        check_bits("input_bits", self.input_bits)?;
        check_bits("response_bits", self.response_bits)?;
        check_noise_flooding(self.noise_flooding)?;
        let scores = output.margins();
        if self.features != quantizer.features.len() || self.scores != scores || self.features > 1 << 20 {
            return Err(bad_parameters(format!(
                "{} features and {} scores for a model of {} features and {output:?}",
                self.features,
                self.scores,
                quantizer.features.len()
            )));
        }
        let mask_words = self.input_layout().ciphertexts().saturating_mul(self.shape.lwe_dimension());
        if mask_words > MAX_MASK_WORDS {
            return Err(bad_parameters(format!("{} features in {:?}", self.features, self.shape)));
        }
        if !(1..=62).contains(&self.step_log2) {
            return Err(bad_parameters(format!("a step of 2^{}", self.step_log2)));
        }
        Ok(())
    }

    fn input_layout(&self) -> SeededLayout {
        SeededLayout { shape: self.shape, bodies: self.features, bits: self.input_bits }
    }

    fn response_bytes(&self) -> usize {
        self.scores * Lwe::wire_len(self.shape.lwe_dimension(), self.response_bits)
    }

    fn answer_encoding(&self) -> AnswerEncoding {
        AnswerEncoding {
            margin: self.margin(),
            messages: self.scores,
            shape: self.shape,
            response_bits: self.response_bits,
            noise_flooding: self.noise_flooding,
        }
    }

    fn least_failure_log2(&self) -> Option<f64> {
        Some(self.answer_encoding().least_failure(noise::seeded_variance(self.shape, self.input_bits)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
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
                noise_flooding: None,
            };
            params.check(&Quantizer { features: vec![feature; features] }, Output::Value).map_err(|error| error.code)
        };
        assert_eq!(check(GlweShape::new(1, 4096), 1 << 20), Ok(()));
        assert_eq!(check(GlweShape::new(512, 16), 1 << 18), Ok(()));
        assert_eq!(check(GlweShape::new(512, 16), (1 << 18) + 1), Err(ErrorCode::ParametersInvalid));
    }
}
