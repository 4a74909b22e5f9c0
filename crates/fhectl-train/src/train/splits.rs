//! Choosing the split of a classification tree's node.

use super::class_weights::ClassWeights;
use super::columns::{Columns, LeafRules, Split};
use super::derivatives::Derivatives;
use fhectl_core::error::{Error, ErrorCode, Result};
use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2};
use rayon::prelude::*;

/// The smallest decrease of the Gini impurity for which a node is split (linfa's own default).
const MIN_DECREASE: f64 = 1e-5;

/// The training rows with their classes.
pub(super) struct ClassRows<'a> {
    pub(super) columns: Columns,
    pub(super) labels: &'a [u32],
    pub(super) classes: usize,
    pub(super) weights: &'a ClassWeights,
}

impl ClassRows<'_> {
    /// What the rows of each class count together; exactly their number where all count alike.
    pub(super) fn counts(&self, rows: &[u32]) -> Vec<f64> {
        let mut counts = vec![0.0; self.classes];
        for row in rows {
            counts[self.labels[*row as usize] as usize] += 1.0;
        }
        counts.iter_mut().zip(0..).for_each(|(count, class)| *count *= self.weights.of(class));
        counts
    }

    /// The split of `rows` on one of the features `allowed` (ascending) that lowers the Gini impurity the most, if one
    /// is worth it.
    ///
    /// linfa-trees decides whether a node is split, by a tree of depth 1 fitted to these rows alone: in its own
    /// recursion it overlooks splits next to values that rows of another branch share. It sums impurities in `f32` in
    /// the order of a hash map, which settles near-ties between splits differently on every run; so of all splits as
    /// good as its own the first of the best in (feature, value) order is taken, compared in `f64`. Where rows do not count
    /// alike, the comparison alone decides.
    ///
    /// # Errors
    /// `tree_fit` where linfa refuses the rows.
    pub(super) fn best_split(&self, rows: &[u32], allowed: &[usize], min_leaf: usize) -> Result<Option<Split>> {
        if self.weights.is_even() && self.propose(rows, allowed, min_leaf)?.is_none() {
            return Ok(None);
        }
        let total: f64 = self.counts(rows).iter().sum();
        let worth = |split: &Split| split.gain / total >= MIN_DECREASE;
        Ok(self.compare(rows, allowed, min_leaf).filter(worth))
    }

    /// The feature and value of linfa's best split: up to the value goes down.
    fn propose(&self, rows: &[u32], allowed: &[usize], min_leaf: usize) -> Result<Option<(usize, f64)>> {
        let records = Array2::from_shape_fn((rows.len(), allowed.len()), |(row, at)| {
            f64::from(self.columns.levels[allowed[at]][rows[row] as usize])
        });
        let labels: Array1<usize> = rows.iter().map(|row| self.labels[*row as usize] as usize).collect();
        let failed = |error: linfa::Error| Error::new(ErrorCode::TreeFit, format!("linfa-trees: {error}"));
        let stump = DecisionTree::params()
            .max_depth(Some(1))
            .min_weight_leaf(min_leaf as f32)
            // Below what `f32` resolves: whether a decrease is worth it is decided in `f64`.
            .min_impurity_decrease(1e-12)
            .check()
            .map_err(failed)?
            .fit(&DatasetBase::new(records, labels))
            .map_err(failed)?;
        // Pruning turns a split whose sides predict the same class into a leaf, but leaves its decrease.
        let (feature, value, decrease) = stump.root_node().split();
        Ok((decrease > 0.0).then_some((allowed[feature], value)))
    }

    /// The best of all splits in `f64`, whatever it is worth.
    fn compare(&self, rows: &[u32], allowed: &[usize], min_leaf: usize) -> Option<Split> {
        let derivatives = Derivatives::Classes { labels: self.labels, classes: self.classes, weights: self.weights };
        let rules = LeafRules { min_curvature: 0.0, min_rows: min_leaf, l2: 0.0 };
        let best_of = |feature: &usize| self.columns.best_split(*feature, rows, &derivatives, rules);
        let features: Vec<Option<Split>> = allowed.par_iter().map(best_of).collect();
        // Strictly better only, in the order of features: `max_by` would take the last of equals.
        features.into_iter().flatten().reduce(|best, next| if next.gain > best.gain { next } else { best })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_chosen_split_is_as_good_as_linfas(
            cells in prop::collection::vec((0u32..6, 0u32..6, 0u32..3), 4..60),
            min_leaf in 1usize..4,
        ) {
            let levels = vec![cells.iter().map(|c| c.0).collect(), cells.iter().map(|c| c.1).collect()];
            let labels: Vec<u32> = cells.iter().map(|c| c.2).collect();
            let even = ClassWeights::default();
            let samples = ClassRows { columns: Columns::of(levels, vec![6, 6]), labels: &labels, classes: 3, weights: &even };
            let rows: Vec<u32> = (0..cells.len() as u32).collect();
            let Some((feature, value)) = samples.propose(&rows, &[0, 1], min_leaf).unwrap() else {
                prop_assert!(samples.best_split(&rows, &[0, 1], min_leaf).unwrap().is_none());
                return Ok(());
            };
            let (below, above): (Vec<u32>, Vec<u32>) =
                rows.iter().partition(|row| f64::from(samples.columns.levels[feature][**row as usize]) <= value);
            let derivatives = Derivatives::Classes { labels: &labels, classes: 3, weights: &even };
            let score = |rows: &[u32]| derivatives.sums(rows).score(0.0);
            let gain = score(&below) + score(&above) - score(&rows);
            let best = samples.compare(&rows, &[0, 1], min_leaf).unwrap();
            prop_assert!((best.gain - gain).abs() < 1e-5 * rows.len() as f64, "{best:?} {gain}");
        }
    }
}
