//! From trained parameters to the integer network.

use super::float::{FloatNetwork, failed};
use super::layers::Hidden;
use super::modulus::modulus_for;
use super::staircase_op::{Statistics, inverse_deviation};
use crate::data::Dataset;
use candle_core::Tensor;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Activation, IntegerNetwork, LinearMap, NetworkLayer, Output, Quantizer};
use rayon::prelude::*;
use std::sync::Arc;

/// Sums beyond this are not exact in the `f32` of training.
const EXACT: f64 = 16_777_216.0;
/// How much farther numbers of rows that were not seen may go: one that wraps round is wrong by its whole range.
const UNSEEN: f64 = 1.25;

/// An integer network, and what its scores are.
pub(super) struct Exported {
    pub(super) model: IntegerNetwork,
    /// What a step of a score is worth as the trained one.
    pub(super) scale: f64,
    /// What is missing to each score: steps that are common to all.
    pub(super) middle: i64,
}

/// The integer network that computes what `network` does, its moduli wide enough for all rows of `data`.
///
/// # Errors
/// `network_layers` where sums grow so large that training was not exact; `model_invalid` where the result breaks a
/// rule of [`IntegerNetwork`].
pub(super) fn export(network: &FloatNetwork, data: &Dataset, quantizer: &Quantizer) -> Result<Exported> {
    let mut integer = integers(network).map_err(failed)?;
    let reaches = reaches(&integer, data, quantizer)?;
    let mut middle = 0;
    for (layer, reach) in integer.layers.iter_mut().zip(&reaches) {
        if layer.activation.is_none() {
            // Scores are compared, so a step that is common to all may go: it centers them. To a number it is added in clear.
            middle = (reach[0].0 + reach[0].1).div_euclid(2);
            layer.map.biases.iter_mut().for_each(|bias| *bias -= middle);
        }
        let number = layer.activation.is_none() && data.output() == Output::Value;
        let need = needed(layer, reach) * if number { UNSEEN } else { 1.0 };
        if need > EXACT {
            return Err(Error::new(
                ErrorCode::NetworkLayers,
                format!("sums reach {need:e}, too far for exact training"),
            )
            .hint("use fewer input, weight or activation bits, or narrower layers"));
        }
        layer.plaintext_modulus = modulus_for(need, layer.noise);
    }
    integer.check(quantizer, data.output())?;
    let wraps: usize = data
        .rows
        .par_iter()
        .map(|row| quantizer.quantize(row).map(|row| integer.wraps(&row)))
        .try_reduce(|| 0, |a, b| Ok(a + b))?;
    if wraps > 0 {
        return Err(Error::new(
            ErrorCode::Training,
            format!("{wraps} sums of training rows wrap around the plaintext modulus chosen for them"),
        ));
    }
    let scale = network.scores.log_scale.to_vec1::<f32>().map_err(failed)?[0].exp();
    Ok(Exported { model: integer, scale: f64::from(scale), middle })
}

/// The network with moduli still to be set.
pub(super) fn integers(network: &FloatNetwork) -> candle_core::Result<IntegerNetwork> {
    let mut layers = Vec::with_capacity(network.hidden.len() + 1);
    for layer in &network.hidden {
        let channels = layer.shape.map.channels();
        let map = LinearMap {
            shape: layer.shape.map.clone(),
            weights: whole(&layer.map_weights(true)?)?,
            biases: vec![0; channels],
        };
        layers.push(NetworkLayer {
            map,
            plaintext_modulus: 0,
            noise: layer.noise,
            activation: Some(activation(layer)?),
        });
    }
    let scores = &network.scores;
    let (weights, biases) = scores.map(true)?;
    let biases = whole(&biases)?.into_iter().map(i64::from).collect();
    let map = LinearMap { shape: scores.shape.map.clone(), weights: whole(&weights)?, biases };
    layers.push(NetworkLayer { map, plaintext_modulus: 0, noise: scores.noise, activation: None });
    Ok(IntegerNetwork { layers })
}

fn whole(tensor: &Tensor) -> candle_core::Result<Vec<i32>> {
    Ok(tensor.flatten_all()?.to_vec1::<f32>()?.into_iter().map(|value| value.round() as i32).collect())
}

/// The staircase with thresholds where the float formula steps: found by it, so that both agree on every sum.
fn activation(layer: &Hidden) -> candle_core::Result<Activation> {
    let moments = layer.running();
    let staircase = layer.staircase(Statistics::Fixed(Arc::new(moments.clone())), true);
    let (gain, shift) = (layer.log_gain.to_vec1::<f32>()?, layer.shift.to_vec1::<f32>()?);
    let outputs: Vec<i32> = match layer.sign {
        true => vec![-1, 1],
        false => (layer.ends.0 as i32..=layer.ends.1 as i32).collect(),
    };
    let thresholds = (0..gain.len()).map(|c| {
        let (mean, inverse, gain) = (moments.mean[c], inverse_deviation(moments.variance[c]), gain[c].exp());
        let at = |z: i64| staircase.value(z as f32, mean, inverse, gain, shift[c]);
        let find = |output: &i32| {
            let edge = if layer.sign { 0.0 } else { f64::from(*output) - 0.5 };
            let near = f64::from(mean) + (edge - f64::from(shift[c])) / (f64::from(gain) * f64::from(inverse));
            let mut threshold = near.clamp(-EXACT, EXACT).ceil() as i64;
            // The estimate is off by one where it lies next to an integer.
            while threshold < EXACT as i64 && at(threshold) < *output as f32 {
                threshold += 1;
            }
            while threshold > -(EXACT as i64) && at(threshold - 1) >= *output as f32 {
                threshold -= 1;
            }
            threshold
        };
        outputs[1..].iter().map(find).collect()
    });
    Ok(Activation { thresholds: thresholds.collect(), outputs })
}

/// The lowest and highest sum of every channel of every layer over all rows; of the scores, over all classes.
fn reaches(network: &IntegerNetwork, data: &Dataset, quantizer: &Quantizer) -> Result<Vec<Vec<(i64, i64)>>> {
    type Reaches = Vec<Vec<(i64, i64)>>;
    let channels = |layer: &NetworkLayer| if layer.activation.is_some() { layer.map.shape.channels() } else { 1 };
    let none =
        || -> Reaches { network.layers.iter().map(|layer| vec![(i64::MAX, i64::MIN); channels(layer)]).collect() };
    let widen = |reach: &mut (i64, i64), low: i64, high: i64| *reach = (reach.0.min(low), reach.1.max(high));
    data.rows
        .par_chunks(256)
        .map(|rows| {
            let mut seen = none();
            for row in rows {
                let trace = network.trace(&quantizer.quantize(row)?);
                for (seen, sums) in seen.iter_mut().zip(&trace.sums) {
                    let channels = seen.len();
                    sums.iter().enumerate().for_each(|(i, z)| widen(&mut seen[i % channels], *z, *z));
                }
            }
            Ok(seen)
        })
        .try_reduce(none, |mut left, right| {
            for (left, right) in left.iter_mut().flatten().zip(right.iter().flatten()) {
                widen(left, right.0, right.1);
            }
            Ok(left)
        })
}

/// How far half the modulus must reach for these sums.
fn needed(layer: &NetworkLayer, reach: &[(i64, i64)]) -> f64 {
    let Some(activation) = &layer.activation else {
        return (reach[0].1 - reach[0].0) as f64 / 2.0 + 1.0;
    };
    let of = |(channel, (low, high)): (usize, &(i64, i64))| activation.min_half_modulus(channel, *low, *high);
    reach.iter().enumerate().map(of).max().unwrap_or(1) as f64
}
