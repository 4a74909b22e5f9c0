//! What trees are grown to follow: the first and second derivatives of a loss, row by row.
//!
//! As in Chen and Guestrin, "XGBoost: A Scalable Tree Boosting System" (KDD 2016, section 2.2): a leaf of rows with
//! slopes `g` and curvatures `h` of the loss does best with the value `-G / (H + l2)` for their sums `G` and `H`, and
//! lowers the loss by `G^2 / (H + l2)` (the halves that all terms share are left out). For squared errors about 0 that
//! is the mean of the rows, and what a split gains is the decrease of the variance, or for one-hot classes of the Gini
//! impurity (CART: Breiman, Friedman, Olshen, Stone 1984).

use super::class_weights::ClassWeights;

/// The derivatives of all rows.
#[derive(Debug)]
pub(super) enum Derivatives<'a> {
    /// The squared error of one-hot classes, an output each, times what rows of each class count.
    Classes { labels: &'a [u32], classes: usize, weights: &'a ClassWeights },
    /// The squared error of numbers.
    Values(&'a [f64]),
    /// A Newton step: slope and curvature of each row's loss.
    Newton(&'a [(f64, f64)]),
}

/// The sums over some rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sums {
    /// The negative slopes, one an output.
    pub(super) pull: Vec<f64>,
    pub(super) curvature: f64,
    pub(super) rows: usize,
}

impl Derivatives<'_> {
    fn outputs(&self) -> usize {
        match self {
            Self::Classes { classes, .. } => *classes,
            Self::Values(_) | Self::Newton(_) => 1,
        }
    }

    /// The sums over no rows.
    pub(super) fn none(&self) -> Sums {
        Sums { pull: vec![0.0; self.outputs()], curvature: 0.0, rows: 0 }
    }

    /// Adds a row.
    pub(super) fn add(&self, row: u32, sums: &mut Sums) {
        let row = row as usize;
        sums.rows += 1;
        match self {
            Self::Classes { labels, weights, .. } => {
                let weight = weights.of(labels[row]);
                sums.pull[labels[row] as usize] += weight;
                sums.curvature += weight;
            }
            Self::Values(values) => {
                sums.pull[0] += values[row];
                sums.curvature += 1.0;
            }
            Self::Newton(steps) => {
                let (slope, curvature) = steps[row];
                sums.pull[0] -= slope;
                sums.curvature += curvature;
            }
        }
    }

    /// The sums over rows, added up in their order.
    pub(super) fn sums(&self, rows: &[u32]) -> Sums {
        let mut sums = self.none();
        rows.iter().for_each(|row| self.add(*row, &mut sums));
        sums
    }

    /// Whether rows are known to want the same, so that no split gains anything.
    pub(super) fn alike(&self, rows: &[u32]) -> bool {
        let mut pairs = rows.windows(2).map(|pair| (pair[0] as usize, pair[1] as usize));
        match self {
            Self::Classes { labels, .. } => pairs.all(|(a, b)| labels[a] == labels[b]),
            Self::Values(values) => pairs.all(|(a, b)| values[a] == values[b]),
            Self::Newton(_) => false,
        }
    }
}

impl Sums {
    /// Sets these to `whole` without `part`.
    pub(super) fn set_rest(&mut self, whole: &Self, part: &Self) {
        self.pull.iter_mut().zip(&whole.pull).zip(&part.pull).for_each(|((rest, whole), part)| *rest = whole - part);
        self.curvature = whole.curvature - part.curvature;
        self.rows = whole.rows - part.rows;
    }

    /// By how much a leaf of these rows lowers the loss, twice.
    pub(super) fn score(&self, l2: f64) -> f64 {
        self.pull.iter().map(|pull| pull * pull).sum::<f64>() / (self.curvature + l2)
    }

    /// What a leaf of these rows does best with, one value an output.
    pub(super) fn values(&self, l2: f64) -> Vec<f64> {
        self.pull.iter().map(|pull| pull / (self.curvature + l2)).collect()
    }
}
