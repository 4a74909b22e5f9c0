//! Quantization after training: a float network and some rows become an integer network.
//!
//! Layer by layer: the range of every activation over the calibration rows is cut into the steps of a staircase, weights
//! are rounded where their inputs are steps, and each bias takes back what rounding moved its sum by on average (as Nagel
//! et al. do, arXiv:1906.04721). A channel is scaled so that all channels of a layer fill the modulus alike: then noise
//! and rounding weigh the same in all of them.

use super::layer::{Before, Grid, Rounding, quantize_layer};
use super::levels::levels;
use super::lower::Lowered;
use super::ptq_params::PtqParams;
use super::scores::quantize_scores;
use crate::data::Dataset;
use crate::train::{coarsen, fit_affine, fit_pixels};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{FeatureQuantizer, IntegerNetwork, Quantizer};
use rayon::prelude::*;

/// The most rows that ranges are measured on.
const MAX_ROWS: usize = 2000;
/// The most values of all rows in a layer.
const MAX_VALUES: usize = 1 << 24;

/// An integer network and what its scores are worth.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedNetwork {
    pub quantizer: Quantizer,
    pub network: IntegerNetwork,
    /// What a step of a score is worth as a logit or in the target's unit.
    pub score_scale: f64,
    /// What is added to a predicted number; 0 for classes.
    pub score_offset: f64,
}

/// Quantizes a network so that no sum of a calibration row wraps around. Rows are the values of the ONNX inputs,
/// flattened: those of an image channel after channel.
///
/// Same rows and parameters give the same network, whatever the number of threads.
///
/// # Errors
/// `onnx_inputs` where rows have another number of values; those of the parameters and of [`fit_affine`];
/// `onnx_unsupported` for too many levels or none; `onnx_constant` where nothing depends on the row; `model_invalid` where
/// the result breaks a rule of [`IntegerNetwork`].
pub fn quantize(lowered: &Lowered, calibration: &Dataset, params: &PtqParams) -> Result<QuantizedNetwork> {
    params.check()?;
    let graph = &lowered.graph;
    if calibration.features.len() != graph.inputs {
        return Err(Error::new(
            ErrorCode::OnnxInputs,
            format!("the network takes {} values, the data has {} features", graph.inputs, calibration.features.len()),
        )
        .hint("give `--data` whose columns are the network's inputs in their order (images channel after channel)"));
    }
    let levels = levels(graph)?;
    let coarse = |quantizer| match params.coarse_edges {
        Some(digits) => coarsen(quantizer, digits, params.bits),
        None => Ok(quantizer),
    };
    let quantizer = match lowered.image {
        true => coarse(fit_pixels(calibration, params.bits)?)?,
        // Steps of integers are divided by what follows from the number of levels, which tells nothing more.
        false => finer(coarse(fit_affine(calibration, params.bits)?)?, params.bits),
    };
    let widest = levels.layers.iter().map(|layer| layer.rows.len()).max().unwrap_or(1).max(graph.inputs);
    let count = calibration.len().min(MAX_ROWS).min((MAX_VALUES / widest).max(16));
    let rows: Vec<&Vec<f64>> = (0..count).map(|at| &calibration.rows[at * calibration.len() / count]).collect();
    let integers = rows.par_iter().map(|row| Ok(quantizer.quantize(row)?.into_iter().map(i64::from).collect()));
    let mut before = Before {
        grids: quantizer.features.iter().map(grid_of).collect::<Result<_>>()?,
        place: (0..graph.inputs as u32).collect(),
        floats: rows.iter().map(|row| (*row).clone()).collect(),
        integers: integers.collect::<Result<_>>()?,
    };
    let rounding = Rounding {
        steps: 1 << params.activation_bits,
        top: f64::from((1u32 << (params.weight_bits - 1)) - 1),
        tail: 1.0 - params.percentile / 100.0,
        noise: params.noise,
    };
    let mut network = IntegerNetwork { layers: Vec::with_capacity(levels.layers.len() + 1) };
    for (index, layer) in levels.layers.iter().enumerate() {
        let (integer, after) =
            quantize_layer(layer, &before, &rounding).map_err(|error| error.context(format!("layer {}", index + 1)))?;
        network.layers.push(integer);
        before = after;
    }
    let output = calibration.output();
    let scores = quantize_scores(&levels.outputs, &before, output, params)?;
    network.layers.push(scores.layer);
    network.check(&quantizer, output)?;
    Ok(QuantizedNetwork { quantizer, network, score_scale: scores.scale, score_offset: scores.offset })
}

/// The quantizer with the grids of few integers made finer, as far as `bits` go: their steps then move a sum by about as
/// much as those of other features, and all weights are rounded alike.
fn finer(mut quantizer: Quantizer, bits: u32) -> Quantizer {
    for rule in &mut quantizer.features {
        if let FeatureQuantizer::Affine { step, levels, .. } = rule
            && *levels > 1
        {
            let parts = ((1u32 << bits) - 1) / (*levels - 1);
            *step /= f64::from(parts);
            *levels = (*levels - 1) * parts + 1;
        }
    }
    quantizer
}

fn grid_of(rule: &FeatureQuantizer) -> Result<Grid> {
    match rule {
        FeatureQuantizer::Affine { low, step, levels } => {
            Ok(Grid { low: *low, step: if *levels > 1 { *step } else { 0.0 }, steps: *levels as usize })
        }
        FeatureQuantizer::Edges { .. } => {
            Err(Error::new(ErrorCode::Quantizer, "a network over edges that are no grid"))
        }
    }
}
