//! The one grower of trees over quantized rows, for forests, regression trees and boosting.
//!
//! Depth first, by the gain of a split in the loss's second-order expansion (Chen, Guestrin 2016, sections 2.2 and 3.1);
//! see [`super::derivatives`]. The same rows and random draws give the same tree on any number of threads.

use super::columns::{Columns, LeafRules, Split};
use super::derivatives::Derivatives;
use super::growth::MaxFeatures;
use crate::data::random::Random;
use fhectl_core::model::Branch;
use rayon::prelude::*;

/// A node is split where that gains at least this share of what its leaves' scores add up to: below is rounding.
const MIN_SHARE: f64 = 1e-12;

/// Grows trees on some columns.
pub(super) struct Grower<'a> {
    pub(super) columns: &'a Columns,
    /// The most splits on a path.
    pub(super) max_depth: usize,
    pub(super) rules: LeafRules,
    /// How many features each split chooses among.
    pub(super) max_features: MaxFeatures,
    /// What a leaf says, from what it does best with: see [`super::derivatives`].
    pub(super) leaf: &'a (dyn Fn(Vec<f64>) -> Vec<f64> + Sync),
    /// The threshold of a split: any in `low + 1 ..= high` parts the rows alike.
    pub(super) threshold: &'a (dyn Fn(&Split) -> u32 + Sync),
}

impl Grower<'_> {
    /// The tree of `rows`, in which a row may stand several times.
    pub(super) fn grow(
        &self,
        derivatives: &Derivatives<'_>,
        rows: &[u32],
        random: &mut Random,
    ) -> Branch<u32, Vec<f64>> {
        Growing { grower: self, derivatives, random }.branch(rows, 0)
    }
}

struct Growing<'a> {
    grower: &'a Grower<'a>,
    derivatives: &'a Derivatives<'a>,
    random: &'a mut Random,
}

impl Growing<'_> {
    fn branch(&mut self, rows: &[u32], depth: usize) -> Branch<u32, Vec<f64>> {
        let Grower { columns, max_depth, rules, leaf, threshold, .. } = *self.grower;
        let sums = self.derivatives.sums(rows);
        let own = Branch::Leaf(leaf(sums.values(rules.l2)));
        if depth == max_depth || !rules.allow_two(&sums) || self.derivatives.alike(rows) {
            return own;
        }
        let Some(split) = self.best_split(rows) else { return own };
        let (above, below) = columns.parted(rows, &split);
        match (self.branch(&below, depth + 1), self.branch(&above, depth + 1)) {
            // Both say what this node says.
            (Branch::Leaf(a), Branch::Leaf(b)) if a == b => own,
            (low, high) => Branch::split(split.feature as u32, threshold(&split), low, high),
        }
    }

    /// The best split on one of the drawn features, the first feature of equals.
    fn best_split(&mut self, rows: &[u32]) -> Option<Split> {
        let Grower { columns, rules, max_features, .. } = *self.grower;
        let features = columns.features();
        let best_of = |feature: usize| {
            let split = columns.best_split(feature, rows, self.derivatives, rules)?;
            (split.gain > MIN_SHARE * split.score).then_some(split)
        };
        let wanted = max_features.of(features);
        if wanted == features {
            let all: Vec<Option<Split>> = (0..features).into_par_iter().map(best_of).collect();
            return all.into_iter().flatten().reduce(better);
        }
        // A feature that is constant here is not counted, and drawing goes on until some split is found.
        let mut order: Vec<usize> = (0..features).collect();
        let (mut best, mut seen) = (None, 0);
        for at in 0..features {
            let drawn = at + self.random.below(features - at);
            order.swap(at, drawn);
            if columns.constant(order[at], rows) {
                continue;
            }
            seen += 1;
            best = best.into_iter().chain(best_of(order[at])).reduce(better);
            if seen >= wanted && best.is_some() {
                break;
            }
        }
        best
    }
}

/// The split that gains more, of equals that on the first feature.
fn better(a: Split, b: Split) -> Split {
    if b.gain > a.gain || (b.gain == a.gain && b.feature < a.feature) { b } else { a }
}

#[cfg(test)]
#[path = "grower_tests.rs"]
mod tests;
