//! The trained parameters of one layer and what it does to a batch.

use super::architecture::LayerShape;
use super::modulus::modulus_for;
use super::noise::Noise;
use super::round_op::RoundedWeights;
use super::staircase_op::{Moments, Staircase, Statistics, inverse_deviation};
use crate::data::random::Random;
use candle_core::{Device, Result, Tensor, Var};
use fhectl_core::model::MapShape;
use std::sync::{Arc, Mutex};

/// How much of a batch's mean and variance enters the running ones.
const MOMENTUM: f32 = 0.02;
/// How much of the farthest sum seen stays, a step.
const REACH_DECAY: f64 = 0.999;

/// What a pass over a batch is for.
pub(super) struct Pass<'a> {
    /// Weights and activations are rounded.
    pub(super) quantized: bool,
    /// Batch statistics are used and remembered.
    pub(super) training: bool,
    /// The circuit's noise; `None` for none.
    pub(super) noise: Option<&'a mut Noise>,
}

/// A linear map, normalization and a staircase.
pub(super) struct Hidden {
    pub(super) shape: LayerShape,
    pub(super) rounding: RoundedWeights,
    /// (channels, trained weights)
    pub(super) weights: Var,
    pub(super) log_gain: Var,
    pub(super) shift: Var,
    windows: Option<Windows>,
    /// (trained weights, taps) of zeros and ones, with pooling.
    fold: Option<Tensor>,
    pub(super) ends: (f32, f32),
    pub(super) sign: bool,
    /// Turns.
    pub(super) noise: f64,
    pub(super) moments: Moments,
    /// How far the valid range must reach, in sums.
    pub(super) reach: f64,
    /// The share of the running moments that batches have filled.
    pub(super) filled: f32,
}

/// The pixels under a convolution's kernel, position by position.
struct Windows {
    indices: Tensor,
    padded: bool,
    positions: usize,
}

impl Windows {
    fn new(map: &MapShape) -> Result<Option<Self>> {
        if matches!(map, MapShape::Dense { .. }) {
            return Ok(None);
        }
        let [rows, columns] = map.positions();
        let places = (0..rows).flat_map(|y| (0..columns).map(move |x| [y, x]));
        // Padding is one more input, a zero behind the last.
        let outside = map.inputs();
        let indices: Vec<u32> =
            places.flat_map(|place| map.window(place)).map(|tap| tap.unwrap_or(outside) as u32).collect();
        let padded = indices.contains(&(outside as u32));
        let positions = rows * columns;
        Ok(Some(Self { indices: Tensor::new(indices, &Device::Cpu)?, padded, positions }))
    }

    /// `(batch, inputs)` to `(batch * positions, taps)`.
    fn gather(&self, inputs: &Tensor, taps: usize) -> Result<Tensor> {
        let batch = inputs.dims()[0];
        let padded = if self.padded { inputs.pad_with_zeros(1, 0, 1)? } else { inputs.clone() };
        padded.contiguous()?.index_select(&self.indices, 1)?.reshape((batch * self.positions, taps))
    }
}

impl Hidden {
    pub(super) fn new(
        shape: LayerShape,
        rounding: RoundedWeights,
        ends: (f32, f32),
        sign: bool,
        noise: f64,
        random: &mut Random,
    ) -> Result<Self> {
        let (channels, weights, taps) = (shape.map.channels(), shape.weights(), shape.map.taps());
        let draws = initial(channels, weights, random);
        // At first two deviations of the sums fill a ReLU's steps, one and a half each side of a line's.
        let gain = if sign { 1.0 } else { (ends.1 / if ends.0 < 0.0 { 1.5 } else { 2.0 }).ln() };
        let fold = shape.fold.as_ref().map(|fold| {
            let mut matrix = vec![0f32; weights * taps];
            for (row, places) in fold.iter().enumerate() {
                places.iter().for_each(|place| matrix[row * taps + *place as usize] += 1.0);
            }
            Tensor::from_vec(matrix, (weights, taps), &Device::Cpu)
        });
        Ok(Self {
            rounding,
            weights: Var::from_vec(draws, (channels, weights), &Device::Cpu)?,
            log_gain: Var::from_vec(vec![gain; channels], channels, &Device::Cpu)?,
            shift: Var::from_vec(vec![0f32; channels], channels, &Device::Cpu)?,
            windows: Windows::new(&shape.map)?,
            fold: fold.transpose()?,
            ends,
            sign,
            noise,
            moments: Moments { mean: vec![0.0; channels], variance: vec![0.0; channels], ends: Vec::new() },
            reach: 0.0,
            filled: 0.0,
            shape,
        })
    }

