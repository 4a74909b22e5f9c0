//! A neural network over quantised features.
//!
//! A pre-activation is a point on a circle of `circle` integer steps, an activation a staircase on that circle, the
//! last layer's sums are the scores. In clear the sums are exact; on ciphertexts they carry noise that training saw.

mod limits;
mod linear_map;
mod sparse;

pub use linear_map::{LinearMap, MapShape};
pub use sparse::SparseShape;

use super::{Output, Quantizer, invalid};
use crate::error::{Error, Result};
use limits::{MAX_CIRCLE, MAX_LAYERS, MAX_OUTPUTS};
use serde::{Deserialize, Serialize};

/// Layers in the order of computation; only the last has no activation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegerNetwork {
    pub layers: Vec<NetworkLayer>,
}

/// A linear map and what becomes of its sums.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkLayer {
    pub map: LinearMap,
    /// Integer steps in one turn of the torus: sums live modulo this.
    #[serde(rename = "plaintext_modulus")]
    pub circle: u64,
    /// The noise that each sum is allowed: a standard deviation, as a fraction of the circle, no more than training put
    /// there. Encrypted inference is given parameters that stay at or below it.
    pub noise: f64,
    /// `None` in the last layer, whose sums are the scores.
    pub activation: Option<Activation>,
}

/// A univariate staircase `outputs[#{t in thresholds : t <= z}]`: a sign, a clipped ReLU, a quantised tanh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// One value a step, from the lowest sums to the highest.
    pub outputs: Vec<i32>,
    /// Not decreasing, one fewer than outputs; a list a channel (a unit of a dense layer, a filter of a
    /// convolution), or one list for all.
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

    /// The sums for which a look-up table on half a turn gives the staircase, lowest and highest.
    ///
    /// A table on the circle satisfies `f(z + circle/2) = -f(z)`. About the mean of its first and last output a
    /// staircase does so as long as it is flat where the turn comes back: from half a turn below the last threshold
    /// to half a turn above the first.
    pub fn valid_range(&self, channel: usize, circle: u64) -> (i64, i64) {
        let half = (circle / 2) as i64;
        match self.of(channel) {
            [] => (-half, half - 1),
            [first, .., last] => (last - half, first + half - 1),
            [only] => (only - half, only + half - 1),
        }
    }

    /// How far half the circle must reach at least for sums of a channel from `low` to `high` to be valid.
    pub fn half_circle(&self, channel: usize, low: i64, high: i64) -> i64 {
        match self.of(channel) {
            [] => (-low).max(high + 1),
            // The staircase's own width counts too: it must span less than half the circle.
            [first, .., last] => (last - low).max(high - first + 1).max(last - first + 1),
            [only] => (only - low).max(high - only + 1),
        }
    }
}

/// What one row leaves at each layer, in clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The sums of every layer; the last are the scores.
    pub sums: Vec<Vec<i64>>,
}

impl IntegerNetwork {
    /// The scores of one quantised row: one a class, or a single margin.
    pub fn scores(&self, quantized: &[u32]) -> Vec<i64> {
        self.trace(quantized).sums.pop().unwrap_or_default()
    }

    /// All sums of one quantised row.
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

    /// How many sums of a row leave their circle, scores included: each would be a wrong answer, not noise.
    pub fn wraps(&self, quantized: &[u32]) -> usize {
        let trace = self.trace(quantized);
        let of_layer = |(layer, sums): (&NetworkLayer, &Vec<i64>)| {
            let channels = layer.map.shape.channels();
            sums.iter().enumerate().filter(|(i, z)| !layer.holds(i % channels, **z)).count()
        };
        self.layers.iter().zip(&trace.sums).map(of_layer).sum()
    }

    /// The number of activations: bootstraps on ciphertexts.
    pub fn activations(&self) -> usize {
        let with = self.layers.iter().filter(|layer| layer.activation.is_some());
        with.map(|layer| layer.map.shape.outputs()).sum()
    }

    /// Checks shapes, ranges and that layers fit together.
    ///
    /// # Errors
    /// `model_invalid` naming the layer.
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
    /// Whether a sum stays where the circle gives it back.
    pub fn holds(&self, channel: usize, z: i64) -> bool {
        let half = (self.circle / 2) as i64;
        let (low, high) = self
            .activation
            .as_ref()
            .map_or((-half, half - 1), |activation| activation.valid_range(channel, self.circle));
        (low..=high).contains(&z)
    }

    fn check(&self, inputs: usize, largest: i128, last: bool) -> Result<()> {
        self.map.check(inputs, largest)?;
        if !(4..=MAX_CIRCLE).contains(&self.circle) || !self.circle.is_multiple_of(2) {
            return Err(invalid(format!("a circle of {} steps", self.circle)));
        }
        if !(self.noise.is_finite() && self.noise > 0.0 && self.noise < 0.5) {
            return Err(invalid(format!("noise of {} turns", self.noise)));
        }
        match &self.activation {
            None if last => Ok(()),
            Some(activation) if !last => activation.check(self.map.shape.channels(), self.circle),
            _ => Err(invalid("an activation stands after every layer but the last")),
        }
    }
}

impl Activation {
    fn check(&self, channels: usize, circle: u64) -> Result<(), Error> {
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
            if thresholds.iter().any(|threshold| threshold.unsigned_abs() > MAX_CIRCLE) {
                return Err(invalid(format!("channel {channel}: a threshold beyond 2^40")));
            }
            let spread = thresholds.last().zip(thresholds.first()).map_or(0, |(last, first)| last - first);
            if spread >= (circle / 2) as i64 {
                return Err(invalid(format!("channel {channel}: thresholds span half the circle or more")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
