//! `create boost`.

use super::class_weight::{ClassWeightArgs, with_weights};
use super::common::{CommonArgs, Grain, TaskArgs};
use super::compiled_model::CompiledModel;
use super::trees::{Trained, ValueArgs};
use clap::Args;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::Result;
use fhectl_core::model::{Output, Quantizer};
use fhectl_train::data::{Dataset, split};
use fhectl_train::train::{self, BoostParams};

/// Bits of the features that the float reference is trained on: finer than any rows there are to tell apart.
const REFERENCE_BITS: u32 = 12;

/// The bits that are tried where none are asked for, what fewer may cost of accuracy or R2, and the share of the training
/// rows that it is measured on. Of few rows the finer levels cost little, for a feature has no more than its values.
const BITS: [u32; 3] = [6, 8, 10];
const MOST_LOSS: f64 = 0.01;
const MOST_LOSS_OF_FEW: f64 = 0.002;
const HELD_OUT: f64 = 0.2;
/// Below so many training rows, steps are smaller, and a share of the rows says little: so many are taken in turn.
const FEW_ROWS: usize = 2000;
const TURNS: u64 = 5;

#[derive(Debug, Args)]
pub struct BoostArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub task: TaskArgs,
    #[command(flatten)]
    class_weight: ClassWeightArgs,
    #[command(flatten)]
    values: ValueArgs,
    /// Bits a feature is quantized to (1 to 12) [default: 6, or up to 10 where fewer cost accuracy on held-out training rows]
    #[arg(long, env = "FHECTL_BITS", value_parser = clap::value_parser!(u32).range(1..=12))]
    bits: Option<u32>,
    /// How many trees are added, each to what those before it leave; of more than two classes, so many a class
    #[arg(long, env = "FHECTL_TREES", default_value_t = 50)]
    trees: usize,
    /// The most splits on a path
    #[arg(long, env = "FHECTL_MAX_DEPTH", default_value_t = 3)]
    max_depth: usize,
    /// The share of a Newton step that a tree takes [default: 0.4; for numbers, and for fewer
    /// than 2,000 training rows, 0.1]
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
        // Of the rates, penalties and leaf sizes tried, what held-out training rows of `spam` were told best with. Few rows
        // are learned by heart at that rate.
        let slow = train.output() == Output::Value || train.len() < FEW_ROWS;
        let usual = if slow { 0.1 } else { 0.4 };
        let params = BoostParams {
            rounds: self.trees,
            max_depth: self.max_depth,
            learning_rate: self.learning_rate.unwrap_or(usual),
            l2: self.l2,
            min_leaf: self.min_leaf,
            class_weights: self.class_weight.of(train)?,
        };
        let bits = self.bits.map_or_else(|| fewest_bits(train, &params, grain, self.common.seed), Ok)?;
        let quantizer = grain.edges(train, bits)?;
        let forest = train::train_boost(train, &quantizer, &params)?;
        let fine = train::fit_edges(train, REFERENCE_BITS)?;
        let float = train::score_forest(&train::train_boost(train, &fine, &params)?, &fine, test)?;
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
        let options = with_weights(options, &params.class_weights, train);
        let trained = Trained { forest, quantizer, output: train.output(), float, unit: ScoreUnit::Logit, options };
        let could_weigh_classes = params.class_weights.is_even() && train.output() != Output::Value;
        Ok(CompiledModel { could_weigh_classes, ..self.values.make(trained, request)? })
    }
}

/// The fewest bits with which trees of most training rows tell the others as well as trees on fine features do.
fn fewest_bits(rows: &Dataset, params: &BoostParams, grain: Grain<'_>, seed: u64) -> Result<u32> {
    let (turns, most_loss) = if rows.len() < FEW_ROWS { (TURNS, MOST_LOSS_OF_FEW) } else { (1, MOST_LOSS) };
    let parts: Vec<(Dataset, Dataset)> =
        (0..turns).filter_map(|turn| split(rows, HELD_OUT, seed.wrapping_add(turn)).ok()).collect();
    // Too few rows to tell fine features, or some of a class.
    if parts.is_empty() || parts.iter().any(|(fitted, _)| fitted.check_trainable().is_err()) {
        return Ok(BITS[0]);
    }
    let told = |quantizer: &dyn Fn(&Dataset) -> Result<Quantizer>| -> Result<f64> {
        let mut sum = 0.0;
        for (fitted, held_out) in &parts {
            let quantizer = quantizer(fitted)?;
            let forest = train::train_boost(fitted, &quantizer, params)?;
            sum += train::score_forest(&forest, &quantizer, held_out)?.share();
        }
        Ok(sum / parts.len() as f64)
    };
    let wanted = told(&|fitted| train::fit_edges(fitted, REFERENCE_BITS))? - most_loss;
    for bits in BITS {
        let found = told(&|fitted| grain.edges(fitted, bits))?;
        if found >= wanted {
            return Ok(bits);
        }
    }
    Ok(BITS[BITS.len() - 1])
}
