//! Gradient boosting (Friedman 2001) with Newton steps (Chen, Guestrin 2016) on quantized features, so that the thresholds
//! of the integer model are the trained ones.

use super::class_weights::ClassWeights;
use super::columns::{Columns, LeafRules};
use super::derivatives::Derivatives;
use super::float_forest::{FloatForest, FloatTree};
use super::grower::Grower;
use super::growth::MaxFeatures;
use super::quantize::quantize_rows;
use super::target::StandardTarget;
use crate::data::Dataset;
use crate::data::random::Random;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Output, Quantizer};
use rayon::prelude::*;

/// The most trees that are grown: one a class and round.
const MAX_TREES: usize = 1 << 13;

/// How trees are boosted.
#[derive(Debug, Clone, PartialEq)]
pub struct BoostParams {
    /// Each adds one tree, or one a class where there are more than two.
    pub rounds: usize,
    /// The most splits on a path, 1 to 20.
    pub max_depth: usize,
    /// The share of a Newton step that a tree takes, above 0 and at most 1.
    pub learning_rate: f64,
    /// The weight of the penalty `l2 / 2 * value^2` of a leaf beside the summed loss, from 0 on.
    pub l2: f64,
    /// The least curvature of the loss that a leaf may hold, from 0 on: for numbers a count of rows.
    pub min_leaf: f64,
    /// How much rows of each class count.
    pub class_weights: ClassWeights,
}

impl BoostParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `boost_params` naming the one that is out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |message: String, hint: &str| Err(Error::new(ErrorCode::BoostParams, message).hint(hint));
        if !(1..=MAX_TREES).contains(&self.rounds) {
            return wrong(format!("{} rounds, want 1 to {MAX_TREES}", self.rounds), "give --trees from 1 to 8192");
        }
        if !(1..=20).contains(&self.max_depth) {
            return wrong(
                format!("a maximal depth of {}, want 1 to 20", self.max_depth),
                "give --max-depth from 1 to 20",
            );
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            return wrong(
                format!("a learning rate of {}", self.learning_rate),
                "give --learning-rate above 0, at most 1",
            );
        }
        if !(self.l2 >= 0.0 && self.l2.is_finite() && self.min_leaf >= 0.0 && self.min_leaf.is_finite()) {
            return wrong(
                format!("a penalty of {} and {} a leaf", self.l2, self.min_leaf),
                "give --l2 and --min-leaf from 0 on",
            );
        }
        Ok(())
    }
}

/// Boosts trees on the quantized rows of `train`.
///
/// Scores are the logit of the second of two classes, logits of more (softmax), or the number; biases are what is best
/// without features. The same rows and parameters give the same trees on any number of threads.
///
/// # Errors
/// `boost_params`, `row_shape`, those of [`Dataset::check_trainable`], `target_range`, `boost_diverged` where a leaf is no
/// finite number, and `tree_trivial` where no tree finds a split.
pub fn train_boost(train: &Dataset, quantizer: &Quantizer, params: &BoostParams) -> Result<FloatForest> {
    params.check()?;
    train.check_trainable()?;
    let (target, unit) = Target::of(train)?;
    let scores = target.biases(&params.class_weights).len();
    if params.rounds * scores > MAX_TREES {
        return Err(Error::new(
            ErrorCode::BoostParams,
            format!("{} rounds of {scores} trees, one a class, are more than {MAX_TREES}", params.rounds),
        )
        .hint("lower --trees"));
    }
    let mut forest = boost(train, quantizer, &target, params)?;
    if forest.trees.iter().all(|tree| tree.depth() == 0) {
        return Err(Error::new(ErrorCode::TreeTrivial, "no split of the training rows says anything about the target")
            .hint("lower `--min-leaf`, raise `--bits`, or check that the features say something about the target"));
    }
    if let Some((mean, deviation)) = unit {
        forest.biases[0] = mean;
        let scaled = |values: Vec<f64>| values.into_iter().map(|value| value * deviation).collect();
        forest.trees = forest.trees.into_iter().map(|tree| tree.map_leaves(scaled)).collect();
    }
    Ok(forest)
}

/// What is to be predicted, one a row, and its loss.
enum Target {
    /// The logistic loss of the second of two classes.
    Binary(Vec<u32>),
    /// The softmax's cross-entropy.
    Classes(Vec<u32>, usize),
    /// Half the squared error of standardized numbers.
    Values(Vec<f64>),
}

