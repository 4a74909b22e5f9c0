//! Neural networks over quantized features.
//!
//! A layer computes sums modulo its plaintext modulus, then a staircase function of each sum. The sums of the last layer are
//! the scores. In clear the sums are exact. On ciphertexts they carry noise, which training simulated.

mod limits;
mod linear_map;
mod sparse;

pub use linear_map::{LinearMap, MapShape};
pub use sparse::SparseShape;

use super::{Output, Quantizer, invalid};
use crate::error::{Error, Result};
use limits::{MAX_LAYERS, MAX_MODULUS, MAX_OUTPUTS};
use serde::{Deserialize, Serialize};

/// A network: layers in the order of computation. All but the last have an activation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegerNetwork {
    pub layers: Vec<NetworkLayer>,
}

/// A linear map, and the activation of its sums.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkLayer {
    pub map: LinearMap,
    /// Sums are integers modulo this number; a step of 1 is `1 / plaintext_modulus` of the torus. Even.
    pub plaintext_modulus: u64,
    /// The standard deviation of the noise that each sum may carry, as a fraction of the torus. Training simulated this noise;
    /// the parameters of encrypted inference are chosen to stay at or below it.
    pub noise: f64,
    /// `None` in the last layer, whose sums are the scores.
    pub activation: Option<Activation>,
}

/// A staircase function `outputs[#{t in thresholds : t <= z}]`, such as a sign, a clipped ReLU or a quantized tanh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// The value of each step, from the lowest sums to the highest.
    pub outputs: Vec<i32>,
    /// Non-decreasing, one fewer than `outputs`. One list per channel (a unit of a dense layer, a filter of a convolution),
    /// or a single list for all channels.
    pub thresholds: Vec<Vec<i64>>,
}

impl Activation {
    /// The output for the sum `z` of a channel.
    pub fn apply(&self, channel: usize, z: i64) -> i32 {
        self.outputs[self.of(channel).partition_point(|threshold| *threshold <= z)]
    }

    /// The thresholds of a channel.
    pub fn of(&self, channel: usize) -> &[i64] {
        &self.thresholds[channel % self.thresholds.len()]
    }

    /// The lowest and the highest sum for which a bootstrap gives the right output.
    ///
    /// The look-up table of a bootstrap is negacyclic: `f(z + modulus / 2) = -f(z)`. A staircase is, too, relative to the mean
    /// of its first and last output, where it is flat: from `modulus / 2` below the last threshold to `modulus / 2` above the
    /// first.
    pub fn valid_range(&self, channel: usize, modulus: u64) -> (i64, i64) {
        let half = (modulus / 2) as i64;
        match self.of(channel) {
            [] => (-half, half - 1),
            [first, .., last] => (last - half, first + half - 1),
            [only] => (only - half, only + half - 1),
        }
    }

    /// The smallest half of a plaintext modulus for which sums of a channel from `low` to `high` are valid.
    pub fn min_half_modulus(&self, channel: usize, low: i64, high: i64) -> i64 {
        match self.of(channel) {
            [] => (-low).max(high + 1),
            // The thresholds themselves have to span less than half the modulus, too.
            [first, .., last] => (last - low).max(high - first + 1).max(last - first + 1),
            [only] => (only - low).max(high - only + 1),
        }
    }
}

/// The sums of all layers for one row, in clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The sums of each layer. The last ones are the scores.
    pub sums: Vec<Vec<i64>>,
}

impl IntegerNetwork {
    /// The scores of one quantized row: one per class, or a single margin or value.
    pub fn scores(&self, quantized: &[u32]) -> Vec<i64> {
        self.trace(quantized).sums.pop().unwrap_or_default()
    }

