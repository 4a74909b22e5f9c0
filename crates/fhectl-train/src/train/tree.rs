//! Decision trees grown on quantized features, so that the integer tree is the model and not an
//! approximation of one.

use super::class_weights::ClassWeights;
use super::columns::{Columns, middle_threshold};
use super::quality::accuracy;
use super::quantize::fit_exact;
use super::splits::ClassRows;
use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Branch, ClassLeaf, IntegerTree, Model, Quantizer};

/// What limits a tree's growth.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeParams {
    /// The most splits on a path, 1 to 20.
    pub max_depth: usize,
    /// The fewest training rows a leaf may hold, at least 1.
    pub min_leaf: usize,
    /// The most distinct features tested on a path, at least 1. An encrypted path costs by its features, not by its
    /// splits: once it has so many, it is only split further on those.
    pub path_features: usize,
    /// How much rows of each class count.
    pub class_weights: ClassWeights,
}

impl Default for TreeParams {
    fn default() -> Self {
        Self { max_depth: 5, min_leaf: 1, path_features: usize::MAX, class_weights: ClassWeights::default() }
    }
}

impl TreeParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `tree_params` naming the one that is out of range.
    pub fn check(&self) -> Result<()> {
        if !(1..=20).contains(&self.max_depth) {
            return Err(Error::new(
                ErrorCode::TreeParams,
                format!("a maximal depth of {}, want 1 to 20", self.max_depth),
            )
            .hint("give --max-depth from 1 to 20"));
        }
        if self.min_leaf == 0 {
            return Err(
                Error::new(ErrorCode::TreeParams, "0 rows a leaf, want at least 1").hint("give --min-leaf 1 or more")
            );
        }
        if self.path_features == 0 {
            return Err(Error::new(ErrorCode::TreeParams, "0 features a path, want at least 1")
                .hint("give --path-features 1 or more"));
        }
        Ok(())
    }
}

/// Grows a classification tree on the quantized rows of `train`.
///
/// # Errors
/// `tree_params`, `row_shape`, and `tree_trivial` where no split tells the classes apart.
pub fn train_tree(train: &Dataset, quantizer: &Quantizer, params: &TreeParams) -> Result<IntegerTree> {
    params.check()?;
    let samples = ClassRows {
        columns: Columns::new(train, quantizer)?,
        labels: &train.labels,
        classes: train.classes.len(),
        weights: &params.class_weights,
    };
    let growing = ClassGrower { samples, quantizer, params };
    let all: Vec<u32> = (0..train.len() as u32).collect();
    let branch = growing.grow(&all, 0, &[])?;
    if let Branch::Leaf(_) = branch {
        return Err(Error::new(ErrorCode::TreeTrivial, "no split of the training rows tells the classes apart")
            .hint("lower `--min-leaf`, raise `--bits`, or check that the features say something about the target"));
    }
    Ok(IntegerTree { classes: train.classes.len() as u32, tree: branch.depth_first() })
}

/// The accuracy on `test` of the same tree grown on the features as they are, a level for every
/// distinct training value: what quantization costs is measured against this.
///
/// # Errors
/// As for [`train_tree`].
pub fn float_tree_accuracy(train: &Dataset, test: &Dataset, params: &TreeParams) -> Result<f64> {
    let exact = fit_exact(train);
    let tree = train_tree(train, &exact, params)?;
    accuracy(&Model::Tree(tree), &exact, test)
}

struct ClassGrower<'a> {
    samples: ClassRows<'a>,
    quantizer: &'a Quantizer,
    params: &'a TreeParams,
}

impl ClassGrower<'_> {
    /// The branch for `rows`, whose path tests the features `on_path`, without splits whose sides predict the same.
    fn grow(&self, rows: &[u32], depth: usize, on_path: &[usize]) -> Result<Branch<u32, ClassLeaf>> {
        let counts = self.samples.counts(rows);
        let leaf = Branch::Leaf(ClassLeaf { class: majority(&counts) });
        let pure = counts.iter().filter(|count| **count > 0.0).count() < 2;
        if pure || depth == self.params.max_depth || rows.len() < 2 * self.params.min_leaf {
            return Ok(leaf);
        }
        let full = on_path.len() >= self.params.path_features;
        let allowed: Vec<usize> = if full { on_path.to_vec() } else { (0..self.samples.columns.features()).collect() };
        let Some(split) = self.samples.best_split(rows, &allowed, self.params.min_leaf)? else { return Ok(leaf) };
        let mut on_path = on_path.to_vec();
        if let Err(at) = on_path.binary_search(&split.feature) {
            on_path.insert(at, split.feature);
        }
        let (above, below) = self.samples.columns.parted(rows, &split);
        let (low, high) = (self.grow(&below, depth + 1, &on_path)?, self.grow(&above, depth + 1, &on_path)?);
        let threshold = middle_threshold(&self.quantizer.features[split.feature], &split);
        Ok(Branch::merged(split.feature as u32, threshold, low, high))
    }
}

/// The class that counts most, the first of equals.
fn majority(counts: &[f64]) -> u32 {
    let mut best = 0;
    for (class, count) in counts.iter().enumerate() {
        if *count > counts[best] {
            best = class;
        }
    }
    best as u32
}
