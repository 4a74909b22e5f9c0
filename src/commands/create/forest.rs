//! `create forest`.

use super::class_weight::{ClassWeightArgs, with_weights};
use super::common::{CommonArgs, Grain, TaskArgs};
use super::compiled_model::CompiledModel;
use super::trees::{Trained, ValueArgs};
use clap::Args;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Output, Quantizer};
use fhectl_train::data::Dataset;
use fhectl_train::train::{self, FloatForest, ForestParams, GrowthParams, MaxFeatures};

/// The depths that are tried where none is asked for, and what a shallower forest, which costs less, may lose of accuracy or
/// R2 by rows that its trees were not shown.
const DEPTHS: [usize; 3] = [4, 6, 8];
const MOST_LOSS: f64 = 0.025;

#[derive(Debug, Args)]
pub struct ForestArgs {
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
    /// How many trees vote
    #[arg(long, env = "FHECTL_TREES", default_value_t = 50)]
    trees: usize,
    /// The most splits on a path [default: 4, or up to 8 where fewer cost accuracy on rows that trees were not shown]
    #[arg(long, env = "FHECTL_MAX_DEPTH")]
    max_depth: Option<usize>,
    /// The fewest training rows of a leaf
    #[arg(long, env = "FHECTL_MIN_LEAF", default_value_t = 1)]
    min_leaf: usize,
    /// How many features, drawn at random, a split chooses among: a number, `sqrt` or `all` [default: sqrt; for numbers,
    /// all]
    #[arg(long, env = "FHECTL_MAX_FEATURES", value_name = "N|sqrt|all", value_parser = parse_max_features)]
    max_features: Option<MaxFeatures>,
}

impl ForestArgs {
    pub fn train(
        &self,
        train: &Dataset,
        test: &Dataset,
        request: &PlanRequest,
        grain: Grain<'_>,
    ) -> Result<CompiledModel> {
        let usual = if train.output() == Output::Value { MaxFeatures::All } else { MaxFeatures::Sqrt };
        let max_features = self.max_features.unwrap_or(usual);
        let max_depth = self.max_depth.unwrap_or(DEPTHS[0]);
        let growth = GrowthParams { max_depth, min_leaf: self.min_leaf, max_features };
        let asked = ForestParams {
            trees: self.trees,
            growth,
            seed: self.common.seed,
            class_weights: self.class_weight.of(train)?,
        };
        let quantizer = grain.edges(train, self.bits)?;
        let (params, forest) = match self.max_depth {
            Some(_) => (asked.clone(), train::train_forest(train, &quantizer, &asked)?),
            None => shallowest(train, &quantizer, &asked)?,
        };
        let exact = train::fit_exact(train);
        let float = train::score_forest(&train::train_forest(train, &exact, &params)?, &exact, test)?;
        let options = format!(
            "{} bits a feature, {} trees of depth at most {}, leaves of at least {} rows, {} features a split",
            self.bits,
            self.trees,
            params.growth.max_depth,
            self.min_leaf,
            match max_features {
                MaxFeatures::All => "all".to_owned(),
                MaxFeatures::Sqrt => "the square root of the number of".to_owned(),
                MaxFeatures::Count(count) => count.to_string(),
            }
        );
        let options = with_weights(options, &params.class_weights, train);
        let trained = Trained { forest, quantizer, output: train.output(), float, unit: ScoreUnit::Share, options };
        let could_weigh_classes = params.class_weights.is_even() && train.output() != Output::Value;
        Ok(CompiledModel { could_weigh_classes, ..self.values.make(trained, request)? })
    }
}

/// The shallowest forest that tells rows about as well as the best of those tried, and how it was grown.
fn shallowest(train: &Dataset, quantizer: &Quantizer, asked: &ForestParams) -> Result<(ForestParams, FloatForest)> {
    let mut tried = Vec::new();
    for max_depth in DEPTHS {
        let params = ForestParams { growth: GrowthParams { max_depth, ..asked.growth }, ..asked.clone() };
        let forest = train::train_forest(train, quantizer, &params)?;
        let told = train::out_of_bag(&forest, train, quantizer, params.seed)?.share();
        tried.push((told, params, forest));
    }
    let best = tried.iter().map(|(told, ..)| *told).fold(f64::NEG_INFINITY, f64::max);
    // Where nothing could be told, which few trees leave, the shallowest serves.
    let chosen = tried.iter().position(|(told, ..)| *told >= best - MOST_LOSS).unwrap_or(0);
    let (_, params, forest) = tried.swap_remove(chosen);
    Ok((params, forest))
}

fn parse_max_features(text: &str) -> Result<MaxFeatures> {
    match text {
        "sqrt" => Ok(MaxFeatures::Sqrt),
        "all" => Ok(MaxFeatures::All),
        _ => match text.parse() {
            Ok(count) if count > 0 => Ok(MaxFeatures::Count(count)),
            _ => Err(Error::new(
                ErrorCode::TreeParams,
                format!("`{text}` is neither a number from 1 on, nor `sqrt` or `all`"),
            )),
        },
    }
}
