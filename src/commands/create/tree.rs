//! `create tree`.

use super::class_weight::{ClassWeightArgs, with_weights};
use super::common::{CommonArgs, Grain, TaskArgs};
use super::compiled_model::CompiledModel;
use super::trees::{Trained, ValueArgs};
use clap::Args;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Model, Output};
use fhectl_train::data::Dataset;
use fhectl_train::train::{self, ClassWeights, GrowthParams, MaxFeatures, Score, TreeParams};

#[derive(Debug, Args)]
pub struct TreeArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub task: TaskArgs,
    #[command(flatten)]
    class_weight: ClassWeightArgs,
    #[command(flatten)]
    values: ValueArgs,
    /// Bits a feature is quantized to (1 to 16)
    #[arg(long, env = "FHECTL_BITS", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=16))]
    bits: u32,
    /// The most splits on a path [default: 6; for numbers, 5]
    #[arg(long, env = "FHECTL_MAX_DEPTH")]
    max_depth: Option<usize>,
    /// The fewest training rows of a leaf [default: one in 230 of them, for numbers one in 40, or 1 where --max-depth is
    /// given]
    #[arg(long, env = "FHECTL_MIN_LEAF")]
    min_leaf: Option<usize>,
    /// The most distinct features on a path: they, not the splits, are what a path costs leaf-sum
    /// [default: 5, or no limit where --max-depth is given]
    #[arg(long, env = "FHECTL_PATH_FEATURES", value_name = "N")]
    path_features: Option<usize>,
}

impl TreeArgs {
    /// A tree that is cheap to encrypt, unless a depth is asked for: then nothing else limits it unasked.
    fn params(&self, rows: usize, class_weights: ClassWeights) -> TreeParams {
        let cheap = self.max_depth.is_none();
        let max_depth = self.max_depth.unwrap_or(6);
        TreeParams {
            max_depth,
            min_leaf: self.min_leaf.unwrap_or(if cheap { ((rows + 115) / 230).max(1) } else { 1 }),
            path_features: self.path_features.unwrap_or(if cheap { 5 } else { max_depth }),
            class_weights,
        }
    }

    /// A tree whose leaves are numbers.
    fn regression(
        &self,
        train: &Dataset,
        test: &Dataset,
        request: &PlanRequest,
        grain: Grain<'_>,
    ) -> Result<CompiledModel> {
        if self.path_features.is_some() {
            return Err(Error::new(ErrorCode::TreeParams, "--path-features limits trees that tell classes")
                .hint("leave it out, or limit the tree with --max-depth and --min-leaf"));
        }
        self.class_weight.of(train)?;
        let few = if self.max_depth.is_none() { (train.len() / 40).max(1) } else { 1 };
        let params = GrowthParams {
            max_depth: self.max_depth.unwrap_or(5),
            min_leaf: self.min_leaf.unwrap_or(few),
            max_features: MaxFeatures::All,
        };
        let quantizer = grain.edges(train, self.bits)?;
        let forest = train::train_regression_tree(train, &quantizer, &params)?;
        let exact = train::fit_exact(train);
        let float = train::score_forest(&train::train_regression_tree(train, &exact, &params)?, &exact, test)?;
        let options = format!(
            "{} bits a feature, depth at most {}, leaves of at least {} rows",
            self.bits, params.max_depth, params.min_leaf
        );
        let trained = Trained { forest, quantizer, output: Output::Value, float, unit: ScoreUnit::Logit, options };
        self.values.make(trained, request)
    }

    pub fn train(
        &self,
        train: &Dataset,
        test: &Dataset,
        request: &PlanRequest,
        grain: Grain<'_>,
    ) -> Result<CompiledModel> {
        if train.output() == Output::Value {
            return self.regression(train, test, request, grain);
        }
        if self.values.given() {
            return Err(Error::new(ErrorCode::TreeParams, "--value-bits is for leaves that are numbers, not classes")
                .hint("leave it out, or say --task regress"));
        }
        let params = self.params(train.len(), self.class_weight.of(train)?);
        let quantizer = grain.edges(train, self.bits)?;
        let model = Model::Tree(train::train_tree(train, &quantizer, &params)?);
        let plans = plan(&model, &quantizer, train.output(), request)?;
        let options = format!(
            "{} bits a feature, depth at most {}, leaves of at least {} rows, at most {} features a path",
            self.bits, params.max_depth, params.min_leaf, params.path_features
        );
        Ok(CompiledModel {
            could_weigh_classes: params.class_weights.is_even() && train.output() != Output::Value,
            score_unit: ScoreUnit::Logit,
            ..CompiledModel::new(
                model,
                quantizer,
                plans,
                Score::Accuracy(train::float_tree_accuracy(train, test, &params)?),
                with_weights(options, &params.class_weights, train),
            )
        })
    }
}