    /// The sums of all layers for one quantized row.
    pub fn trace(&self, quantized: &[u32]) -> Trace {
        let mut values: Vec<i64> = quantized.iter().map(|q| i64::from(*q)).collect();
        let mut sums = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let z = layer.map.apply(&values);
            if let Some(activation) = &layer.activation {
                let channels = layer.map.shape.channels();
                values = z.iter().enumerate().map(|(i, z)| i64::from(activation.apply(i % channels, *z))).collect();
            }
            sums.push(z);
        }
        Trace { sums }
    }

    /// The number of sums of a row, scores included, that leave their valid range. Each is an error in the encrypted result
    /// beyond noise.
    pub fn wraps(&self, quantized: &[u32]) -> usize {
        let trace = self.trace(quantized);
        let of_layer = |(layer, sums): (&NetworkLayer, &Vec<i64>)| {
            let channels = layer.map.shape.channels();
            sums.iter().enumerate().filter(|(i, z)| !layer.holds(i % channels, **z)).count()
        };
        self.layers.iter().zip(&trace.sums).map(of_layer).sum()
    }

    /// The number of activations. Each takes a bootstrap.
    pub fn activations(&self) -> usize {
        let with = self.layers.iter().filter(|layer| layer.activation.is_some());
        with.map(|layer| layer.map.shape.outputs()).sum()
    }

    /// Checks shapes and ranges, and that the layers fit together.
    ///
    /// # Errors
    /// `model_invalid`, which names the layer.
    pub fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        if self.layers.is_empty() || self.layers.len() > MAX_LAYERS {
            return Err(invalid(format!("{} layers, want 1 to {MAX_LAYERS}", self.layers.len())));
        }
        let mut inputs = quantizer.features.len();
        let mut largest = quantizer.features.iter().map(|f| i128::from(f.levels()) - 1).max().unwrap_or(0);
        for (index, layer) in self.layers.iter().enumerate() {
            let last = index + 1 == self.layers.len();
            layer.check(inputs, largest, last).map_err(|error| error.context(format!("layer {index}")))?;
            inputs = layer.map.shape.outputs();
            if let Some(activation) = &layer.activation {
                largest = activation.outputs.iter().map(|o| i128::from(o.unsigned_abs())).max().unwrap_or(0);
            }
        }
        if inputs != output.classes() && inputs != output.margins() {
            return Err(invalid(format!("{inputs} scores for {output:?}")));
        }
        Ok(())
    }
}

impl NetworkLayer {
    /// Whether a sum of a channel stays in its valid range.
    pub fn holds(&self, channel: usize, z: i64) -> bool {
        let half = (self.plaintext_modulus / 2) as i64;
        let (low, high) = self
            .activation
            .as_ref()
            .map_or((-half, half - 1), |activation| activation.valid_range(channel, self.plaintext_modulus));
        (low..=high).contains(&z)
    }

    fn check(&self, inputs: usize, largest: i128, last: bool) -> Result<()> {
        self.map.check(inputs, largest)?;
        if !(4..=MAX_MODULUS).contains(&self.plaintext_modulus) || !self.plaintext_modulus.is_multiple_of(2) {
            return Err(invalid(format!("a plaintext modulus of {}", self.plaintext_modulus)));
        }
        if !(self.noise.is_finite() && self.noise > 0.0 && self.noise < 0.5) {
            return Err(invalid(format!("noise of {} turns", self.noise)));
        }
        match &self.activation {
            None if last => Ok(()),
            Some(activation) if !last => activation.check(self.map.shape.channels(), self.plaintext_modulus),
            _ => Err(invalid("an activation stands after every layer but the last")),
        }
    }
}

impl Activation {
    fn check(&self, channels: usize, modulus: u64) -> Result<(), Error> {
        if self.outputs.is_empty() || self.outputs.len() > MAX_OUTPUTS {
            return Err(invalid(format!("{} steps, want 1 to {MAX_OUTPUTS}", self.outputs.len())));
        }
        if self.outputs.iter().any(|output| output.unsigned_abs() > 1 << 20) {
            return Err(invalid("an output beyond 2^20"));
        }
        if self.thresholds.len() != 1 && self.thresholds.len() != channels {
            return Err(invalid(format!("{} lists of thresholds for {channels} channels", self.thresholds.len())));
        }
        for (channel, thresholds) in self.thresholds.iter().enumerate() {
            if thresholds.len() + 1 != self.outputs.len() {
                return Err(invalid(format!("channel {channel}: {} thresholds", thresholds.len())));
            }
            if thresholds.windows(2).any(|pair| pair[0] > pair[1]) {
                return Err(invalid(format!("channel {channel}: thresholds decrease")));
            }
            if thresholds.iter().any(|threshold| threshold.unsigned_abs() > MAX_MODULUS) {
                return Err(invalid(format!("channel {channel}: a threshold beyond 2^40")));
            }
            let spread = thresholds.last().zip(thresholds.first()).map_or(0, |(last, first)| last - first);
            if spread >= (modulus / 2) as i64 {
                return Err(invalid(format!("channel {channel}: thresholds span half the plaintext modulus or more")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
