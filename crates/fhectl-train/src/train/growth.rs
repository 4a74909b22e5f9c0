//! Growing trees whose leaves are means: of numbers, or of one-hot classes, whose means are class shares.
//!
//! A split is the one that lowers the variance about the means the most, which for one-hot classes is the Gini impurity
//! (CART: Breiman, Friedman, Olshen, Stone 1984). Sums run in a fixed order, so that the same rows give the same tree.

use super::float_forest::FloatTree;
use super::quantize::quantize_rows;
use super::splits::Split;
use super::tree::threshold;
use crate::data::Dataset;
use crate::data::random::Random;
use fhectl_core::error::{Error, Result};
use fhectl_core::model::{Branch, Output, Quantizer};
use rayon::prelude::*;

/// A node is split where that lowers its variance by at least this share of the root's: below is rounding.
const MIN_SHARE: f64 = 1e-12;

/// What limits a tree's growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrowthParams {
    /// The most splits on a path, 1 to 20.
    pub max_depth: usize,
    /// The fewest training rows a leaf may hold, at least 1.
    pub min_leaf: usize,
    /// How many features each split chooses among.
    pub max_features: MaxFeatures,
}

/// How many features, drawn at random, a split chooses among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxFeatures {
    All,
    /// The square root of their number, rounded down.
    Sqrt,
    /// So many, at least 1.
    Count(usize),
}

impl MaxFeatures {
    fn of(self, features: usize) -> usize {
        match self {
            Self::All => features,
            Self::Sqrt => features.isqrt(),
            Self::Count(count) => count,
        }
        .clamp(1, features)
    }
}

impl GrowthParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `tree_params` naming the one that is out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |message: String, hint: &str| Err(Error::user("tree_params", message).hint(hint));
        if !(1..=20).contains(&self.max_depth) {
            return wrong(
                format!("a maximal depth of {}, want 1 to 20", self.max_depth),
                "give --max-depth from 1 to 20",
            );
        }
        if self.min_leaf == 0 {
            return wrong("0 rows a leaf, want at least 1".into(), "give --min-leaf 1 or more");
        }
        if self.max_features == MaxFeatures::Count(0) {
            return wrong("0 features a split, want at least 1".into(), "give --max-features 1 or more");
        }
        Ok(())
    }
}

/// What is to be predicted, one a row.
pub(super) enum Targets {
    Classes { labels: Vec<u32>, classes: usize },
    Values(Vec<f64>),
}

impl Targets {
    pub(super) fn of(train: &Dataset, values: impl FnOnce() -> Vec<f64>) -> Self {
        match train.output() {
            Output::Classes(classes) => Self::Classes { labels: train.labels.clone(), classes },
            Output::Value => Self::Values(values()),
        }
    }

    fn width(&self) -> usize {
        match self {
            Self::Classes { classes, .. } => *classes,
            Self::Values(_) => 1,
        }
    }

    /// Moves a row from `above` to `below`.
    fn shift(&self, row: u32, below: &mut [f64], above: &mut [f64]) {
        let (at, value) = match self {
            Self::Classes { labels, .. } => (labels[row as usize] as usize, 1.0),
            Self::Values(values) => (0, values[row as usize]),
        };
        below[at] += value;
        above[at] -= value;
    }

    fn sums(&self, rows: &[u32]) -> Vec<f64> {
        let mut sums = vec![0.0; self.width()];
        let mut rest = sums.clone();
        rows.iter().for_each(|row| self.shift(*row, &mut sums, &mut rest));
        sums
    }

    fn alike(&self, rows: &[u32]) -> bool {
        match self {
            Self::Classes { labels, .. } => rows.windows(2).all(|w| labels[w[0] as usize] == labels[w[1] as usize]),
            Self::Values(values) => rows.windows(2).all(|w| values[w[0] as usize] == values[w[1] as usize]),
        }
    }

    /// What a leaf of rows with these sums predicts: the mean of numbers, the shares of classes, of two classes how
    /// much larger the second's is.
    fn leaf(&self, sums: &[f64], rows: usize) -> Vec<f64> {
        let means: Vec<f64> = sums.iter().map(|sum| sum / rows as f64).collect();
        match means[..] {
            [first, second] => vec![second - first],
            _ => means,
        }
    }
}

/// Quantised training rows, by column, with what is to be predicted.
pub(super) struct Samples<'a> {
    levels: Vec<Vec<u32>>,
    targets: Targets,
    quantizer: &'a Quantizer,
    /// The variance of all targets, times the rows.
    spread: f64,
}

