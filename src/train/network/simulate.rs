//! The integer network under the noise that its circuit is allowed.

use crate::data::Dataset;
use crate::data::random::Random;
use crate::error::Result;
use crate::model::{IntegerNetwork, NetworkLayer, Quantizer, class_of_scores};
use rayon::prelude::*;

/// The share of rows of `data` that are classified right with normal noise of the network's `noise` on every sum, as
/// encrypted inference has it; wrapped round the circle, too. From 0 to 1 (0 without rows), the mean of `draws` runs.
///
/// # Errors
/// As for [`Quantizer::quantize`].
pub fn simulated_accuracy(
    network: &IntegerNetwork,
    quantizer: &Quantizer,
    data: &Dataset,
    draws: usize,
    seed: u64,
) -> Result<f64> {
    let hits = (0..data.len())
        .into_par_iter()
        .map(|index| {
            let row = quantizer.quantize(&data.rows[index])?;
            // A generator a row: the result does not depend on the order that threads take rows in.
            let mut random = Random::new(seed ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let hit = |_| class_of_scores(&noisy_scores(network, &row, &mut random)) == data.labels[index] as usize;
            Ok((0..draws).map(hit).filter(|hit| *hit).count())
        })
        .try_reduce(|| 0, |a, b| Ok(a + b))?;
    Ok(hits as f64 / (data.len() * draws).max(1) as f64)
}

/// The scores of one row with noise on every sum, in thousandths of a step, about the circle's zero.
fn noisy_scores(network: &IntegerNetwork, row: &[u32], random: &mut Random) -> Vec<i64> {
    const PARTS: f64 = 1000.0;
    let mut values: Vec<i64> = row.iter().map(|q| i64::from(*q)).collect();
    for layer in &network.layers {
        let deviation = layer.noise * layer.circle as f64;
        let channels = layer.map.shape.channels();
        let noisy = layer.map.apply(&values).into_iter().map(|z| z as f64 + deviation * random.normal());
        match layer.activation {
            Some(_) => values = noisy.enumerate().map(|(i, z)| on_circle(layer, i % channels, z)).collect(),
            None => {
                let turn = layer.circle as f64;
                return noisy.map(|z| ((z - turn * (z / turn).round()) * PARTS).round() as i64).collect();
            }
        }
    }
    Vec::new()
}

/// What a look-up table on half a turn gives for a sum: beyond the valid range the staircase upside down.
fn on_circle(layer: &NetworkLayer, channel: usize, z: f64) -> i64 {
    let Some(activation) = &layer.activation else { return 0 };
    let (low, high) = activation.valid_range(channel, layer.circle);
    let z = z.round() as i64;
    if (low..=high).contains(&z) {
        return i64::from(activation.apply(channel, z));
    }
    let half = (layer.circle / 2) as i64;
    // Half a turn away, on the side where the staircase is.
    let mirrored = if z < low { z + half } else { z - half };
    let ends = activation.outputs.first().zip(activation.outputs.last()).map_or(0, |(first, last)| first + last);
    i64::from(ends) - i64::from(activation.apply(channel, mirrored))
}
