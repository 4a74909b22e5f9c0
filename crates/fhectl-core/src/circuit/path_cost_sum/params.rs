//! The public parameters of `PathCost` for sums of trees.

use super::moduli::{coprime, rough};
use crate::circuit::answer_encoding::AnswerEncoding;
use crate::circuit::checks::{check_bits, check_noise_flooding};
use crate::circuit::prime::is_prime;
use crate::circuit::thermometer;
use crate::circuit::traits::Circuit;
use crate::error::Result;
use crate::fhe::{PartialGlwe, SeededLayout, bad_parameters, noise};
use crate::model::{Output, Quantizer};
use serde::{Deserialize, Serialize};

/// The most leaves of an answer.
pub const MAX_SLOTS: usize = 1 << 18;
/// The most copies of the input bits, and moduli of a copy.
pub(super) const MAX_COPIES: usize = 4;
pub(super) const MAX_COLUMNS: usize = 8;
/// The largest plaintext modulus, and the largest product of the moduli of a copy.
pub(super) const MAX_MODULUS: u64 = 1 << 20;
pub(super) const MAX_COPY: u64 = 1 << 30;
/// Sums of values stay below it.
pub(super) const MAX_VALUES: u128 = 1 << 62;
/// The most messages of an answer: [`MAX_SLOTS`] leaves of some scores.
pub(super) const MAX_MESSAGES: usize = 1 << 24;
/// The most bytes of an answer.
pub(super) const MAX_RESPONSE: usize = 1 << 27;

/// The public parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PathCostSumParams {
    /// The copies of the thermometer, spread out and padded to whole ciphertexts; its key is also the answer's.
    pub input: SeededLayout,
    /// Coefficients from one input bit to the next; answers that share a ciphertext.
    pub stride: usize,
    /// For each copy of the input bits the moduli that are computed from it. Pairwise coprime.
    pub plaintext_moduli: Vec<Vec<u64>>,
    /// A prime that no count of violations reaches; divides the first modulus, whose residues by it are the counts.
    pub count_modulus: u64,
    pub trees: usize,
    /// Leaves of all trees, rounded up.
    pub slots: usize,
    pub scores: usize,
    /// Scores that are digits of one sum.
    #[serde(rename = "together")]
    pub scores_per_sum: usize,
    /// Scores lie in `low..low + width`.
    pub low: i64,
    pub width: u64,
    #[serde(rename = "response_modulus_log2")]
    pub response_bits: u32,
    pub noise_flooding: Option<u64>,
}

impl PathCostSumParams {
    /// The moduli of a sum's residues: each plaintext modulus, the first divided by what it has for the count.
    pub(super) fn value_moduli(&self) -> Vec<u64> {
        let mut moduli = self.plaintext_moduli.concat();
        moduli[0] /= self.count_modulus;
        moduli
    }

    /// Sums: scores, up to `scores_per_sum` in each.
    pub(super) fn sums(&self) -> usize {
        self.scores.div_ceil(self.scores_per_sum)
    }

    /// Ciphertexts that a slot has a coefficient in: for every sum its residues.
    pub(super) fn columns(&self) -> usize {
        self.sums() * self.plaintext_moduli.iter().map(Vec::len).sum::<usize>()
    }

    /// GLWE ciphertexts of an answer.
    pub fn ciphertexts(&self) -> usize {
        self.slots / self.stride * self.columns()
    }

    /// Messages of an answer.
    pub fn messages(&self) -> usize {
        self.slots * self.columns()
    }

    pub(super) fn ciphertext_bytes(&self) -> usize {
        PartialGlwe::wire_len(self.input.shape, self.stride, self.response_bits)
    }

    /// Half of a step, in turns, as far as noise may reach.
    pub(super) fn margin(&self) -> f64 {
        0.5 / self.plaintext_moduli.iter().flatten().copied().max().unwrap_or(2) as f64
            - noise::dependent_cut(self.noise_flooding, self.response_bits)
    }

