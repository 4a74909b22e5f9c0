//! How far a network in integers, with the noise of encryption, agrees with its original.

use crate::data::random::Random;
use crate::import::agreement::Agreement;
use crate::import::network::float_graph::FloatGraph;
use crate::import::network::quantize::QuantizedNetwork;
use fhectl_core::bundle::ScoreDecoder;
use fhectl_core::circuit::CircuitSpec;
use fhectl_core::error::Result;
use fhectl_core::model::{IntegerNetwork, Model, Quantizer};
use rayon::prelude::*;

/// Judgments at least: few rows are judged again under other noise.
const JUDGED: usize = 1000;
/// Rows at most.
const MAX_ROWS: usize = 1000;
/// The seed of noise, the same for all that is compared.
const SEED: u64 = 0x6a75_6467;

/// What an import must keep of its original, with the noise of encryption: of classes the share of rows with the original's
/// class.
pub const LEAST_SAME: f64 = 0.99;
/// The same of numbers, in R2.
pub const LEAST_R2: f64 = 0.99;
/// What is kept enough.
const WANTED: Bound = Bound { same: LEAST_SAME, of_class: 0.95, distance: 0.015, r2: LEAST_R2 };
/// What is enough for a network that costs a third less, on many rows.
const NEARLY: Bound = Bound { same: 0.98, of_class: 0.92, distance: 0.03, r2: 0.98 };

/// What is asked beyond that of few rows, over the root of their number: that many could keep as much by chance.
const CHANCE: f64 = 0.1;

/// How much must be kept.
struct Bound {
    /// The share of rows with the original's class.
    same: f64,
    /// The same of the original's worst class.
    of_class: f64,
    /// The most that scores (probabilities) may lie apart in the mean.
    distance: f64,
    /// R2 of numbers with the original's.
    r2: f64,
}

/// Rows that were kept back, and what the original says of them.
pub(in super::super) struct Judge<'a> {
    decoder: &'a ScoreDecoder,
    rows: Vec<&'a Vec<f64>>,
    /// Of every judgment: all rows, then again.
    original: Vec<Vec<f64>>,
}

impl<'a> Judge<'a> {
    /// Judges by these rows, no more than `most`.
    pub(in super::super) fn new(
        graph: &FloatGraph,
        rows: Vec<&'a Vec<f64>>,
        most: usize,
        decoder: &'a ScoreDecoder,
    ) -> Self {
        let count = rows.len().min(MAX_ROWS).min(most.max(1));
        let rows: Vec<&Vec<f64>> = (0..count).map(|at| rows[at * rows.len() / count]).collect();
        let original: Vec<Vec<f64>> = rows.par_iter().map(|row| graph.evaluate(row)).collect();
        let rounds = JUDGED.min(most).div_ceil(count.max(1)).clamp(1, 64);
        let original = std::iter::repeat_n(original, rounds).flatten().collect();
        Self { decoder, rows, original }
    }

    /// Without noise.
    pub(in super::super) fn clear(&self, network: &QuantizedNetwork) -> Result<Agreement> {
        let rows = self.quantized(&network.quantizer)?;
        let scores = rows.par_iter().map(|row| network.network.scores(row)).collect();
        Ok(self.agreement(network, scores))
    }

    /// With as much noise as keys are allowed to make: what no choice of them exceeds.
    pub(in super::super) fn allowed(&self, network: &QuantizedNetwork) -> Result<Agreement> {
        let rows = self.quantized(&network.quantizer)?;
        let draws = 0..self.original.len();
        let scores = draws.into_par_iter().map(|draw| noisy(&network.network, &rows[draw % rows.len()], draw as u64));
        Ok(self.agreement(network, scores.collect()))
    }

    /// With the noise of a circuit's keys; as [`Judge::clear`] where the circuit is exact.
    pub(in super::super) fn simulated(&self, network: &QuantizedNetwork, circuit: &CircuitSpec) -> Result<Agreement> {
        let model = Model::Network(network.network.clone());
        let Some(simulator) = circuit.simulator(&model)? else { return self.clear(network) };
        let rows = self.quantized(&network.quantizer)?;
        let draws = 0..self.original.len();
        let scores = draws.into_par_iter().map(|draw| simulator.scores(&rows[draw % rows.len()], draw as u64));
        Ok(self.agreement(network, scores.collect()))
    }

    /// Whether nearly enough of the original is kept, and not by chance.
    pub(in super::super) fn nearly(&self, agreement: &Agreement) -> bool {
        let more = CHANCE / (self.rows.len().max(1) as f64).sqrt();
        NEARLY.is_kept(agreement) && agreement.share() >= NEARLY.same + more
    }

    fn quantized(&self, quantizer: &Quantizer) -> Result<Vec<Vec<u32>>> {
        self.rows.par_iter().map(|row| quantizer.quantize(row)).collect()
    }

    fn agreement(&self, network: &QuantizedNetwork, scores: Vec<Vec<i64>>) -> Agreement {
        let real = |score: &i64| *score as f64 * network.score_scale + network.score_offset;
        let scores: Vec<Vec<f64>> = scores.iter().map(|scores| scores.iter().map(real).collect()).collect();
        Agreement::of(self.decoder, &self.original[..scores.len()], &scores, true)
    }
}

impl Bound {
    fn is_kept(&self, agreement: &Agreement) -> bool {
        match agreement {
            Agreement::Values { r2 } => *r2 >= self.r2,
            Agreement::Classes { same_class, worst_class, scores } => {
                *same_class >= self.same
                    && *worst_class >= self.of_class
                    && scores.is_none_or(|scores| scores.mean <= self.distance)
            }
        }
    }
}

/// Whether nearly enough is kept, be it by chance.
pub(super) fn nearly_holds(agreement: &Agreement) -> bool {
    NEARLY.is_kept(agreement)
}

/// Whether enough of the original is kept.
pub(in super::super) fn holds(agreement: &Agreement) -> bool {
    WANTED.is_kept(agreement)
}

/// One number to choose by: what is predicted first, then scores, which tell networks apart that answer alike on nearly all
/// rows.
pub(in super::super) fn worth(agreement: &Agreement) -> f64 {
    match agreement {
        Agreement::Values { r2 } => *r2,
        Agreement::Classes { same_class, worst_class, scores } => {
            same_class + 0.1 * worst_class - scores.map_or(0.0, |scores| scores.mean)
        }
    }
}

/// The scores of a row with noise on every sum.
fn noisy(network: &IntegerNetwork, row: &[u32], draw: u64) -> Vec<i64> {
    let mut random = Random::new(SEED ^ draw.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut values: Vec<i64> = row.iter().map(|q| i64::from(*q)).collect();
    for layer in &network.layers {
        let deviation = layer.noise * layer.plaintext_modulus as f64;
        let mut sums = layer.map.apply(&values);
        sums.iter_mut().for_each(|sum| *sum += (deviation * random.normal()).round() as i64);
        let Some(activation) = &layer.activation else { return sums };
        let channels = layer.map.shape.channels();
        values = sums.iter().enumerate().map(|(at, z)| i64::from(activation.apply(at % channels, *z))).collect();
    }
    values
}
