//! `create logreg`.

use super::{CommonArgs, Made};
use crate::circuit::plan::{Needs, PlanRequest, plan};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::model::{Model, Output, Quantizer};
use crate::train::{self, FloatLinear, LogregParams, Score};
use clap::Args;

#[derive(Debug, Args)]
pub struct LogregArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    /// Bits a feature is quantised to (1 to 16)
    #[arg(long, env = "FHECTL_BITS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=16))]
    bits: u32,
    /// Strength of the L2 penalty (1 / C)
    #[arg(long, env = "FHECTL_ALPHA", default_value_t = 1.0)]
    alpha: f64,
    /// The most iterations of the solver
    #[arg(long, env = "FHECTL_MAX_ITERATIONS", default_value_t = 1000)]
    max_iterations: u64,
}

impl LogregArgs {
    pub fn train(&self, train: &Dataset, test: &Dataset, request: &PlanRequest) -> Result<Made> {
        let params = LogregParams { alpha: self.alpha, max_iterations: self.max_iterations };
        let quantizer = train::fit_affine(train, self.bits)?;
        let float = train::train_logreg(train, &quantizer, &params)?;
        let (model, scale, weight_bits, plans) = finest(&float, &quantizer, train.output(), request)?;
        Ok(Made {
            model,
            preparation: Vec::new(),
            quantizer,
            plans,
            float: Score::Accuracy(train::float_logreg(train, &params)?.accuracy(test)),
            score_scale: Some(scale),
            score_offset: None,
            network: None,
            options: format!("{} bits a feature, {weight_bits} bits a weight, L2 penalty {}", self.bits, self.alpha),
        })
    }
}

/// The finest integer weights that still leave room for the noise that hides them.
fn finest(
    float: &FloatLinear,
    quantizer: &Quantizer,
    output: Output,
    request: &PlanRequest,
) -> Result<(Model, f64, u32, Vec<Needs>)> {
    /// Beyond ten bits nothing is gained; below four the model is no longer the trained one.
    const WEIGHT_BITS: std::ops::RangeInclusive<u32> = 4..=10;
    let mut refused = None;
    for weight_bits in WEIGHT_BITS.rev() {
        let linear = float.to_integer(weight_bits)?;
        let scale = linear.scale;
        let model = Model::Linear(linear);
        match plan(&model, quantizer, output, request) {
            Ok(plans) => return Ok((model, scale, weight_bits, plans)),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| Error::fault("no_parameters", "no weight sizes were tried")))
}
