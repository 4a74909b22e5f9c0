//! `create logreg`.

use super::common::{CommonArgs, Grain};
use super::finest::{Finest, finest_weights};
use super::publish::Made;
use clap::Args;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::Result;
use fhectl_train::data::Dataset;
use fhectl_train::train::{self, LogregParams, Score};

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
    pub fn train(&self, train: &Dataset, test: &Dataset, request: &PlanRequest, grain: Grain) -> Result<Made> {
        let params = LogregParams { alpha: self.alpha, max_iterations: self.max_iterations };
        let quantizer = grain.affine(train, self.bits)?;
        let float = train::train_logreg(train, &quantizer, &params)?;
        let Finest { model, scale, bits, plans } = finest_weights(&float, &quantizer, train.output(), request)?;
        Ok(Made {
            model,
            preparation: Vec::new(),
            quantizer,
            plans,
            float: Score::Accuracy(train::float_logreg(train, &params)?.accuracy(test)),
            score_scale: Some(scale),
            score_unit: ScoreUnit::Logit,
            score_offset: None,
            network: None,
            options: format!("{} bits a feature, {bits} bits a weight, L2 penalty {}", self.bits, self.alpha),
        })
    }
}
