//! Random forests (Breiman 2001) and regression trees, grown on quantized features, so that the thresholds of the integer
//! model are the trained ones.

use super::class_weights::ClassWeights;
use super::columns::{Columns, LeafRules, middle_threshold};
use super::derivatives::Derivatives;
use super::float_forest::{FloatForest, FloatTree};
use super::grower::Grower;
use super::growth::GrowthParams;
use super::quality::{Score, score_floats};
use super::quantize::quantize_rows;
use super::target::StandardTarget;
use crate::data::Dataset;
use crate::data::random::Random;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Output, Quantizer};
use rayon::prelude::*;

/// The most trees of a forest.
const MAX_TREES: usize = 4096;

/// How a forest is grown.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestParams {
    /// 1 to 4096.
    pub trees: usize,
    pub growth: GrowthParams,
    /// Of the rows and features each tree is shown.
    pub seed: u64,
    /// How much rows of each class count.
    pub class_weights: ClassWeights,
}

/// Grows `trees` trees, each on as many rows as there are, drawn with replacement.
///
/// Leaves vote with the class shares of their rows, and scores are the means of votes: one a class, for two classes how
/// much larger the second's is. For a number leaves hold the mean of their rows, and the bias is the mean of all.
///
/// # Errors
/// `forest_params`, `tree_params`, `row_shape`, those of [`Dataset::check_trainable`], `target_range`, and
/// `tree_trivial` where no tree finds a split.
pub fn train_forest(train: &Dataset, quantizer: &Quantizer, params: &ForestParams) -> Result<FloatForest> {
    if !(1..=MAX_TREES).contains(&params.trees) {
        return Err(Error::new(ErrorCode::ForestParams, format!("{} trees, want 1 to {MAX_TREES}", params.trees))
            .hint("give --trees from 1 to 4096"));
    }
    grow(train, quantizer, (&params.growth, &params.class_weights), params.trees, |index, rows| {
        drawn(params.seed, index, rows)
    })
}

/// The rows that a tree is shown, and the generator that it draws features from.
fn drawn(seed: u64, index: usize, rows: usize) -> (Vec<u32>, Random) {
    // Each tree draws from a generator of its own: the order in which threads take them does not show.
    let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index as u64));
    let drawn = (0..rows).map(|_| random.below(rows) as u32).collect();
    (drawn, random)
}

/// How well a forest of [`train_forest`] tells its own training rows, each by the trees alone that were not shown it (Breiman
/// 2001, section 3.1): what other rows would be told, without rows kept aside. Rows that all trees were shown are left out.
///
/// # Errors
/// As for [`quantize_rows`].
pub fn out_of_bag(forest: &FloatForest, train: &Dataset, quantizer: &Quantizer, seed: u64) -> Result<Score> {
    let rows = quantize_rows(quantizer, train)?;
    let mut sums = vec![(vec![0.0; forest.biases.len()], 0usize); rows.len()];
    for (index, tree) in forest.trees.iter().enumerate() {
        let mut shown = vec![false; rows.len()];
        drawn(seed, index, rows.len()).0.iter().for_each(|row| shown[*row as usize] = true);
        sums.par_iter_mut().zip(&rows).zip(&shown).filter(|(_, shown)| !**shown).for_each(|((sum, row), _)| {
            sum.0.iter_mut().zip(tree.leaf(row)).for_each(|(sum, value)| *sum += value);
            sum.1 += 1;
        });
    }
    let told: Vec<usize> = (0..rows.len()).filter(|row| sums[*row].1 > 0).collect();
    // Leaves are worth their share of all trees.
    let scores = told.iter().map(|row| {
        let (sum, trees) = &sums[*row];
        let worth = forest.trees.len() as f64 / *trees as f64;
        forest.biases.iter().zip(sum).map(|(bias, sum)| bias + worth * sum).collect()
    });
    Ok(score_floats(scores, &train.select(&told)))
}

/// Grows one tree for a number, on all rows.
///
/// # Errors
/// As for [`train_forest`]; `task_unfit` for classes, whose trees are [`super::train_tree`]'s.
pub fn train_regression_tree(train: &Dataset, quantizer: &Quantizer, params: &GrowthParams) -> Result<FloatForest> {
    if train.output() != Output::Value {
        return Err(Error::new(ErrorCode::TaskUnfit, "a regression tree for classes"));
    }
    grow(train, quantizer, (params, &ClassWeights::default()), 1, |_, rows| {
        ((0..rows as u32).collect(), Random::new(0))
    })
}

fn grow(
    train: &Dataset,
    quantizer: &Quantizer,
    (params, weights): (&GrowthParams, &ClassWeights),
    trees: usize,
    draw: impl Fn(usize, usize) -> (Vec<u32>, Random) + Sync,
) -> Result<FloatForest> {
    params.check()?;
    train.check_trainable()?;
    let (mut biases, mut unit) = (vec![0.0; train.output().margins()], 1.0);
    let mut values = Vec::new();
    if train.output() == Output::Value {
        let target = StandardTarget::of(train)?;
        (biases[0], unit, values) = (target.mean, target.deviation, target.values);
    }
    let columns = Columns::new(train, quantizer)?;
    let derivatives = match train.output() {
        Output::Classes(classes) => Derivatives::Classes { labels: &train.labels, classes, weights },
        Output::Value | Output::Scores(_) => Derivatives::Values(&values),
    };
    // Of two classes the difference of their shares, else what rows average to.
    let leaf = |means: Vec<f64>| match means[..] {
        [first, second] => vec![second - first],
        _ => means,
    };
    let grower = Grower {
        columns: &columns,
        max_depth: params.max_depth,
        rules: LeafRules { min_curvature: 0.0, min_rows: params.min_leaf, l2: 0.0 },
        max_features: params.max_features,
        leaf: &leaf,
        threshold: &|split| middle_threshold(&quantizer.features[split.feature], split),
    };
    let worth = unit / trees as f64;
    let trees: Vec<FloatTree> = (0..trees)
        .into_par_iter()
        .map(|index| {
            let (rows, mut random) = draw(index, train.len());
            let tree = grower.grow(&derivatives, &rows, &mut random).depth_first();
            tree.map_leaves(|values| values.into_iter().map(|value| value * worth).collect())
        })
        .collect();
    if trees.iter().all(|tree| tree.depth() == 0) {
        return Err(Error::new(ErrorCode::TreeTrivial, "no split of the training rows says anything about the target")
            .hint("lower `--min-leaf`, raise `--bits`, or check that the features say something about the target"));
    }
    Ok(FloatForest { biases, trees })
}
