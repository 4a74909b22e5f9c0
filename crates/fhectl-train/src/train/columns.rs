//! Training rows as columns of small integers, and the best split of some of them on one feature.

use super::derivatives::{Derivatives, Sums};
use super::quantize::quantize_rows;
use crate::data::Dataset;
use fhectl_core::error::Result;
use fhectl_core::model::{FeatureQuantizer, Quantizer};
use rayon::prelude::*;

/// The quantized training rows, column by column.
pub(super) struct Columns {
    /// One list a feature, a level a row.
    pub(super) levels: Vec<Vec<u32>>,
    /// How many levels each feature has.
    counts: Vec<u32>,
}

/// A split between two levels that are adjacent among a node's rows: up to `low` goes down, from `high` on goes up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub(super) feature: usize,
    pub(super) low: u32,
    pub(super) high: u32,
    /// By how much two leaves lower the loss more than one, twice. For squared errors the number of rows times the
    /// decrease of their variance or Gini impurity.
    pub(super) gain: f64,
    /// What the two leaves' scores add up to.
    pub(super) score: f64,
}

/// What splits must keep to.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeafRules {
    /// The least curvature of a leaf's rows.
    pub(super) min_curvature: f64,
    /// The fewest rows of a leaf.
    pub(super) min_rows: usize,
    /// The weight of the penalty `l2 / 2 * value^2` of a leaf.
    pub(super) l2: f64,
}

impl LeafRules {
    /// Whether rows of these sums may be a leaf.
    fn allow(&self, sums: &Sums) -> bool {
        sums.rows >= self.min_rows && sums.curvature >= self.min_curvature
    }

    /// Whether rows of these sums may be two leaves.
    pub(super) fn allow_two(&self, sums: &Sums) -> bool {
        sums.rows >= 2 * self.min_rows && sums.curvature >= 2.0 * self.min_curvature
    }
}

impl Columns {
    /// # Errors
    /// `row_shape` where the quantizer is for another number of features.
    pub(super) fn new(train: &Dataset, quantizer: &Quantizer) -> Result<Self> {
        let rows = quantize_rows(quantizer, train)?;
        let column = |feature: usize| rows.iter().map(|row| row[feature]).collect();
        Ok(Self {
            levels: (0..train.features.len()).into_par_iter().map(column).collect(),
            counts: quantizer.features.iter().map(FeatureQuantizer::levels).collect(),
        })
    }

    #[cfg(test)]
    pub(super) fn of(levels: Vec<Vec<u32>>, counts: Vec<u32>) -> Self {
        Self { levels, counts }
    }

    pub(super) fn features(&self) -> usize {
        self.levels.len()
    }

    /// The rows that a split sends up, and those that it sends down, in their order.
    pub(super) fn parted(&self, rows: &[u32], split: &Split) -> (Vec<u32>, Vec<u32>) {
        let column = &self.levels[split.feature];
        rows.iter().partition(|row| column[**row as usize] >= split.high)
    }

    /// The best split of `rows` on one feature, whatever it gains; `None` where rules allow none.
    ///
    /// One pass over the rows level by level (Chen, Guestrin 2016, algorithm 1, on a histogram's bins instead of values):
    /// the first of equally good splits is taken, and sums run in the same order on any number of threads.
    pub(super) fn best_split(
        &self,
        feature: usize,
        rows: &[u32],
        derivatives: &Derivatives<'_>,
        rules: LeafRules,
    ) -> Option<Split> {
        let column = &self.levels[feature];
        let order = by_level(column, self.counts[feature], rows);
        let level = |at: usize| column[order[at] as usize];
        let last = order.len().checked_sub(1)?;
        if level(0) == level(last) {
            return None;
        }
        let whole = derivatives.sums(rows);
        let whole_score = whole.score(rules.l2);
        let (mut below, mut above) = (derivatives.none(), derivatives.none());
        let mut best: Option<Split> = None;
        for (at, row) in order[..last].iter().enumerate() {
            derivatives.add(*row, &mut below);
            let (low, high) = (level(at), level(at + 1));
            if low == high || !rules.allow(&below) {
                continue;
            }
            above.set_rest(&whole, &below);
            if !rules.allow(&above) {
                continue;
            }
            let score = below.score(rules.l2) + above.score(rules.l2);
            let gain = score - whole_score;
            // Without curvature or penalty a score is no number, which is no gain.
            if gain > best.map_or(f64::NEG_INFINITY, |best| best.gain) {
                best = Some(Split { feature, low, high, gain, score });
            }
        }
        best
    }

    /// Whether all rows have the same level of a feature.
    pub(super) fn constant(&self, feature: usize, rows: &[u32]) -> bool {
        let column = &self.levels[feature];
        rows.windows(2).all(|pair| column[pair[0] as usize] == column[pair[1] as usize])
    }
}

/// The rows by level; rows of one level stay in their order.
fn by_level(column: &[u32], levels: u32, rows: &[u32]) -> Vec<u32> {
    let mut order = rows.to_vec();
    if order.len() < levels as usize {
        order.sort_by_key(|row| column[*row as usize]);
        return order;
    }
    let mut places = vec![0u32; levels as usize + 1];
    rows.iter().for_each(|row| places[column[*row as usize] as usize + 1] += 1);
    (1..places.len()).for_each(|level| places[level] += places[level - 1]);
    for row in rows {
        let place = &mut places[column[*row as usize] as usize];
        order[*place as usize] = *row;
        *place += 1;
    }
    order
}

/// The threshold between two levels: in the middle of the values they stand for, as far as there is an
/// edge near it. Any in `low + 1 ..= high` splits the node's rows alike.
pub(super) fn middle_threshold(rule: &FeatureQuantizer, split: &Split) -> u32 {
    match rule {
        FeatureQuantizer::Edges { edges } => {
            // Threshold t is the edge t - 1.
            let inner = &edges[split.low as usize..split.high as usize];
            let middle = inner[0] / 2.0 + inner[inner.len() - 1] / 2.0;
            let above = inner.partition_point(|edge| *edge < middle);
            let nearest =
                if above > 0 && middle - inner[above - 1] <= inner[above] - middle { above - 1 } else { above };
            split.low + 1 + nearest as u32
        }
        FeatureQuantizer::Affine { .. } => split.low + (split.high - split.low).div_ceil(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The counting sort and the comparing one are the same sort.
        #[test]
        fn rows_come_by_level_and_then_in_their_order(column in prop::collection::vec(0u32..8, 1..40)) {
            let rows: Vec<u32> = (0..column.len() as u32).rev().collect();
            let mut wanted = rows.clone();
            wanted.sort_by_key(|row| column[*row as usize]);
            prop_assert_eq!(by_level(&column, 8, &rows), wanted.clone());
            prop_assert_eq!(by_level(&column, 1000, &rows), wanted);
        }
    }
}