    fn check_moduli(&self) -> Result<()> {
        let wrong = || {
            bad_parameters(format!(
                "plaintext moduli {:?} with counts below {}",
                self.plaintext_moduli, self.count_modulus
            ))
        };
        let sizes = self.plaintext_moduli.iter().all(|copy| (1..=MAX_COLUMNS).contains(&copy.len()));
        if !sizes || !(1..=MAX_COPIES).contains(&self.plaintext_moduli.len()) || !is_prime(self.count_modulus) {
            return Err(wrong());
        }
        let all = self.plaintext_moduli.concat();
        let bounded =
            all.iter().all(|modulus| (3..=MAX_MODULUS).contains(modulus) && rough(*modulus, self.count_modulus));
        let copies = self.plaintext_moduli.iter().all(|copy| {
            copy.iter()
                .try_fold(1, |product: u64, c| product.checked_mul(*c))
                .is_some_and(|product| product <= MAX_COPY)
        });
        if !bounded || !copies || !all[0].is_multiple_of(self.count_modulus) {
            return Err(wrong());
        }
        let pairs = (0..all.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        let distinct = pairs.into_iter().all(|(i, j)| coprime(all[i], all[j]));
        if distinct && coprime(all[0] / self.count_modulus, self.count_modulus) { Ok(()) } else { Err(wrong()) }
    }

    fn check_scores(&self, output: Output) -> Result<()> {
        if self.scores == 0
            || (self.scores != output.classes() && self.scores != output.margins())
            || !(1..=self.scores).contains(&self.scores_per_sum)
        {
            return Err(bad_parameters(format!("{} scores, {} together", self.scores, self.scores_per_sum)));
        }
        let wanted = std::iter::repeat_n(self.width, self.scores_per_sum.min(64));
        let (values, wanted) = (product(self.value_moduli()), product(wanted));
        let holds = matches!((values, wanted), (Some(values), Some(wanted)) if wanted <= values);
        if !holds || self.width < 2 || self.low.unsigned_abs() > 1 << 62 {
            return Err(bad_parameters(format!(
                "{} scores from {} to {} above it in residues by {:?}",
                self.scores_per_sum,
                self.low,
                self.width,
                self.value_moduli()
            )));
        }
        Ok(())
    }
}

/// A product that sums of values may reach.
fn product(factors: impl IntoIterator<Item = u64>) -> Option<u128> {
    factors
        .into_iter()
        .try_fold(1u128, |product, factor| Some(product * u128::from(factor)).filter(|product| *product < MAX_VALUES))
}

impl Circuit for PathCostSumParams {
    fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        self.input.shape.check()?;
        check_bits("input.bits", self.input.bits)?;
        check_bits("response_bits", self.response_bits)?;
        check_noise_flooding(self.noise_flooding)?;
        if !self.stride.is_power_of_two() || self.stride > self.input.shape.size {
            return Err(bad_parameters(format!("{} answers per ciphertext", self.stride)));
        }
        self.check_moduli()?;
        thermometer::check_spread(quantizer, &self.input, self.plaintext_moduli.len() * self.stride)?;
        let slots = self.slots.is_multiple_of(self.stride) && (1..=MAX_SLOTS).contains(&self.slots);
        if !slots || !(1..=self.slots).contains(&self.trees) {
            return Err(bad_parameters(format!("{} slots for {} trees", self.slots, self.trees)));
        }
        self.check_scores(output)?;
        // In this order: the second product is only known to fit once the first is.
        if self.messages() > MAX_MESSAGES || self.response_bytes() > MAX_RESPONSE {
            return Err(bad_parameters(format!("an answer of {} ciphertexts", self.ciphertexts())));
        }
        Ok(())
    }

    fn input_layout(&self) -> SeededLayout {
        self.input
    }

    fn response_bytes(&self) -> usize {
        self.ciphertexts() * self.ciphertext_bytes()
    }

    fn answer_encoding(&self) -> AnswerEncoding {
        AnswerEncoding {
            margin: self.margin(),
            messages: self.messages(),
            shape: self.input.shape,
            response_bits: self.response_bits,
            noise_flooding: self.noise_flooding,
        }
    }

    fn least_failure_log2(&self) -> Option<f64> {
        Some(self.answer_encoding().least_failure(noise::seeded_variance(self.input.shape, self.input.bits)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::fhe::GlweShape;
    use crate::model::FeatureQuantizer;

    fn params() -> PathCostSumParams {
        PathCostSumParams {
            input: SeededLayout { shape: GlweShape::new(5, 512), bodies: 1024, bits: 57 },
            stride: 8,
            plaintext_moduli: vec![vec![5 * 49], vec![251]],
            count_modulus: 5,
            trees: 3,
            slots: 24,
            scores: 1,
            scores_per_sum: 1,
            low: -6144,
            width: 12288,
            response_bits: 17,
            noise_flooding: Some(1 << 53),
        }
    }

    /// A change that makes parameters what no search finds.
    type Damage = fn(&mut PathCostSumParams);

    #[test]
    fn parameters_that_cannot_be_computed_with_are_refused() {
        let feature = FeatureQuantizer::Edges { edges: (0..19).map(f64::from).collect() };
        let quantizer = Quantizer { features: vec![feature; 3] };
        params().check(&quantizer, Output::Value).unwrap();
        let damages: [Damage; 33] = [
            |p| p.input.shape.size = 500,
            |p| p.input.shape.dimension = usize::MAX,
            |p| p.input.bits = 65,
            |p| p.input.bodies = 512,
            |p| p.input.bodies = usize::MAX,
            |p| p.stride = 0,
            |p| p.stride = 3,
            |p| p.stride = 1024,
            |p| p.stride = 16,
            |p| p.plaintext_moduli.clear(),
            |p| p.plaintext_moduli[0].clear(),
            |p| p.plaintext_moduli.extend([7, 11, 13].map(|modulus| vec![modulus])),
            |p| p.plaintext_moduli[0][0] = 244,
            |p| p.plaintext_moduli[0][0] = 5 * 5 * 7,
            |p| p.plaintext_moduli[1][0] = 253 * 2,
            |p| p.plaintext_moduli[1][0] = 7 * 31,
            |p| p.plaintext_moduli[1][0] = u64::MAX,
            |p| p.plaintext_moduli[1].push(0),
            |p| p.plaintext_moduli = vec![vec![5 * 49, 1_048_573, 1_048_571], vec![251]],
            |p| p.count_modulus = 7,
            |p| p.count_modulus = 0,
            |p| p.trees = 0,
            |p| p.trees = 25,
            |p| p.slots = 20,
            |p| p.slots = 1 << 60,
            |p| p.scores = 2,
            |p| p.scores_per_sum = 0,
            |p| p.scores_per_sum = 2,
            |p| p.width = 49 * 251 + 1,
            |p| p.width = 1,
            |p| p.low = i64::MIN,
            |p| p.noise_flooding = Some((1 << 62) + 1),
            |p| p.response_bits = 0,
        ];
        for (index, damage) in damages.into_iter().enumerate() {
            let mut damaged = params();
            damage(&mut damaged);
            let refused = damaged.check(&quantizer, Output::Value);
            assert_eq!(
                refused.map_err(|error| error.code),
                Err(ErrorCode::ParametersInvalid),
                "damage {index}: {damaged:?}"
            );
        }
    }
}
