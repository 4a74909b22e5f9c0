//! Choosing the split of one node.

use fhectl_core::error::{Error, Result};
use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2};
use rayon::prelude::*;

/// The smallest decrease of the Gini impurity for which a node is split (linfa's own default).
const MIN_DECREASE: f64 = 1e-5;

/// The training rows as columns of small integers, with their classes.
pub(super) struct Columns {
    /// One list a feature, a quantised value a row.
    pub(super) values: Vec<Vec<u32>>,
    pub(super) labels: Vec<u32>,
    pub(super) classes: usize,
}

/// A split between two values that are adjacent among a node's rows: up to `low` goes down, from
/// `high` on goes up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub(super) feature: usize,
    pub(super) low: u32,
    pub(super) high: u32,
    /// By how much the split lowers the node's Gini impurity.
    pub(super) decrease: f64,
}

impl Columns {
    /// The number of rows of each class.
    pub(super) fn counts(&self, rows: &[u32]) -> Vec<u32> {
        let mut counts = vec![0; self.classes];
        for row in rows {
            counts[self.labels[*row as usize] as usize] += 1;
        }
        counts
    }

    /// The split of `rows` on one of the features `allowed` (ascending) that lowers the Gini impurity the most, if one
    /// is worth it.
    ///
    /// linfa-trees judges the node by a tree of depth 1 fitted to these rows alone: in its own
    /// recursion it overlooks splits next to values that rows of another branch share. But it sums
    /// impurities in `f32` in the order of a hash map, which settles near-ties between splits
    /// differently on every run; so the splits are compared again in `f64`, and the first of the best
    /// in (feature, value) order is taken.
    ///
    /// # Errors
    /// `tree_fit` where linfa refuses the rows.
    pub(super) fn best_split(&self, rows: &[u32], allowed: &[usize], min_leaf: usize) -> Result<Option<Split>> {
        if self.propose(rows, allowed, min_leaf)?.is_none() {
            return Ok(None);
        }
        Ok(self.compare(rows, allowed, min_leaf).filter(|split| split.decrease >= MIN_DECREASE))
    }

    /// The feature and value of linfa's best split: up to the value goes down.
    fn propose(&self, rows: &[u32], allowed: &[usize], min_leaf: usize) -> Result<Option<(usize, f64)>> {
        let records = Array2::from_shape_fn((rows.len(), allowed.len()), |(row, at)| {
            f64::from(self.values[allowed[at]][rows[row] as usize])
        });
        let labels: Array1<usize> = rows.iter().map(|row| self.labels[*row as usize] as usize).collect();
        let failed = |error: linfa::Error| Error::fault("tree_fit", format!("linfa-trees: {error}"));
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
        let features: Vec<Option<Split>> =
            allowed.par_iter().map(|feature| self.best_of(*feature, rows, min_leaf)).collect();
        // Strictly better only, in the order of features: `max_by` would take the last of equals.
        features.into_iter().flatten().reduce(|best, next| if next.decrease > best.decrease { next } else { best })
    }

    fn best_of(&self, feature: usize, rows: &[u32], min_leaf: usize) -> Option<Split> {
        let column = &self.values[feature];
        let mut sorted: Vec<(u32, u32)> =
            rows.iter().map(|row| (column[*row as usize], self.labels[*row as usize])).collect();
        sorted.sort_unstable();
        let mut above = self.counts(rows);
        let whole = purity(&above);
        let mut below = vec![0; self.classes];
        let mut best: Option<Split> = None;
        for (at, pair) in sorted.windows(2).enumerate() {
            let (value, label) = pair[0];
            below[label as usize] += 1;
            above[label as usize] -= 1;
            let (left, right) = (at + 1, rows.len() - at - 1);
            if value == pair[1].0 || left.min(right) < min_leaf {
                continue;
            }
            let decrease = (purity(&below) + purity(&above) - whole) / rows.len() as f64;
            if best.is_none_or(|best| decrease > best.decrease) {
                best = Some(Split { feature, low: value, high: pair[1].0, decrease });
            }
        }
        best
    }
}

/// `sum(count^2) / sum(count)`: rows times the probability that two draws agree. The Gini impurity of
/// `n` rows is `1 - purity / n`.
fn purity(counts: &[u32]) -> f64 {
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let squares: u64 = counts.iter().map(|count| u64::from(*count) * u64::from(*count)).sum();
    squares as f64 / total as f64
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
            let columns = Columns {
                values: vec![cells.iter().map(|c| c.0).collect(), cells.iter().map(|c| c.1).collect()],
                labels: cells.iter().map(|c| c.2).collect(),
                classes: 3,
            };
            let rows: Vec<u32> = (0..cells.len() as u32).collect();
            let Some((feature, value)) = columns.propose(&rows, &[0, 1], min_leaf).unwrap() else {
                prop_assert!(columns.best_split(&rows, &[0, 1], min_leaf).unwrap().is_none());
                return Ok(());
            };
            let (below, above): (Vec<u32>, Vec<u32>) =
                rows.iter().partition(|row| f64::from(columns.values[feature][**row as usize]) <= value);
            let parts = purity(&columns.counts(&below)) + purity(&columns.counts(&above));
            let decrease = (parts - purity(&columns.counts(&rows))) / rows.len() as f64;
            let best = columns.compare(&rows, &[0, 1], min_leaf).unwrap();
            prop_assert!((best.decrease - decrease).abs() < 1e-5, "{best:?} {decrease}");
        }
    }
}