    /// The weights of the exported map, `(channels, taps)`.
    pub(super) fn map_weights(&self, quantized: bool) -> Result<Tensor> {
        let weights = RoundedWeights { round: quantized, ..self.rounding }.apply(&self.weights)?;
        match &self.fold {
            Some(fold) => weights.matmul(fold),
            None => Ok(weights),
        }
    }

    /// The sums, `(batch * positions, channels)`.
    pub(super) fn sums(&self, inputs: &Tensor, quantized: bool) -> Result<Tensor> {
        let inputs = match &self.windows {
            Some(windows) => windows.gather(inputs, self.shape.map.taps())?,
            None => inputs.clone(),
        };
        inputs.matmul(&self.map_weights(quantized)?.t()?)
    }

    /// The mean and variance of every channel, seen in training.
    pub(super) fn running(&self) -> Moments {
        let share = self.filled.max(1e-6);
        let of = |values: &[f32]| values.iter().map(|value| value / share).collect();
        Moments { mean: of(&self.moments.mean), variance: of(&self.moments.variance), ends: Vec::new() }
    }

    pub(super) fn staircase(&self, statistics: Statistics, quantized: bool) -> Staircase {
        let (low, high) = self.ends;
        Staircase { low, high, sign: self.sign, round: quantized, noise: None, statistics }
    }

    /// `(batch, inputs)` to `(batch, outputs)`.
    pub(super) fn forward(&mut self, inputs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let sums = self.sums(inputs, pass.quantized)?;
        let batch = Arc::new(Mutex::new(Moments::default()));
        let statistics = match pass.training {
            true => Statistics::Batch(batch.clone()),
            false => Statistics::Fixed(Arc::new(self.running())),
        };
        let mut staircase = self.staircase(statistics, pass.quantized);
        if let Some(noise) = pass.noise.as_mut().filter(|_| self.reach > 0.0) {
            let deviation = self.noise * modulus_for(self.reach, self.noise) as f64;
            staircase.noise = Some(Arc::new(noise.draw(sums.elem_count(), deviation as f32)));
        }
        let out = sums.apply_op3(&self.log_gain, &self.shift, staircase)?;
        if pass.training {
            // The way back reads them too.
            let batch = batch.lock().expect("no thread panics with it").clone();
            self.remember(&batch)?;
        }
        out.reshape((inputs.dims()[0], self.shape.map.outputs()))
    }

    fn remember(&mut self, batch: &Moments) -> Result<()> {
        let blend = |old: &mut [f32], new: &[f32]| {
            old.iter_mut().zip(new).for_each(|(old, new)| *old += MOMENTUM * (new - *old));
        };
        blend(&mut self.moments.mean, &batch.mean);
        blend(&mut self.moments.variance, &batch.variance);
        self.filled += MOMENTUM * (1.0 - self.filled);
        let (gain, shift) = (self.log_gain.to_vec1::<f32>()?, self.shift.to_vec1::<f32>()?);
        let inner = if self.sign { (0.0, 0.0) } else { (self.ends.0 + 0.5, self.ends.1 - 0.5) };
        let mut farthest = 0f64;
        for (c, (low, high)) in batch.ends.iter().enumerate() {
            let slope = gain[c].exp() * inverse_deviation(batch.variance[c]);
            let threshold = |a: f32| f64::from(batch.mean[c] + (a - shift[c]) / slope);
            let need = (threshold(inner.1) - f64::from(*low)).max(f64::from(*high) - threshold(inner.0) + 1.0);
            farthest = farthest.max(need);
        }
        self.reach = farthest.max(self.reach * REACH_DECAY);
        Ok(())
    }
}

