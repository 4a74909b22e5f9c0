//! `create linreg`.

use super::common::{CommonArgs, Grain};
use super::compiled_model::CompiledModel;
use super::finest::{Finest, finest_weights};
use super::linear_grid::LinearGridArgs;
use clap::Args;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::Result;
use fhectl_train::data::Dataset;
use fhectl_train::train::{self, LinregParams, Score};

#[derive(Debug, Args)]
pub struct LinregArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    grid: LinearGridArgs,
    /// Strength of the penalty on the weights of standardized features; 0 is ordinary least squares
    #[arg(long, env = "FHECTL_ALPHA", default_value_t = 0.0)]
    alpha: f64,
    /// The share of the L1 penalty: 0 is ridge, 1 lasso, between them elastic net
    #[arg(long, env = "FHECTL_L1_RATIO", value_name = "SHARE", default_value_t = 0.0)]
    l1_ratio: f64,
}

impl LinregArgs {
    pub fn train(
        &self,
        train: &Dataset,
        test: &Dataset,
        request: &PlanRequest,
        grain: Grain<'_>,
    ) -> Result<CompiledModel> {
        let params = LinregParams { alpha: self.alpha, l1_ratio: self.l1_ratio };
        let quantizer = self.grid.quantizer(train, grain)?;
        let fitted = train::train_linreg(train, &quantizer, &params)?;
        let Finest { model, scale, bits, plans } = finest_weights(&fitted.linear, &quantizer, train.output(), request)?;
        Ok(CompiledModel {
            score_scale: Some(scale),
            score_offset: Some(fitted.offset),
            score_unit: ScoreUnit::Logit,
            reach: Some(LinearGridArgs::reach(&quantizer, &train.features)),
            ..CompiledModel::new(
                model,
                quantizer,
                plans,
                Score::Fit(train::float_linreg(train, &params)?.fit(test)),
                format!(
                    "{} bits a feature, {bits} bits a weight, penalty {} of which {} L1",
                    self.grid.bits, self.alpha, self.l1_ratio
                ),
            )
        })
    }
}