impl<'a> Samples<'a> {
    /// # Errors
    /// `row_shape` where the quantiser is for another number of features.
    pub(super) fn new(train: &Dataset, quantizer: &'a Quantizer, targets: Targets) -> Result<Self> {
        let rows = quantize_rows(quantizer, train)?;
        let column = |feature: usize| rows.iter().map(|row| row[feature]).collect();
        let levels = (0..train.features.len()).into_par_iter().map(column).collect();
        let squares = match &targets {
            Targets::Classes { labels, .. } => labels.len() as f64,
            Targets::Values(values) => values.iter().map(|value| value * value).sum(),
        };
        let all: Vec<u32> = (0..train.len() as u32).collect();
        let spread = squares - purity(&targets.sums(&all), all.len());
        Ok(Self { levels, targets, quantizer, spread })
    }

    pub(super) fn len(&self) -> usize {
        self.levels[0].len()
    }

    /// Grows one tree on `rows`, in which a row may stand several times.
    pub(super) fn grow(&self, rows: &[u32], params: &GrowthParams, random: &mut Random) -> FloatTree {
        Growing { samples: self, params, random }.grow(rows, 0).depth_first()
    }

    /// The best split of `rows` on one feature; `None` where all rows have the same value.
    fn best_of(&self, feature: usize, rows: &[u32], min_leaf: usize) -> Option<Split> {
        let column = &self.levels[feature];
        let mut sorted: Vec<(u32, u32)> = rows.iter().map(|row| (column[*row as usize], *row)).collect();
        sorted.sort_unstable();
        if sorted[0].0 == sorted[sorted.len() - 1].0 {
            return None;
        }
        let mut above = self.targets.sums(rows);
        let mut below = vec![0.0; above.len()];
        let whole = purity(&above, rows.len());
        let mut best = Split { feature, low: 0, high: 0, decrease: f64::NEG_INFINITY };
        for (at, pair) in sorted.windows(2).enumerate() {
            let ((low, row), (high, _)) = (pair[0], pair[1]);
            self.targets.shift(row, &mut below, &mut above);
            let (left, right) = (at + 1, rows.len() - at - 1);
            if low == high || left.min(right) < min_leaf {
                continue;
            }
            let decrease = purity(&below, left) + purity(&above, right) - whole;
            if decrease > best.decrease {
                best = Split { feature, low, high, decrease };
            }
        }
        Some(best)
    }
}

/// What the sums of so many rows explain of their squares: rows times squared means.
fn purity(sums: &[f64], rows: usize) -> f64 {
    sums.iter().map(|sum| sum * sum).sum::<f64>() / rows as f64
}

struct Growing<'a, 'b> {
    samples: &'a Samples<'a>,
    params: &'a GrowthParams,
    random: &'b mut Random,
}

impl Growing<'_, '_> {
    /// The branch of `rows`.
    fn grow(&mut self, rows: &[u32], depth: usize) -> Branch<u32, Vec<f64>> {
        let targets = &self.samples.targets;
        let leaf = Branch::Leaf(targets.leaf(&targets.sums(rows), rows.len()));
        if depth == self.params.max_depth || rows.len() < 2 * self.params.min_leaf || targets.alike(rows) {
            return leaf;
        }
        let Some(split) = self.best_split(rows) else { return leaf };
        let column = &self.samples.levels[split.feature];
        let (above, below): (Vec<u32>, Vec<u32>) = rows.iter().partition(|row| column[**row as usize] >= split.high);
        let threshold = threshold(&self.samples.quantizer.features[split.feature], &split);
        match (self.grow(&below, depth + 1), self.grow(&above, depth + 1)) {
            // Both say what this node says.
            (Branch::Leaf(a), Branch::Leaf(b)) if a == b => leaf,
            (low, high) => Branch::split(split.feature as u32, threshold, low, high),
        }
    }

    /// The best split on one of the drawn features, the first feature of equals.
    fn best_split(&mut self, rows: &[u32]) -> Option<Split> {
        let features = self.samples.levels.len();
        let (wanted, min_leaf) = (self.params.max_features.of(features), self.params.min_leaf);
        let worth = |split: &Split| split.decrease > MIN_SHARE * self.samples.spread;
        let better = |best: Option<Split>, next: Split| match best {
            Some(best) if best.decrease > next.decrease => Some(best),
            Some(best) if best.decrease == next.decrease && best.feature < next.feature => Some(best),
            _ => Some(next),
        };
        if wanted == features {
            let all = (0..features).into_par_iter().map(|feature| self.samples.best_of(feature, rows, min_leaf));
            let all: Vec<Option<Split>> = all.collect();
            return all.into_iter().flatten().filter(worth).fold(None, better);
        }
        // A feature that is constant here is not counted, and drawing goes on until some split is found.
        let mut order: Vec<usize> = (0..features).collect();
        let (mut best, mut seen) = (None, 0);
        for at in 0..features {
            let drawn = at + self.random.below(features - at);
            order.swap(at, drawn);
            let Some(split) = self.samples.best_of(order[at], rows, min_leaf) else { continue };
            seen += 1;
            if worth(&split) {
                best = better(best, split);
            }
            if seen >= wanted && best.is_some() {
                break;
            }
        }
        best
    }
}

#[cfg(test)]
#[path = "growth_tests.rs"]
mod tests;
