//! `create boost`.

use super::common::{CommonArgs, Grain, TaskArgs};
use super::publish::CompiledModel;
use super::trees::{Trained, ValueArgs};
use clap::Args;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::Result;
use fhectl_core::model::Output;
use fhectl_train::data::Dataset;
use fhectl_train::train::{self, BoostParams};

/// Bits of the features that the float reference is trained on: finer than any rows there are to tell apart.
const REFERENCE_BITS: u32 = 12;

/// The bits that are tried where none are asked for, and what fewer may cost on the training rows: accuracy or R2.
const BITS: [u32; 3] = [6, 8, 10];
const MOST_LOSS: f64 = 0.02;

#[derive(Debug, Args)]
pub struct BoostArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub task: TaskArgs,
    #[command(flatten)]
    values: ValueArgs,
    /// Bits a feature is quantized to (1 to 12) [default: 6, or up to 10 where fewer cost accuracy on the training rows]
    #[arg(long, env = "FHECTL_BITS", value_parser = clap::value_parser!(u32).range(1..=12))]
    bits: Option<u32>,
    /// How many trees are added, each to what those before it leave; of more than two classes, so many a class
    #[arg(long, env = "FHECTL_TREES", default_value_t = 50)]
    trees: usize,
    /// The most splits on a path
    #[arg(long, env = "FHECTL_MAX_DEPTH", default_value_t = 3)]
    max_depth: usize,
    /// The share of a Newton step that a tree takes [default: 0.4; for numbers, 0.1]
    #[arg(long, env = "FHECTL_LEARNING_RATE")]
    learning_rate: Option<f64>,
    /// Strength of the L2 penalty on leaf values
    #[arg(long, env = "FHECTL_L2", default_value_t = 1.0)]
    l2: f64,
    /// The least curvature of the loss in a leaf: for numbers a count of rows, for classes a sum of p (1 - p)
    #[arg(long, env = "FHECTL_MIN_LEAF", default_value_t = 0.1)]
    min_leaf: f64,
}

impl BoostArgs {
    pub fn train(
        &self,
        train: &Dataset,
        test: &Dataset,
        request: &PlanRequest,
        grain: Grain<'_>,
    ) -> Result<CompiledModel> {
        // Of the rates, penalties and leaf sizes tried, what held-out training rows of `spam` were told best with.
        let usual = if train.output() == Output::Value { 0.1 } else { 0.4 };
        let params = BoostParams {
            rounds: self.trees,
            max_depth: self.max_depth,
            learning_rate: self.learning_rate.unwrap_or(usual),
            l2: self.l2,
            min_leaf: self.min_leaf,
        };
        let fine = train::fit_edges(train, REFERENCE_BITS)?;
        let reference = train::train_boost(train, &fine, &params)?;
        let float = train::score_forest(&reference, &fine, test)?;
        let wanted = train::score_forest(&reference, &fine, train)?.share() - MOST_LOSS;
        let mut tried = self.bits.map_or_else(|| BITS.to_vec(), |bits| vec![bits]).into_iter();
        let (bits, quantizer, forest) = loop {
            let bits = tried.next().unwrap_or(REFERENCE_BITS);
            let quantizer = grain.edges(train, bits)?;
            let forest = train::train_boost(train, &quantizer, &params)?;
            if tried.len() == 0 || train::score_forest(&forest, &quantizer, train)?.share() >= wanted {
                break (bits, quantizer, forest);
            }
        };
        let options = format!(
            "{} bits a feature, {} trees of depth at most {} boosted at a learning rate of {}, L2 penalty {}, leaves of \
             curvature {} or more",
            bits,
            forest.trees.len(),
            self.max_depth,
            params.learning_rate,
            self.l2,
            self.min_leaf
        );
        let trained = Trained { forest, quantizer, output: train.output(), float, unit: ScoreUnit::Logit, options };
        self.values.make(trained, request)
    }
}
