//! The public parameters of `CmuxForest`.

use crate::circuit::answer_encoding::AnswerEncoding;
use crate::circuit::checks::{check_bits, check_noise_flooding};
use crate::circuit::traits::Circuit;
use crate::circuit::{input_bits, residues};
use crate::error::Result;
use crate::fhe::ggsw::GgswLayout;
use crate::fhe::{PartialGlwe, SeededLayout, bad_parameters, noise};
use crate::model::{Output, Quantizer};
use serde::{Deserialize, Serialize};

/// The public parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CmuxForestParams {
    /// The bits of all features, a feature's lowest first.
    pub bits: GgswLayout,
    pub scores: usize,
    /// Scores lie in `low..low + product`, the product of the moduli.
    pub low: i64,
    /// Pairwise coprime; coefficient `s * moduli + m` of an answer is score `s - low` modulo modulus `m`.
    #[serde(rename = "plaintext_moduli")]
    pub moduli: Vec<u64>,
    /// CMUXes an inference, rounded up to two significant bits.
    pub cmuxes: usize,
    #[serde(rename = "response_modulus_log2")]
    pub response_bits: u32,
    pub noise_flooding: Option<u64>,
}

impl CmuxForestParams {
    /// Coefficients of an answer.
    pub fn coefficients(&self) -> usize {
        self.scores * self.moduli.len()
    }

    /// Half of a step, in turns, as far as noise may reach.
    pub(super) fn margin(&self) -> f64 {
        0.5 / self.moduli.iter().copied().max().unwrap_or(2) as f64
            - noise::dependent_cut(self.noise_flooding, self.response_bits)
    }
}

impl Circuit for CmuxForestParams {
    fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        self.bits.check()?;
        check_bits("response_bits", self.response_bits)?;
        check_noise_flooding(self.noise_flooding)?;
        let wanted = input_bits::count(quantizer);
        if self.bits.count != wanted {
            return Err(bad_parameters(format!("{} bits for features of {wanted}", self.bits.count)));
        }
        if self.scores != output.classes() && self.scores != output.margins() {
            return Err(bad_parameters(format!("{} scores for {output:?}", self.scores)));
        }
        let product = residues::product(&self.moduli).filter(|_| !self.moduli.is_empty() && self.moduli.len() <= 16);
        if product.is_none() || self.moduli.iter().any(|modulus| *modulus > 1 << 20) {
            return Err(bad_parameters(format!("moduli {:?}", self.moduli)));
        }
        if self.low.unsigned_abs() > 1 << 61 {
            return Err(bad_parameters(format!("scores from {} on", self.low)));
        }
        if self.scores == 0 || self.coefficients() > self.bits.shape.size {
            return Err(bad_parameters(format!(
                "{} coefficients in polynomials of {}",
                self.coefficients(),
                self.bits.shape.size
            )));
        }
        Ok(())
    }

    fn input_layout(&self) -> SeededLayout {
        self.bits.layout()
    }

    fn response_bytes(&self) -> usize {
        PartialGlwe::wire_len(self.bits.shape, self.coefficients(), self.response_bits)
    }

    fn answer_encoding(&self) -> AnswerEncoding {
        AnswerEncoding {
            margin: self.margin(),
            messages: self.coefficients(),
            shape: self.bits.shape,
            response_bits: self.response_bits,
            noise_flooding: self.noise_flooding,
        }
    }

    fn least_failure_log2(&self) -> Option<f64> {
        // One, whatever is stated.
        Some(self.answer_encoding().least_failure(self.bits.cmux_variance()))
    }

    fn cmuxes(&self) -> usize {
        self.cmuxes
    }
}
