//! `create logreg` and `create svm`.

use super::common::{CommonArgs, Grain};
use super::finest::{Finest, finest_weights};
use super::publish::CompiledModel;
use clap::Args;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::Result;
use fhectl_train::data::Dataset;
use fhectl_train::train::{self, LinearClassifierParams, Score};

/// Which linear classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinearKind {
    Logreg,
    Svm,
}

#[derive(Debug, Args)]
pub struct LinearClassifierArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    /// Bits a feature is quantized to (1 to 16)
    #[arg(long, env = "FHECTL_BITS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=16))]
    bits: u32,
    /// Strength of the L2 penalty (1 / C)
    #[arg(long, env = "FHECTL_ALPHA", default_value_t = 1.0)]
    alpha: f64,
    /// The most iterations of the solver
    #[arg(long, env = "FHECTL_MAX_ITERATIONS", default_value_t = 1000)]
    max_iterations: u64,
}

impl LinearClassifierArgs {
    pub fn train(
        &self,
        kind: LinearKind,
        train: &Dataset,
        test: &Dataset,
        request: &PlanRequest,
        grain: Grain<'_>,
    ) -> Result<CompiledModel> {
        let params = LinearClassifierParams { alpha: self.alpha, max_iterations: self.max_iterations };
        let quantizer = grain.affine(train, self.bits)?;
        let fitted = match kind {
            LinearKind::Logreg => train::train_logreg(train, &quantizer, &params)?,
            LinearKind::Svm => train::train_svm(train, &quantizer, &params)?,
        };
        let Finest { model, scale, bits, plans } = finest_weights(&fitted, &quantizer, train.output(), request)?;
        let (float, score_unit) = match kind {
            LinearKind::Logreg => (train::float_logreg(train, &params)?, ScoreUnit::Logit),
            LinearKind::Svm => (train::float_svm(train, &params)?, ScoreUnit::Margin),
        };
        let options = format!("{} bits a feature, {bits} bits a weight, L2 penalty {}", self.bits, self.alpha);
        let float = Score::Accuracy(float.accuracy(test));
        Ok(CompiledModel {
            score_scale: Some(scale),
            score_unit,
            ..CompiledModel::new(model, quantizer, plans, float, options)
        })
    }
}