impl Target {
    /// The target, and for numbers what they were standardized by: mean and deviation.
    fn of(train: &Dataset) -> Result<(Self, Option<(f64, f64)>)> {
        Ok(match train.output() {
            Output::Classes(2) => (Self::Binary(train.labels.clone()), None),
            Output::Classes(classes) => (Self::Classes(train.labels.clone(), classes), None),
            Output::Value | Output::Scores(_) => {
                let target = StandardTarget::of(train)?;
                (Self::Values(target.values), Some((target.mean, target.deviation)))
            }
        })
    }

    /// The scores of least loss without features. Every class has rows: the data were checked.
    fn biases(&self, weights: &ClassWeights) -> Vec<f64> {
        // Rows weigh 1 on average, so that these are shares.
        let share = |labels: &[u32], class: u32| {
            labels.iter().filter(|label| **label == class).count() as f64 * weights.of(class) / labels.len() as f64
        };
        match self {
            Self::Binary(labels) => vec![(share(labels, 1) / share(labels, 0)).ln()],
            Self::Classes(labels, classes) => (0..*classes as u32).map(|class| share(labels, class).ln()).collect(),
            Self::Values(_) => vec![0.0],
        }
    }

    /// First and second derivative of a row's loss by each score.
    fn derivatives(&self, row: usize, scores: &[f64], weights: &ClassWeights) -> Vec<(f64, f64)> {
        let weight = match self {
            Self::Binary(labels) | Self::Classes(labels, _) => weights.of(labels[row]),
            Self::Values(_) => 1.0,
        };
        let logistic = |share: f64, wanted: bool| {
            (weight * (share - f64::from(u8::from(wanted))), weight * (share * (1.0 - share)))
        };
        match self {
            Self::Binary(labels) => vec![logistic(1.0 / (1.0 + (-scores[0]).exp()), labels[row] == 1)],
            Self::Classes(labels, _) => {
                let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let powers: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
                let sum: f64 = powers.iter().sum();
                powers.iter().zip(0..).map(|(power, class)| logistic(power / sum, labels[row] == class)).collect()
            }
            Self::Values(values) => vec![(scores[0] - values[row], 1.0)],
        }
    }
}

fn boost(train: &Dataset, quantizer: &Quantizer, target: &Target, params: &BoostParams) -> Result<FloatForest> {
    let rows = quantize_rows(quantizer, train)?;
    let columns = Columns::new(train, quantizer)?;
    let biases = target.biases(&params.class_weights);
    let count = biases.len();
    let all: Vec<u32> = (0..rows.len() as u32).collect();
    let mut scores = vec![biases.clone(); rows.len()];
    let mut forest = FloatForest { biases, trees: Vec::new() };
    for _ in 0..params.rounds {
        let derivatives: Vec<Vec<(f64, f64)>> = scores
            .par_iter()
            .enumerate()
            .map(|(row, scores)| target.derivatives(row, scores, &params.class_weights))
            .collect();
        let trees = (0..count).into_par_iter().map(|at| {
            let own: Vec<(f64, f64)> = derivatives.iter().map(|each| each[at]).collect();
            let leaf = |step: Vec<f64>| {
                let mut values = vec![0.0; count];
                values[at] = step[0] * params.learning_rate;
                values
            };
            let grower = Grower {
                columns: &columns,
                max_depth: params.max_depth,
                rules: LeafRules { min_curvature: params.min_leaf, min_rows: 0, l2: params.l2 },
                max_features: MaxFeatures::All,
                leaf: &leaf,
                threshold: &|split| split.low + 1,
            };
            grower.grow(&Derivatives::Newton(&own), &all, &mut Random::new(0)).breadth_first()
        });
        let trees: Vec<FloatTree> = trees.collect();
        if trees.iter().flat_map(FloatTree::leaves).flatten().any(|value| !value.is_finite()) {
            return Err(Error::new(ErrorCode::BoostDiverged, "a boosted tree has a leaf that is not a finite number")
                .hint("lower `--learning-rate`, or raise `--l2` or `--min-leaf`"));
        }
        scores.par_iter_mut().zip(&rows).for_each(|(scores, row)| {
            for tree in &trees {
                scores.iter_mut().zip(tree.leaf(row)).for_each(|(score, value)| *score += value);
            }
        });
        forest.trees.extend(trees);
    }
    Ok(forest)
}
