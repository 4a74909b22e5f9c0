//! `create glm`.

use super::common::{CommonArgs, Grain};
use super::compiled_model::{CompiledModel, Deviance};
use super::finest::{Finest, finest_weights_of};
use super::linear_grid::LinearGridArgs;
use clap::{Args, ValueEnum};
use fhectl_core::bundle::{Head, ScoreUnit};
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{ClearStep, Function, Output};
use fhectl_train::data::Dataset;
use fhectl_train::train::{self, Family, GlmParams, Link, Score};
use std::ops::RangeInclusive;

/// More than other linear models have: behind an exponential what a weight is off by is a share of the prediction.
const WEIGHT_BITS: RangeInclusive<u32> = 4..=12;

#[derive(Debug, Args)]
pub struct GlmArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    grid: LinearGridArgs,
    /// How the numbers are distributed about their mean
    #[arg(long, env = "FHECTL_FAMILY", value_enum, default_value = "poisson")]
    family: FamilyChoice,
    /// Of the family tweedie: the power of the mean that the variance grows with. Between 1 and 2 for costs of which many
    /// are 0 [default: 1.5]
    #[arg(long, env = "FHECTL_POWER", value_name = "NUMBER", allow_hyphen_values = true)]
    power: Option<f64>,
    /// How the mean follows from the features: `log`, as the exponential of their weighted sum, which the client computes
    /// [default: log, for gaussian identity]
    #[arg(long, env = "FHECTL_LINK", value_enum)]
    link: Option<LinkChoice>,
    /// Strength of the L2 penalty on the weights of standardized features
    #[arg(long, env = "FHECTL_ALPHA", default_value_t = 0.0)]
    alpha: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FamilyChoice {
    /// Counts
    Poisson,
    /// Positive numbers whose spread grows with them
    Gamma,
    /// Costs, of which many are 0, and what else --power makes of it
    Tweedie,
    /// Any numbers
    Gaussian,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LinkChoice {
    Log,
    Identity,
}

impl GlmArgs {
    fn family(&self) -> Result<Family> {
        match (self.family, self.power) {
            (FamilyChoice::Tweedie, power) => Family::tweedie(power.unwrap_or(1.5)),
            (_, Some(power)) => {
                Err(Error::new(ErrorCode::GlmParams, format!("--power {power} of a family that has one"))
                    .hint("--power is for --family tweedie"))
            }
            (FamilyChoice::Poisson, None) => Ok(Family::POISSON),
            (FamilyChoice::Gamma, None) => Ok(Family::GAMMA),
            (FamilyChoice::Gaussian, None) => Ok(Family::GAUSSIAN),
        }
    }

    pub fn train(
        &self,
        train: &Dataset,
        test: &Dataset,
        request: &PlanRequest,
        grain: Grain<'_>,
    ) -> Result<CompiledModel> {
        let family = self.family()?;
        let link = match self.link {
            None => family.usual_link(),
            Some(LinkChoice::Log) => Link::Log,
            Some(LinkChoice::Identity) => Link::Identity,
        };
        let params = GlmParams { family, link, alpha: self.alpha };
        let quantizer = self.grid.quantizer(train, grain)?;
        let fitted = train::train_glm(train, &quantizer, &params)?;
        let head = (link == Link::Log)
            .then(|| Head { scores: 1, steps: vec![ClearStep::Function { function: Function::Exp }] });
        let output = if head.is_some() { Output::Scores(1) } else { Output::Value };
        let Finest { model, scale, bits, plans } =
            finest_weights_of(WEIGHT_BITS, &fitted.linear, &quantizer, output, request)?;
        let options = format!(
            "a generalized linear model: family {}, {} link; {} bits a feature, {bits} bits a weight, L2 penalty {}",
            family.name(),
            link.name(),
            self.grid.bits,
            self.alpha
        );
        let float = train::float_glm(train, &params)?;
        Ok(CompiledModel {
            score_scale: Some(scale),
            score_offset: Some(fitted.offset),
            score_unit: ScoreUnit::Logit,
            head,
            reach: Some(LinearGridArgs::reach(&quantizer, &train.features)),
            deviance: Some(Deviance { family, float: family.d2(&float.predict(test), &test.values) }),
            ..CompiledModel::new(model, quantizer, plans, Score::Fit(float.fit(test)), options)
        })
    }
}
