//! Gradient boosting (Friedman 2001) with forust's trees, which are grown on levels instead of values, so that the
//! thresholds of the integer model are the trained ones.
//!
//! forust chooses splits by the gain of a Newton step (Chen, Guestrin 2016). Losses and rounds are here: forust's own
//! rounds know neither more than two classes nor features that are levels already.

use super::float_forest::{FloatForest, FloatTree};
use super::quantize::quantize_rows;
use super::target::StandardTarget;
use crate::data::Dataset;
use fhectl_core::error::{Error, Result};
use fhectl_core::model::{Output, Quantizer, TreeNode};
use forust_ml::Matrix;
use forust_ml::constraints::ConstraintMap;
use forust_ml::data::JaggedMatrix;
use forust_ml::gradientbooster::GrowPolicy;
use forust_ml::sampler::SampleMethod;
use forust_ml::splitter::MissingImputerSplitter;
use forust_ml::tree::Tree;
use rayon::prelude::*;

/// The most trees that are grown: one a class and round.
const MAX_TREES: usize = 1 << 13;
/// The most levels of a feature: forust counts them, and one for missing values, in 16 bits, and keeps sums for each.
const MAX_LEVELS: u32 = 1 << 12;

/// How trees are boosted.
#[derive(Debug, Clone, Copy, PartialEq)]
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
}

impl BoostParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `boost_params` naming the one that is out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |message: String, hint: &str| Err(Error::user("boost_params", message).hint(hint));
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

