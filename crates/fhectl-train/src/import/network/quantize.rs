//! Quantization after training: a float network and some rows become an integer network.
//!
//! Layer by layer: the range of every activation over the calibration rows is cut into the steps of a staircase, weights
//! are rounded where their inputs are steps, and each bias takes back what rounding moved its sum by on average (as Nagel
//! et al. do, arXiv:1906.04721). A channel is scaled so that all channels of a layer fill the modulus alike: then noise
//! and rounding weigh the same in all of them.

use super::layer::{Before, Grid, Rounding, Scales, quantize_layer};
use super::levels::{Levels, levels};
use super::lower::Lowered;
use super::ptq_params::PtqParams;
use super::scores::quantize_scores;
use crate::data::Dataset;
use crate::train::{coarsen, fit_affine, fit_pixels, modulus_holding};
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
    /// How far half the modulus of every layer must reach, before noise.
    reaches: Vec<f64>,
}

impl QuantizedNetwork {
    #[cfg(test)]
    pub(super) fn empty(quantizer: Quantizer, network: IntegerNetwork) -> Self {
        Self { quantizer, network, score_scale: 1.0, score_offset: 0.0, reaches: Vec::new() }
    }

    /// The same integers, in moduli that hold other noise (turns).
    #[must_use]
    pub(super) fn with_noise(&self, noise: f64, score_noise: f64) -> Self {
        let mut other = self.clone();
        for (layer, reach) in other.network.layers.iter_mut().zip(&self.reaches) {
            layer.noise = if layer.activation.is_some() { noise } else { score_noise };
            layer.plaintext_modulus = modulus_holding(*reach, layer.noise);
        }
        other
    }
}

/// A network and what its integers stand for.
pub(super) struct Quantization {
    pub(super) network: QuantizedNetwork,
    pub(super) inputs: Vec<Grid>,
    pub(super) scales: Scales,
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
    check_inputs(lowered, calibration)?;
    Ok(quantize_levels(&levels(&lowered.graph)?, lowered.image, calibration, params, None)?.network)
}

/// # Errors
/// `onnx_inputs`.
pub(super) fn check_inputs(lowered: &Lowered, rows: &Dataset) -> Result<()> {
    let (wanted, given) = (lowered.graph.inputs, rows.features.len());
    if given == wanted {
        return Ok(());
    }
    Err(Error::new(ErrorCode::OnnxInputs, format!("the network takes {wanted} values, the data has {given} features"))
        .hint("give `--data` whose columns are the network's inputs in their order (images channel after channel)"))
}

/// As [`quantize`], of a network in levels and rows that fit it, with the scales that a student has learned where there
/// are some.
pub(super) fn quantize_levels(
    levels: &Levels,
    image: bool,
    calibration: &Dataset,
    params: &PtqParams,
    learned: Option<&Scales>,
) -> Result<Quantization> {
    let quantizer = quantizer(image, calibration, params)?;
    let widest = levels.layers.iter().map(|layer| layer.rows.len()).max().unwrap_or(1).max(levels.inputs);
    let count = calibration.len().min(MAX_ROWS).min((MAX_VALUES / widest).max(16));
    let rows: Vec<&Vec<f64>> = (0..count).map(|at| &calibration.rows[at * calibration.len() / count]).collect();
    let integers = rows.par_iter().map(|row| Ok(quantizer.quantize(row)?.into_iter().map(i64::from).collect()));
    let inputs: Vec<Grid> = quantizer.features.iter().map(grid_of).collect::<Result<_>>()?;
    let mut before = Before {
        grids: inputs.clone(),
        place: (0..levels.inputs as u32).collect(),
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
    let (mut reaches, mut scales) = (Vec::new(), Vec::new());
    for (index, layer) in levels.layers.iter().enumerate() {
        let own = learned.map(|scales| scales.layers[index].as_slice());
        let (quantized, after) = quantize_layer(layer, &before, &rounding, own)
            .map_err(|error| error.context(format!("layer {}", index + 1)))?;
        network.layers.push(quantized.layer);
        reaches.push(quantized.reach);
        scales.push(quantized.scales);
        before = after;
    }
    let output = calibration.output();
    let scores = quantize_scores(&levels.outputs, &before, output, params, learned.map(|scales| scales.scores))?;
    network.layers.push(scores.layer);
    reaches.push(scores.reach);
    network.check(&quantizer, output)?;
    let (score_scale, score_offset) = (scores.scale, scores.offset);
    let network = QuantizedNetwork { quantizer, network, score_scale, score_offset, reaches };
    let scales = Scales { layers: scales, scores: 1.0 / score_scale };
    Ok(Quantization { network, inputs, scales })
}

/// The rules of the features.
fn quantizer(image: bool, calibration: &Dataset, params: &PtqParams) -> Result<Quantizer> {
    // Ranges need no labels: what is fitted is told of none, and asks for no row of every class.
    let calibration = &Dataset {
        classes: Vec::new(),
        labels: Vec::new(),
        values: (0..calibration.len()).map(|at| at as f64).collect(),
        ..calibration.clone()
    };
    let coarse = |quantizer| match params.coarse_edges {
        Some(digits) => coarsen(quantizer, digits, params.bits),
        None => Ok(quantizer),
    };
    if image {
        return coarse(fit_pixels(calibration, params.bits)?);
    }
    let fitted = clipped(fit_affine(calibration, params.bits)?, calibration, params.feature_percentile);
    // Steps of integers are divided by what follows from the number of levels, which tells nothing more.
    Ok(finer(coarse(fitted)?, params.bits))
}

/// The quantizer with its grids cut to what holds so many percent of a feature's values: what lies beyond counts as the
/// end. Grids of integers stay, and so do those that would be left without a range.
fn clipped(mut quantizer: Quantizer, rows: &Dataset, percentile: f64) -> Quantizer {
    if percentile >= 100.0 {
        return quantizer;
    }
    quantizer.features.par_iter_mut().enumerate().for_each(|(feature, rule)| {
        let FeatureQuantizer::Affine { low, step, levels } = rule else { return };
        let mut values = rows.column(feature);
        if *levels < 2 || values.iter().all(|value| value.fract() == 0.0) {
            return;
        }
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| values[(share * (values.len() - 1) as f64).round() as usize];
        let tail = 1.0 - percentile / 100.0;
        let (from, to) = (at(tail).max(*low), at(1.0 - tail).min(*low + *step * f64::from(*levels - 1)));
        let narrower = (to - from) / f64::from(*levels - 1);
        if narrower > 0.0 && narrower.is_normal() {
            (*low, *step) = (from, narrower);
        }
    });
    quantizer
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
