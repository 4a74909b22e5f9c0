//! `create logreg` and `create svm`.

use super::class_weight::{ClassWeightArgs, with_weights};
use super::common::{CommonArgs, Grain};
use super::compiled_model::CompiledModel;
use super::finest::{Finest, finest_weights};
use super::linear_grid::LinearGridArgs;
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
    #[command(flatten)]
    grid: LinearGridArgs,
    #[command(flatten)]
    class_weight: ClassWeightArgs,
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
        let params = LinearClassifierParams {
            alpha: self.alpha,
            max_iterations: self.max_iterations,
            class_weights: self.class_weight.of(train)?,
        };
        let quantizer = self.grid.quantizer(train, grain)?;
        let fitted = match kind {
            LinearKind::Logreg => train::train_logreg(train, &quantizer, &params)?,
            LinearKind::Svm => train::train_svm(train, &quantizer, &params)?,
        };
        let Finest { model, scale, bits, plans } = finest_weights(&fitted, &quantizer, train.output(), request)?;
        let (float, score_unit) = match kind {
            LinearKind::Logreg => (train::float_logreg(train, &params)?, ScoreUnit::Logit),
            LinearKind::Svm => (train::float_svm(train, &params)?, ScoreUnit::Margin),
        };
        let options = format!("{} bits a feature, {bits} bits a weight, L2 penalty {}", self.grid.bits, self.alpha);
        let options = with_weights(options, &params.class_weights, train);
        let float = Score::Accuracy(float.accuracy(test));
        let reach = LinearGridArgs::reach(&quantizer, &train.features);
        Ok(CompiledModel {
            could_weigh_classes: params.class_weights.is_even(),
            score_scale: Some(scale),
            score_unit,
            reach: Some(reach),
            ..CompiledModel::new(model, quantizer, plans, float, options)
        })
    }
}