/// Random weights, each channel's norm about one: Adam's steps are of a fixed size, so this sets how fast they turn.
fn initial(channels: usize, weights: usize, random: &mut Random) -> Vec<f32> {
    let deviation = 1.0 / (weights as f64).sqrt();
    (0..channels * weights).map(|_| (random.normal() * deviation) as f32).collect()
}

/// The last linear map: one scale over all classes, for their scores are compared.
pub(super) struct Scores {
    pub(super) shape: LayerShape,
    pub(super) rounding: RoundedWeights,
    pub(super) weights: Var,
    /// In logits.
    pub(super) bias: Var,
    /// ln of what one step of a score is worth as a logit.
    pub(super) log_scale: Var,
    pub(super) noise: f64,
    /// Half the range of all scores seen.
    pub(super) reach: f64,
}

impl Scores {
    pub(super) fn new(
        shape: LayerShape,
        rounding: RoundedWeights,
        largest: f32,
        noise: f64,
        random: &mut Random,
    ) -> Result<Self> {
        let (classes, taps) = (shape.map.channels(), shape.map.taps());
        let draws = initial(classes, taps, random);
        // Logits of about one at first.
        let typical = 0.3 * rounding.norm / (classes as f32).sqrt() * largest;
        Ok(Self {
            shape,
            rounding,
            weights: Var::from_vec(draws, (classes, taps), &Device::Cpu)?,
            bias: Var::from_vec(vec![0f32; classes], classes, &Device::Cpu)?,
            log_scale: Var::from_vec(vec![-typical.ln()], 1, &Device::Cpu)?,
            noise,
            reach: 0.0,
        })
    }

    /// Integer weights `(classes, taps)` and biases, as floats.
    pub(super) fn map(&self, quantized: bool) -> Result<(Tensor, Tensor)> {
        let weights = RoundedWeights { round: quantized, ..self.rounding }.apply(&self.weights)?;
        let bias = self.bias.broadcast_div(&self.log_scale.exp()?)?;
        let bias = if quantized { (&bias + (bias.round()? - &bias)?.detach())? } else { bias };
        Ok((weights, bias))
    }

    /// Scores, `(batch, classes)`, in integer steps.
    pub(super) fn sums(&self, inputs: &Tensor, quantized: bool) -> Result<Tensor> {
        let (weights, bias) = self.map(quantized)?;
        inputs.matmul(&weights.t()?)?.broadcast_add(&bias)
    }

    /// Logits, `(batch, classes)`.
    pub(super) fn forward(&mut self, inputs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let mut sums = self.sums(inputs, pass.quantized)?;
        if pass.training {
            let seen = sums.flatten_all()?.to_vec1::<f32>()?;
            let (low, high) = seen.iter().fold((f32::MAX, f32::MIN), |(l, h), s| (l.min(*s), h.max(*s)));
            self.reach = (f64::from(high - low) / 2.0 + 1.0).max(self.reach * REACH_DECAY);
        }
        if let Some(noise) = pass.noise.as_mut().filter(|_| self.reach > 0.0) {
            let deviation = self.noise * modulus_for(self.reach, self.noise) as f64;
            let draws = noise.draw(sums.elem_count(), deviation as f32);
            sums = (&sums + Tensor::from_vec(draws, sums.shape(), &Device::Cpu)?)?;
        }
        sums.broadcast_mul(&self.log_scale.exp()?)
    }
}
