//! The network while it is trained: parameters in floats, rounded on the way through where asked for.

use super::aim::Aim;
use super::architecture::{ActivationKind, Architecture};
use super::layers::{Hidden, Pass, Scores};
use super::params::TrainingParams;
use super::round_op::RoundedWeights;
use super::samples::Samples;
use super::staircase_op::Moments;
use crate::data::Dataset;
use crate::data::random::Random;
use candle_core::{Tensor, Var};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Quantizer;

/// Rows judged at once.
const CHUNK: usize = 1000;

/// A trained float network; see [`FloatNetwork::accuracy`].
pub struct FloatNetwork {
    pub(super) hidden: Vec<Hidden>,
    pub(super) scores: Scores,
}

/// All parameters of a network at one time.
pub(super) struct Snapshot {
    tensors: Vec<Tensor>,
    /// Moments, their filling and the reach of every hidden layer.
    hidden: Vec<(Moments, f32, f64)>,
    reach: f64,
}

impl FloatNetwork {
    /// Random parameters. `largest` is the highest value of an input.
    pub(super) fn new(
        architecture: &Architecture,
        params: &TrainingParams,
        features: usize,
        scores: usize,
    ) -> Result<Self> {
        let mut shapes = architecture.layers(features, scores)?;
        let mut random = Random::new(params.seed ^ 0x1417);
        let top = params.top();
        // The norm at which rounding a normal weight costs least: its standard deviation is about 0.4 of the largest.
        let norm_of = |weights: usize, most: f64| ((0.4 * top).max(0.8) * (weights as f64).sqrt()).min(most);
        let last = shapes.pop().expect("an architecture has scores");
        let ends = architecture.activation.ends(architecture.activation_bits);
        let sign = architecture.activation == ActivationKind::Sign;
        let mut most = params.first_norm;
        let mut hidden = Vec::with_capacity(shapes.len());
        for shape in shapes {
            let norm = norm_of(shape.weights(), most) as f32;
            most = params.later_norm;
            let rounding = RoundedWeights { norm, top: top as f32, shared: false, round: true };
            hidden.push(Hidden::new(shape, rounding, ends, sign, params.noise, &mut random).map_err(failed)?);
        }
        // One norm for all scores together.
        let norm = (norm_of(last.weights(), most) * (scores as f64).sqrt()) as f32;
        let rounding = RoundedWeights { norm, top: top as f32, shared: true, round: true };
        let largest = ends.1;
        let scores = Scores::new(last, rounding, largest, params.score_noise, &mut random).map_err(failed)?;
        Ok(Self { hidden, scores })
    }

    /// Takes the weights off inputs that never vary: they could only add noise.
    pub(super) fn without(&mut self, constant: &[bool]) -> candle_core::Result<()> {
        let weights = match self.hidden.first() {
            Some(first) if first.shape.weights() == constant.len() => &first.weights,
            None if self.scores.shape.weights() == constant.len() => &self.scores.weights,
            _ => return Ok(()),
        };
        let mask: Vec<f32> = constant.iter().map(|constant| if *constant { 0.0 } else { 1.0 }).collect();
        weights.set(&weights.broadcast_mul(&Tensor::new(mask, weights.device())?)?)
    }

    /// Logits, `(batch, classes)`.
    pub(super) fn forward(&mut self, inputs: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let mut values = inputs.clone();
        for layer in &mut self.hidden {
            values = layer.forward(&values, pass)?;
        }
        self.scores.forward(&values, pass)
    }

    /// Scales weights back to the length they began with, which changes no output: their length only sets how fast they
    /// turn, and it grows with every step.
    pub(super) fn rescale(&self) -> candle_core::Result<()> {
        let lengths = |weights: &Var| weights.sqr()?.sum_keepdim(1)?.sqrt()?.maximum(1e-6);
        for layer in &self.hidden {
            layer.weights.set(&layer.weights.broadcast_div(&lengths(&layer.weights)?)?)?;
        }
        // Classes keep their lengths relative to each other.
        let weights = &self.scores.weights;
        weights.set(&weights.broadcast_div(&lengths(weights)?.mean_all()?)?)
    }

