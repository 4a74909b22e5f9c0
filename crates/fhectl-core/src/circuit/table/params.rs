//! The public parameters of `Table`.

use crate::circuit::answer_encoding::AnswerEncoding;
use crate::circuit::checks::{check_bits, check_noise_flooding};
use crate::circuit::input_bits;
use crate::circuit::traits::Circuit;
use crate::error::Result;
use crate::fhe::ggsw::GgswLayout;
use crate::fhe::{Lwe, SeededLayout, bad_parameters, noise};
use crate::model::{Output, Quantizer};
use serde::{Deserialize, Serialize};

/// The most input bits: a table has an entry for each of their values.
pub const MAX_BITS: usize = 18;
/// The most scores of all entries together.
pub(super) const MAX_SCORES: usize = 1 << 23;

/// The public parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableParams {
    /// The bits of all features, a feature's lowest first.
    pub bits: GgswLayout,
    pub scores: usize,
    /// Scores lie in `low..low + 2^score_bits`.
    pub low: i64,
    pub score_bits: u32,
    /// Scores that share a ciphertext.
    #[serde(rename = "together")]
    pub scores_per_ciphertext: usize,
    #[serde(rename = "response_modulus_log2")]
    pub response_bits: u32,
    pub noise_flooding: Option<u64>,
}

impl TableParams {
    pub(super) fn answers(&self) -> usize {
        self.scores.div_ceil(self.scores_per_ciphertext)
    }

    /// CMUXes of one answer: a tree over polynomials, then a rotation by the bits within one.
    pub(super) fn cmuxes_an_answer(&self) -> usize {
        let low = self.bits.count.min(self.bits.shape.size.ilog2() as usize);
        (1 << (self.bits.count - low)) - 1 + low
    }

    pub(super) fn answer_bytes(&self) -> usize {
        Lwe::wire_len(self.bits.shape.lwe_dimension(), self.response_bits)
    }

    /// log2 of the messages of one answer.
    pub(super) fn message_bits(&self) -> u32 {
        self.score_bits * self.scores_per_ciphertext as u32
    }

    /// Half of a step, in turns, as far as noise may reach.
    pub(super) fn margin(&self) -> f64 {
        (-f64::from(self.message_bits()) - 1.0).exp2() - noise::dependent_cut(self.noise_flooding, self.response_bits)
    }
}

impl Circuit for TableParams {
    fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        self.bits.check()?;
        check_bits("response_bits", self.response_bits)?;
        check_noise_flooding(self.noise_flooding)?;
        let wanted = input_bits::count(quantizer);
        if self.bits.count != wanted || wanted > MAX_BITS {
            return Err(bad_parameters(format!("{} bits for features of {wanted}", self.bits.count)));
        }
        if self.scores == 0
            || (self.scores != output.classes() && self.scores != output.margins())
            || self.scores << wanted > MAX_SCORES
            || !(1..=self.scores).contains(&self.scores_per_ciphertext)
        {
            return Err(bad_parameters(format!("{} scores, {} together", self.scores, self.scores_per_ciphertext)));
        }
        if !(1..=40).contains(&self.score_bits) || self.scores_per_ciphertext > 40 || self.message_bits() > 40 {
            return Err(bad_parameters(format!(
                "{} scores of {} bits together",
                self.scores_per_ciphertext, self.score_bits
            )));
        }
        if self.low.unsigned_abs() > 1 << 62 {
            return Err(bad_parameters(format!("scores from {} on", self.low)));
        }
        Ok(())
    }

    fn input_layout(&self) -> SeededLayout {
        self.bits.layout()
    }

    fn response_bytes(&self) -> usize {
        self.answers() * self.answer_bytes()
    }

    fn answer_encoding(&self) -> AnswerEncoding {
        AnswerEncoding {
            margin: self.margin(),
            messages: self.answers(),
            shape: self.bits.shape,
            response_bits: self.response_bits,
            noise_flooding: self.noise_flooding,
        }
    }

    fn least_failure_log2(&self) -> Option<f64> {
        Some(self.answer_encoding().least_failure(self.bits.count as f64 * self.bits.cmux_variance()))
    }

    fn cmuxes(&self) -> usize {
        self.answers() * self.cmuxes_an_answer()
    }
}
