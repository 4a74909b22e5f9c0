//! Normalization, noise and the staircase in one candle operation with a gradient of its own.
//!
//! Written in single operations this would be most of the training time: each allocates several times on the way back.

use super::round_op::floats;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use std::sync::{Arc, Mutex};

/// Sums beyond so many standard deviations are penalized: the modulus must hold the farthest of them.
const FAR: f32 = 3.5;
/// The weight of that penalty beside the loss. Small: far sums are often the telling ones, a stroke on an empty patch.
const PENALTY: f32 = 0.05;
const EPSILON: f32 = 1e-3;

/// Normalizes every channel of the sums `z` (positions, channels) over the batch, adds the circuit's noise, and takes
/// the staircase of `exp(log_gain) * normalized + shift`. The gain is positive by construction, so that a staircase
/// never runs downward.
#[derive(Clone)]
pub(super) struct Staircase {
    pub(super) low: f32,
    pub(super) high: f32,
    /// Two outputs, the ends.
    pub(super) sign: bool,
    /// Without it the staircase is the line it approximates.
    pub(super) round: bool,
    /// One a sum, in the sums' units; `None` for none.
    pub(super) noise: Option<Arc<Vec<f32>>>,
    pub(super) statistics: Statistics,
}

/// Where mean and deviation come from.
#[derive(Clone)]
pub(super) enum Statistics {
    /// The batch, left here for the caller.
    Batch(Arc<Mutex<Moments>>),
    /// What was seen in training.
    Fixed(Arc<Moments>),
}

/// What a batch had, a value a channel.
#[derive(Debug, Clone, Default)]
pub(super) struct Moments {
    pub(super) mean: Vec<f32>,
    pub(super) variance: Vec<f32>,
    /// The lowest and highest sum.
    pub(super) ends: Vec<(f32, f32)>,
}

impl Moments {
    /// Means first, then deviations from them: sums are thousands with deviations of tens.
    pub(super) fn of(z: &[f32], channels: usize) -> Self {
        let rows = (z.len() / channels) as f64;
        let mut mean = vec![0f64; channels];
        let mut ends = vec![(f32::MAX, f32::MIN); channels];
        for row in z.chunks_exact(channels) {
            for ((z, mean), (low, high)) in row.iter().zip(&mut mean).zip(&mut ends) {
                *mean += f64::from(*z);
                *low = low.min(*z);
                *high = high.max(*z);
            }
        }
        let mean: Vec<f32> = mean.iter().map(|sum| (sum / rows) as f32).collect();
        let mut variance = vec![0f64; channels];
        for row in z.chunks_exact(channels) {
            for ((z, mean), variance) in row.iter().zip(&mean).zip(&mut variance) {
                *variance += f64::from(z - mean).powi(2);
            }
        }
        let variance = variance.iter().map(|sum| (sum / rows) as f32).collect();
        Self { mean, variance, ends }
    }
}

/// One over the standard deviation that stands for a variance.
pub(super) fn inverse_deviation(variance: f32) -> f32 {
    1.0 / (variance + EPSILON).sqrt()
}

impl Staircase {
    /// The output for one sum without noise, by the very operations of the forward pass.
    pub(super) fn value(&self, z: f32, mean: f32, inverse: f32, gain: f32, shift: f32) -> f32 {
        self.output(gain * ((z - mean) * inverse) + shift)
    }

    fn output(&self, a: f32) -> f32 {
        match (self.round, self.sign) {
            (false, _) => a.clamp(self.low, self.high),
            (true, true) => {
                if a >= 0.0 {
                    self.high
                } else {
                    self.low
                }
            }
            (true, false) => a.round().clamp(self.low, self.high),
        }
    }

    /// The mean and the inverse deviation of each channel.
    fn moments(&self) -> (Vec<f32>, Vec<f32>) {
        let split = |moments: &Moments| {
            (moments.mean.clone(), moments.variance.iter().map(|v| inverse_deviation(*v)).collect())
        };
        match &self.statistics {
            Statistics::Fixed(moments) => split(moments),
            Statistics::Batch(moments) => split(&moments.lock().expect("no thread panics with it")),
        }
    }

