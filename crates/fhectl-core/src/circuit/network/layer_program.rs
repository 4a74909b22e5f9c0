//! A network compiled for ciphertexts: sums of terms, constants on the torus, look-up tables.

use super::params::NetworkParams;
use crate::circuit::compiled::unfit;
use crate::error::Result;
use crate::fhe::layer::{Layer, LookUp};
use crate::fhe::list::Term;
use crate::model::{Activation, IntegerNetwork, NetworkLayer, invalid};
use std::sync::Arc;

/// The most words of look-up tables that a network may have: 1 GiB.
const MAX_TABLE_WORDS: usize = 1 << 27;

/// The whole network, layer after layer, with a table a channel.
pub struct LayerProgram {
    pub layers: Arc<[Layer]>,
}

impl LayerProgram {
    /// Compiles a checked network for checked parameters.
    ///
    /// # Errors
    /// `model_invalid` where they do not belong together.
    pub fn new(params: &NetworkParams, network: &IntegerNetwork) -> Result<Self> {
        check_fit(params, network)?;
        Ok(Self::compile(network, params.output().size))
    }

    /// For bootstraps with polynomials of `size` coefficients.
    fn compile(network: &IntegerNetwork, size: usize) -> Self {
        let mut center = 0;
        let layers = network.layers.iter().enumerate().map(|(index, layer)| {
            let (sums, constants) = linear(layer, center);
            let look_up = layer.activation.as_ref().map(|activation| {
                center = doubled_center(activation);
                let steps = network.layers[index + 1].plaintext_modulus;
                let lists = 0..activation.thresholds.len();
                let table = |channel| table(activation, channel, layer.plaintext_modulus, steps, size);
                // Parts of the key: the first layer's bootstraps, then keyswitch and bootstraps of all others.
                let (keyswitch, bootstrap) = if index == 0 { (None, 0) } else { (Some(1), 2) };
                LookUp { tables: lists.map(table).collect(), keyswitch, bootstrap }
            });
            Layer { sums, constants, look_up }
        });
        Self { layers: layers.collect() }
    }
}

/// Checks that a network is one that the parameters were made for.
///
/// # Errors
/// `model_invalid`.
fn check_fit(params: &NetworkParams, network: &IntegerNetwork) -> Result<()> {
    let widths: Vec<usize> = network.layers.iter().map(|layer| layer.map.shape.outputs()).collect();
    let ends = network.layers.first().zip(network.layers.last());
    let fits = ends.is_some_and(|(first, last)| {
        widths.len() >= 2
            && first.map.shape.inputs() == params.input.bodies
            && first.plaintext_modulus == params.plaintext_modulus
            && last.plaintext_modulus == params.score_plaintext_modulus
            && widths[0] == params.first.activations
            && widths[widths.len() - 1] == params.scores
            && widths[1..widths.len() - 1].iter().sum::<usize>() == params.inner.map_or(0, |i| i.stage.activations)
    });
    if !fits {
        return Err(unfit());
    }
    let activations = network.layers.iter().filter_map(|layer| layer.activation.as_ref());
    let tables: usize = activations.map(|activation| activation.thresholds.len()).sum();
    if tables.saturating_mul(params.output().size) > MAX_TABLE_WORDS {
        return Err(invalid(format!("{tables} look-up tables of {} words", params.output().size)));
    }
    Ok(())
}

/// Twice the value about which an activation is odd on the torus: the mean of its first and last output. Tables give
/// outputs less this mean; the next layer adds it back.
fn doubled_center(activation: &Activation) -> i64 {
    let ends = [activation.outputs.first(), activation.outputs.last()];
    ends.into_iter().flatten().map(|output| i64::from(*output)).sum()
}

/// The sums of a layer whose inputs lack half of `doubled_center`.
fn linear(layer: &NetworkLayer, doubled_center: i64) -> (Vec<Vec<Term>>, Vec<u64>) {
    let (mut sums, mut constants) = (Vec::new(), Vec::new());
    layer.map.for_each_sum(|bias, window, weights| {
        let taps = weights.iter().zip(window);
        let terms: Vec<Term> = taps
            .filter_map(|(weight, input)| {
                input.filter(|_| *weight != 0).map(|input| Term { input: input as u32, weight: *weight })
            })
            .collect();
        let missing: i128 = terms.iter().map(|term| i128::from(term.weight)).sum::<i128>() * i128::from(doubled_center);
        constants.push(turns(2 * i128::from(bias) + missing, 2 * layer.plaintext_modulus));
        sums.push(terms);
    });
    (sums, constants)
}

/// The table of a staircase: entry `p` is for sums about `(p + 1/2) / 2N` of the torus.
///
/// The blind rotation gives the negated entry on the other half of the turn; of the two sums that share an entry, one
/// is in the staircase's valid range, and that one decides.
fn table(activation: &Activation, channel: usize, modulus: u64, steps: u64, size: usize) -> Vec<u64> {
    let thresholds = activation.of(channel);
    let half_turn = modulus as f64 / 2.0;
    let lowest = thresholds.last().map_or(-half_turn, |last| *last as f64 - 0.5 - half_turn);
    (0..size)
        .map(|entry| {
            let z = (entry as f64 + 0.5) * modulus as f64 / (2 * size) as f64;
            let half_turns = ((lowest - z) / half_turn).ceil();
            let z = z + half_turns * half_turn;
            // A threshold t separates the sums t - 1 and t.
            let step = thresholds.partition_point(|threshold| *threshold as f64 - 0.5 <= z);
            let doubled = 2 * i64::from(activation.outputs[step]) - doubled_center(activation);
            let sign = if half_turns.rem_euclid(2.0) == 0.0 { 1 } else { -1 };
            turns(i128::from(sign * doubled), 2 * steps)
        })
        .collect()
}

/// `numerator / denominator` of a turn as a torus word.
fn turns(numerator: i128, denominator: u64) -> u64 {
    let denominator = i128::from(denominator);
    ((numerator.rem_euclid(denominator) << 64) / denominator) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Wherever a sum in the valid range lands on the torus, its table gives the staircase's step.
        #[test]
        fn tables_hold_the_staircase(
            outputs in prop::collection::vec(-9i32..9, 2..9),
            offset in -3000i64..3000,
            gaps in prop::collection::vec(0i64..30, 8),
            z in 0.0f64..1.0,
        ) {
            // Two entries a sum, so that none lies between two.
            let modulus = 512u64;
            let mut at = offset;
            let thresholds: Vec<i64> = gaps[..outputs.len() - 1].iter().map(|gap| { at += gap; at }).collect();
            let activation = Activation { outputs, thresholds: vec![thresholds.clone()] };
            let size = 512;
            let table = table(&activation, 0, modulus, 64, size);
            let (low, high) = activation.valid_range(0, modulus);
            let z = low + (z * (high - low) as f64) as i64;
            let position = 2 * z.rem_euclid(modulus as i64) as usize;
            let word = table[position % size];
            let word = if position < size { word } else { word.wrapping_neg() };
            let doubled = 2 * i64::from(activation.apply(0, z)) - doubled_center(&activation);
            prop_assert_eq!(word, turns(i128::from(doubled), 128));
        }
    }
}
