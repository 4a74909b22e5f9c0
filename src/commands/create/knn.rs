//! `create knn`.

use super::common::{CommonArgs, Grain, TaskArgs};
use super::compiled_model::CompiledModel;
use super::finest::{Finest, finest_weights_of};
use super::import::original_score;
use crate::commands::units::RevealChoice;
use clap::{Args, ValueEnum};
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{ClearStep, VoteWeights};
use fhectl_train::data::Dataset;
use fhectl_train::import::{self, KnnParams, Levels, QuantizedModel, nearest_neighbors, squared_length};
use std::ops::RangeInclusive;

/// Nothing hides the weights, so that there is room for finer ones than other linear models have.
const WEIGHT_BITS: RangeInclusive<u32> = 8..=14;

#[derive(Debug, Args)]
pub struct KnnArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub task: TaskArgs,
    /// Bits a feature is quantized to (1 to 16) [default: the fewest from 9 to 12 that keep the answers of the training rows]
    #[arg(long, env = "FHECTL_BITS", value_parser = clap::value_parser!(u32).range(1..=16))]
    bits: Option<u32>,
    /// How many of the nearest training rows vote
    #[arg(long, env = "FHECTL_NEIGHBORS", value_name = "K", default_value_t = 5)]
    neighbors: usize,
    /// How much each vote counts. By distance, the encrypted scores are the distances themselves, less exactly
    #[arg(long, env = "FHECTL_WEIGHTS", value_enum, default_value = "uniform")]
    weights: WeightsChoice,
    /// Take distances of features as they are. Otherwise each is divided by its standard deviation, so that no unit
    /// outweighs another
    #[arg(long, env = "FHECTL_NO_SCALE")]
    no_scale: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WeightsChoice {
    /// As much as any other
    Uniform,
    /// One over the neighbor's distance
    Distance,
}

impl KnnArgs {
    /// What a row needs beside its features.
    pub fn steps(&self, train: &Dataset) -> Vec<ClearStep> {
        match self.weights {
            WeightsChoice::Uniform => Vec::new(),
            WeightsChoice::Distance => vec![squared_length(train, !self.no_scale)],
        }
    }

    /// Refuses, before anything is read, what would give the training rows away unasked.
    ///
    /// # Errors
    /// `import_reveals`.
    pub fn check(&self) -> Result<()> {
        if self.common.reveal == RevealChoice::TrainingRows {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::ImportReveals,
            "the scores of nearest neighbors are scalar products with the training rows",
        )
        .hint(
            "as many answers as there are features give the training rows away, and client.zip holds their labels: \
                 accept it with --reveal training-rows, or train `forest` or `boost`",
        ))
    }

    pub fn train(
        &self,
        train: &Dataset,
        test: &Dataset,
        request: &PlanRequest,
        grain: Grain<'_>,
    ) -> Result<CompiledModel> {
        let weights = match self.weights {
            WeightsChoice::Uniform => VoteWeights::Uniform,
            WeightsChoice::Distance => VoteWeights::Distance,
        };
        let params = KnnParams { neighbors: self.neighbors, standardize: !self.no_scale, weights };
        let model = nearest_neighbors(train, &params)?;
        let levels = self.bits.map_or(Levels::Auto, Levels::Bits);
        let quantized = import::quantize(&model, train, levels, (grain.digits, grain.ranges))?;
        let QuantizedModel::Linear(linear) = quantized.model else {
            return Err(Error::new(ErrorCode::Internal, "nearest neighbors are linear"));
        };
        let Finest { model: integer, scale, bits, plans } =
            finest_weights_of(WEIGHT_BITS, &linear, &quantized.quantizer, model.output(), request)?;
        let options = format!(
            "the {} nearest of {} training rows vote{}{}; {} bits a feature, {bits} bits a weight",
            self.neighbors,
            train.len(),
            if self.weights == WeightsChoice::Distance { ", the nearer the more" } else { "" },
            if self.no_scale { "" } else { ", by features divided by their deviation" },
            quantized.bits.unwrap_or(0),
        );
        Ok(CompiledModel {
            score_scale: Some(scale),
            score_unit: model.unit,
            head: model.head.clone(),
            ..CompiledModel::new(integer, quantized.quantizer, plans, original_score(&model, test), options)
        })
    }
}
