//! `create import` of a neural network: quantization after training.

use super::common::Grain;
use super::publish::CompiledModel;
use clap::Args;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::error::Result;
use fhectl_core::model::Model;
use fhectl_train::data::Dataset;
use fhectl_train::import::network::{Lowered, PtqParams, quantize};
use fhectl_train::train::Score;

/// How a network is quantized.
#[derive(Debug, Args)]
#[command(next_help_heading = "Networks")]
pub struct PtqArgs {
    /// Bits of an activation (1 to 8) [default: 6]
    #[arg(long, env = "FHECTL_ACTIVATION_BITS", value_name = "BITS")]
    activation_bits: Option<u32>,
    /// Bits of a signed weight (2 to 12): of the largest weight of a typical channel [default: 6]
    #[arg(long, env = "FHECTL_WEIGHT_BITS", value_name = "BITS")]
    weight_bits: Option<u32>,
    /// The percentage of an activation's values on the rows that its range holds; outliers at either end are cut off
    /// [default: 99.9]
    #[arg(long, env = "FHECTL_PERCENTILE", value_name = "PERCENT")]
    percentile: Option<f64>,
    /// The noise that encryption may put on sums before an activation, in turns (fractions of the plaintext modulus); the network was not
    /// trained with it, so the less, the truer, and the larger the keys [default: 0.002]
    #[arg(long, env = "FHECTL_NOISE", value_name = "TURNS")]
    noise: Option<f64>,
    /// The same on scores [default: 0.0005]
    #[arg(long, env = "FHECTL_SCORE_NOISE", value_name = "TURNS")]
    score_noise: Option<f64>,
}

impl PtqArgs {
    /// The integer network and its circuit; `bits` of a feature where they are asked for, and the digits of what client.zip
    /// holds.
    pub fn made(
        &self,
        network: &Lowered,
        (bits, grain): (Option<u32>, Grain<'_>),
        calibration: &Dataset,
        float: Score,
        request: &PlanRequest,
    ) -> Result<CompiledModel> {
        let defaults = PtqParams::default();
        let params = PtqParams {
            bits: bits.unwrap_or(defaults.bits),
            activation_bits: self.activation_bits.unwrap_or(defaults.activation_bits),
            weight_bits: self.weight_bits.unwrap_or(defaults.weight_bits),
            percentile: self.percentile.unwrap_or(defaults.percentile),
            noise: self.noise.unwrap_or(defaults.noise),
            score_noise: self.score_noise.unwrap_or(defaults.score_noise),
            coarse_edges: grain.digits,
        };
        let quantized = quantize(network, calibration, &params)?;
        let options = format!(
            "{} bits a feature, {} a weight, {} an activation, {} activations; quantized after training, ranges of {} % \
             of the rows' values, noise of {} turns and of {} on scores",
            params.bits,
            params.weight_bits,
            params.activation_bits,
            quantized.network.activations(),
            params.percentile,
            params.noise,
            params.score_noise
        );
        let model = Model::Network(quantized.network);
        let plans = plan(&model, &quantized.quantizer, calibration.output(), request)?;
        Ok(CompiledModel {
            score_scale: Some(quantized.score_scale),
            score_offset: calibration.classes.is_empty().then_some(quantized.score_offset),
            score_unit: ScoreUnit::Logit,
            ..CompiledModel::new(model, quantized.quantizer, plans, float, options)
        })
    }
}