    fn noise(&self, at: usize) -> f32 {
        self.noise.as_ref().map_or(0.0, |noise| noise[at])
    }
}

impl CustomOp3 for Staircase {
    fn name(&self) -> &'static str {
        "staircase"
    }

    fn cpu_fwd(
        &self,
        z: &CpuStorage,
        z_layout: &Layout,
        log_gain: &CpuStorage,
        gain_layout: &Layout,
        shift: &CpuStorage,
        shift_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let z = floats(z, z_layout)?;
        let gain: Vec<f32> = floats(log_gain, gain_layout)?.iter().map(|g| g.exp()).collect();
        let shift = floats(shift, shift_layout)?;
        let channels = gain.len();
        if let Statistics::Batch(moments) = &self.statistics {
            *moments.lock().expect("no thread panics with it") = Moments::of(z, channels);
        }
        let (mean, inverse) = self.moments();
        let mut out = Vec::with_capacity(z.len());
        for (at, row) in z.chunks_exact(channels).enumerate() {
            for (c, z) in row.iter().enumerate() {
                let normal = (z - mean[c] + self.noise(at * channels + c)) * inverse[c];
                out.push(self.output(gain[c] * normal + shift[c]));
            }
        }
        Ok((CpuStorage::F32(out), z_layout.shape().clone()))
    }

    fn bwd(
        &self,
        z: &Tensor,
        log_gain: &Tensor,
        shift: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let values = z.flatten_all()?.to_vec1::<f32>()?;
        let grads = grad.flatten_all()?.to_vec1::<f32>()?;
        let gain: Vec<f32> = log_gain.to_vec1::<f32>()?.iter().map(|g| g.exp()).collect();
        let shifts = shift.to_vec1::<f32>()?;
        let channels = gain.len();
        let rows = (values.len() / channels) as f32;
        let (mean, inverse) = self.moments();
        let edge = if self.round && !self.sign { 0.5 } else { 0.0 };
        // Far by the measure of all channels, for they share a modulus.
        let typical = inverse.iter().map(|inverse| 1.0 / inverse).sum::<f32>() / channels as f32;
        let pressure = 2.0 * PENALTY / (values.len() as f32 * typical);
        let excess = |off: f32| (off.abs() / typical - FAR).max(0.0) * off.signum();
        let (mut to_gain, mut to_shift) = (vec![0f32; channels], vec![0f32; channels]);
        let (mut sum, mut along) = (vec![0f32; channels], vec![0f32; channels]);
        // The gradient by the normalized sums first, with its mean and its mean along them.
        let mut out = Vec::with_capacity(values.len());
        for (at, (row, grads)) in values.chunks_exact(channels).zip(grads.chunks_exact(channels)).enumerate() {
            for (c, (z, grad)) in row.iter().zip(grads).enumerate() {
                let clean = (z - mean[c]) * inverse[c];
                let normal = clean + self.noise(at * channels + c) * inverse[c];
                let a = gain[c] * normal + shifts[c];
                let passed = if a >= self.low - edge && a <= self.high + edge { *grad } else { 0.0 };
                to_gain[c] += passed * gain[c] * normal;
                to_shift[c] += passed;
                let back = passed * gain[c];
                sum[c] += back;
                along[c] += back * clean;
                out.push(back);
            }
        }
        for (row, back) in values.chunks_exact(channels).zip(out.chunks_exact_mut(channels)) {
            for (c, (z, back)) in row.iter().zip(back).enumerate() {
                let clean = (z - mean[c]) * inverse[c];
                *back = inverse[c] * (*back - sum[c] / rows - clean * along[c] / rows) + pressure * excess(z - mean[c]);
            }
        }
        Ok((
            Some(Tensor::from_vec(out, z.shape(), z.device())?),
            Some(Tensor::from_vec(to_gain, log_gain.shape(), z.device())?),
            Some(Tensor::from_vec(to_shift, shift.shape(), z.device())?),
        ))
    }
}