    pub(super) fn vars(&self) -> Vec<Var> {
        let hidden = self.hidden.iter().flat_map(|layer| [&layer.weights, &layer.log_gain, &layer.shift]);
        hidden.chain([&self.scores.weights, &self.scores.bias, &self.scores.log_scale]).cloned().collect()
    }

    pub(super) fn snapshot(&self) -> candle_core::Result<Snapshot> {
        Ok(Snapshot {
            tensors: self.vars().iter().map(|var| var.as_tensor().copy()).collect::<candle_core::Result<_>>()?,
            hidden: self.hidden.iter().map(|layer| (layer.moments.clone(), layer.filled, layer.reach)).collect(),
            reach: self.scores.reach,
        })
    }

    /// Goes back to a snapshot of this network, or of one of the same architecture.
    pub(super) fn restore(&mut self, snapshot: &Snapshot) -> candle_core::Result<()> {
        for (var, tensor) in self.vars().iter().zip(&snapshot.tensors) {
            var.set(tensor)?;
        }
        for (layer, (moments, filled, reach)) in self.hidden.iter_mut().zip(&snapshot.hidden) {
            (layer.moments, layer.filled, layer.reach) = (moments.clone(), *filled, *reach);
        }
        self.scores.reach = snapshot.reach;
        Ok(())
    }

    /// The share of these rows that is told right, for numbers R2, and their mean loss.
    pub(super) fn judge(
        &mut self,
        samples: &Samples,
        aim: &Aim,
        rows: &[usize],
        pass: &mut Pass<'_>,
    ) -> candle_core::Result<(f64, f64)> {
        let (mut right, mut loss) = (0f64, 0f64);
        for chunk in rows.chunks(CHUNK) {
            let inputs = samples.batch(chunk, pass.quantized, None)?;
            let outputs = self.forward(&inputs, pass)?;
            let targets = aim.targets(chunk, 0.0)?;
            loss += f64::from(aim.loss(&outputs, &targets)?.to_scalar::<f32>()?) * chunk.len() as f64;
            right += aim.right(&outputs, chunk)?;
        }
        Ok((right / rows.len().max(1) as f64, loss / rows.len().max(1) as f64))
    }

    /// The share of rows of `data` that are classified right without any rounding, from 0 to 1 (0 without rows).
    ///
    /// # Errors
    /// `row_shape` where the rows are others than trained on.
    pub fn accuracy(&mut self, data: &Dataset, quantizer: &Quantizer) -> Result<f64> {
        let outputs = self.outputs(data, quantizer)?;
        let hits = outputs.iter().zip(&data.labels).filter(|(row, label)| best(row) == **label as usize).count();
        Ok(hits as f64 / data.len().max(1) as f64)
    }

    /// The logits of rows, or their standardized number, without any rounding.
    pub(super) fn outputs(&mut self, data: &Dataset, quantizer: &Quantizer) -> Result<Vec<Vec<f32>>> {
        let samples = Samples::new(data, quantizer)?;
        let rows: Vec<usize> = (0..data.len()).collect();
        let mut pass = Pass { quantized: false, training: false, noise: None };
        let mut outputs = Vec::with_capacity(rows.len());
        for chunk in rows.chunks(CHUNK) {
            let of_chunk = samples.batch(chunk, false, None).and_then(|inputs| self.forward(&inputs, &mut pass));
            outputs.extend(of_chunk.and_then(|outputs| outputs.to_vec2::<f32>()).map_err(failed)?);
        }
        Ok(outputs)
    }
}

/// The largest, the first of equals.
fn best(logits: &[f32]) -> usize {
    (0..logits.len()).fold(0, |best, at| if logits[at] > logits[best] { at } else { best })
}

pub(super) fn failed(error: candle_core::Error) -> Error {
    Error::new(ErrorCode::Training, format!("candle: {error}"))
}