/// Boosts trees on the quantised rows of `train`.
///
/// Scores are the logit of the second of two classes, logits of more (softmax), or the number; biases are what is best
/// without features. The same rows and parameters give the same trees on any number of threads.
///
/// # Errors
/// `boost_params`, `bits_range` where a feature has more than 4096 levels, `row_shape`, those of
/// [`Dataset::check_trainable`], `target_range`, and `tree_trivial` where no tree finds a split.
pub fn train_boost(train: &Dataset, quantizer: &Quantizer, params: &BoostParams) -> Result<FloatForest> {
    params.check()?;
    train.check_trainable()?;
    if let Some(feature) = quantizer.features.iter().position(|feature| feature.levels() > MAX_LEVELS) {
        let name = train.features.get(feature).map_or("", String::as_str);
        return Err(Error::user("bits_range", format!("feature `{name}` has more than {MAX_LEVELS} levels"))
            .hint("give --bits 12 or fewer"));
    }
    let (target, unit) = Target::of(train)?;
    let scores = target.biases().len();
    if params.rounds * scores > MAX_TREES {
        return Err(Error::user(
            "boost_params",
            format!("{} rounds of {scores} trees, one a class, are more than {MAX_TREES}", params.rounds),
        )
        .hint("lower --trees"));
    }
    let mut forest = boost(&quantize_rows(quantizer, train)?, quantizer, &target, params)?;
    if forest.trees.iter().all(|tree| tree.depth() == 0) {
        return Err(Error::user("tree_trivial", "no split of the training rows says anything about the target")
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
    /// Half the squared error of standardised numbers.
    Values(Vec<f64>),
}

impl Target {
    /// The target, and for numbers what they were standardised by: mean and deviation.
    fn of(train: &Dataset) -> Result<(Self, Option<(f64, f64)>)> {
        Ok(match train.output() {
            Output::Classes(2) => (Self::Binary(train.labels.clone()), None),
            Output::Classes(classes) => (Self::Classes(train.labels.clone(), classes), None),
            Output::Value => {
                let target = StandardTarget::of(train)?;
                (Self::Values(target.values), Some((target.mean, target.deviation)))
            }
        })
    }

    /// The scores of least loss without features. Every class has rows: the data were checked.
    fn biases(&self) -> Vec<f64> {
        let share = |labels: &[u32], class: u32| {
            labels.iter().filter(|label| **label == class).count() as f64 / labels.len() as f64
        };
        match self {
            Self::Binary(labels) => vec![(share(labels, 1) / share(labels, 0)).ln()],
            Self::Classes(labels, classes) => (0..*classes as u32).map(|class| share(labels, class).ln()).collect(),
            Self::Values(_) => vec![0.0],
        }
    }

    /// First and second derivative of a row's loss by each score.
    fn derivatives(&self, row: usize, scores: &[f64]) -> Vec<(f32, f32)> {
        let logistic =
            |share: f64, wanted: bool| ((share - f64::from(u8::from(wanted))) as f32, (share * (1.0 - share)) as f32);
        match self {
            Self::Binary(labels) => vec![logistic(1.0 / (1.0 + (-scores[0]).exp()), labels[row] == 1)],
            Self::Classes(labels, _) => {
                let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let powers: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
                let sum: f64 = powers.iter().sum();
                powers.iter().zip(0..).map(|(power, class)| logistic(power / sum, labels[row] == class)).collect()
            }
            Self::Values(values) => vec![((scores[0] - values[row]) as f32, 1.0)],
        }
    }
}

/// The quantised rows as forust wants them.
struct Levels {
    /// Column by column, from 1: 0 stands for a missing value.
    bins: Vec<u16>,
    /// For each feature its levels and, as forust's own binning has it, a last cut beyond them all.
    cuts: JaggedMatrix<f64>,
    rows: usize,
}

impl Levels {
    fn new(rows: &[Vec<u32>], quantizer: &Quantizer) -> Self {
        let column = |feature: usize| rows.iter().map(move |row| row[feature] as u16 + 1);
        let cuts: Vec<Vec<f64>> = (quantizer.features.iter())
            .map(|feature| (0..feature.levels()).map(f64::from).chain([f64::MAX]).collect())
            .collect();
        Self {
            bins: (0..quantizer.features.len()).flat_map(column).collect(),
            cuts: JaggedMatrix::from_vecs(&cuts),
            rows: rows.len(),
        }
    }

    /// One tree that takes a Newton step, with its values in score `at` of `scores`.
    fn grow(&self, derivatives: &[(f32, f32)], params: &BoostParams, at: usize, scores: usize) -> Result<FloatTree> {
        let features = self.cuts.cols;
        let (slopes, curvatures): (Vec<f32>, Vec<f32>) = derivatives.iter().copied().unzip();
        let splitter = MissingImputerSplitter {
            l1: 0.0,
            l2: params.l2 as f32,
            max_delta_step: 0.0,
            gamma: 0.0,
            min_leaf_weight: params.min_leaf as f32,
            learning_rate: params.learning_rate as f32,
            allow_missing_splits: false,
            constraints_map: ConstraintMap::new(),
        };
        let mut tree = Tree::new();
        let columns: Vec<usize> = (0..features).collect();
        tree.fit(
            &Matrix::new(&self.bins, self.rows, features),
            (0..self.rows).collect(),
            &columns,
            &self.cuts,
            &slopes,
            &curvatures,
            &splitter,
            usize::MAX,
            params.max_depth,
            true,
            &SampleMethod::None,
            &GrowPolicy::DepthWise,
        );
        read(&tree, at, scores)
    }
}

/// forust's tree as one of ours. Its nodes split where `level < split_value`; children come after their parents.
fn read(tree: &Tree, at: usize, scores: usize) -> Result<FloatTree> {
    let nodes = tree.nodes.iter().enumerate().map(|(index, node)| {
        if node.is_leaf {
            let mut values = vec![0.0; scores];
            values[at] = f64::from(node.weight_value);
            return values[at].is_finite().then_some(TreeNode::Leaf(values));
        }
        let later = |child: usize| (child > index && child < tree.nodes.len()).then_some(child as u32);
        let threshold = node.split_value;
        let level = threshold.fract() == 0.0 && (1.0..f64::from(MAX_LEVELS)).contains(&threshold);
        level.then_some(TreeNode::Split {
            feature: node.split_feature as u32,
            threshold: threshold as u32,
            low: later(node.left_child)?,
            high: later(node.right_child)?,
        })
    });
    let nodes: Option<Vec<_>> = nodes.collect();
    nodes.and_then(|nodes| FloatTree::new(nodes).ok()).ok_or_else(|| {
        Error::user("boost_diverged", "a boosted tree has a leaf that is not a finite number")
            .hint("lower `--learning-rate`, or raise `--l2` or `--min-leaf`")
    })
}

fn boost(rows: &[Vec<u32>], quantizer: &Quantizer, target: &Target, params: &BoostParams) -> Result<FloatForest> {
    let levels = Levels::new(rows, quantizer);
    let biases = target.biases();
    let mut scores = vec![biases.clone(); rows.len()];
    let mut forest = FloatForest { biases, trees: Vec::new() };
    for _ in 0..params.rounds {
        let derivatives: Vec<Vec<(f32, f32)>> =
            scores.par_iter().enumerate().map(|(row, scores)| target.derivatives(row, scores)).collect();
        let count = forest.biases.len();
        let trees = (0..count).into_par_iter().map(|at| {
            let own: Vec<(f32, f32)> = derivatives.iter().map(|each| each[at]).collect();
            levels.grow(&own, params, at, count)
        });
        let trees = trees.collect::<Result<Vec<FloatTree>>>()?;
        scores.par_iter_mut().zip(rows).for_each(|(scores, row)| {
            for tree in &trees {
                scores.iter_mut().zip(tree.leaf(row)).for_each(|(score, value)| *score += value);
            }
        });
        forest.trees.extend(trees);
    }
    Ok(forest)
}
