//! Equalities of one column that lead to the same node, one asked after the other: together a set of categories, as
//! LightGBM's exporter writes them.

use super::split::OnnxSplit;
use crate::import::model::large;
use fhectl_core::error::Result;

/// The most equalities in all chains, those of shared ends counted again.
const MAX_STEPS: usize = 1 << 22;

/// A split, or `None` for a leaf; with whether it asks for one category.
pub(super) type Asked = Option<(OnnxSplit, bool)>;

/// The chains of all trees of a node.
pub(super) struct Chains<'a> {
    splits: &'a [Asked],
    /// Whether a node is asked by the first of its chain.
    within: Vec<bool>,
    steps: usize,
}

impl<'a> Chains<'a> {
    /// `parents` is how many parents each node has.
    pub fn of(splits: &'a [Asked], parents: &[u32]) -> Self {
        let mut chains = Self { splits, within: vec![false; splits.len()], steps: 0 };
        for (split, _) in splits.iter().flatten() {
            if parents[split.no] == 1 && chains.next(split).is_some() {
                chains.within[split.no] = true;
            }
        }
        chains
    }

    /// Whether a node is asked by the first of its chain.
    pub fn is_within(&self, at: usize) -> bool {
        self.within[at]
    }

    /// How many nodes are asked by the first of their chain.
    pub fn count(&self) -> usize {
        self.within.iter().filter(|within| **within).count()
    }

    /// The values that the chain from this split on asks for, and the split that they make together.
    ///
    /// # Errors
    /// `import_large`.
    pub fn set(&mut self, first: &OnnxSplit) -> Result<(OnnxSplit, Vec<f64>)> {
        let (mut last, mut values) = (*first, Vec::new());
        loop {
            values.push(last.threshold);
            self.steps += 1;
            if self.steps > MAX_STEPS || values.len() > self.splits.len() {
                return Err(large(format!("more than {MAX_STEPS} equalities in chains, or one without an end")));
            }
            match self.next(&last).filter(|_| self.within[last.no]) {
                Some(next) => last = next,
                None => return Ok((last, values)),
            }
        }
    }

    /// The next equality of a chain.
    fn next(&self, split: &OnnxSplit) -> Option<OnnxSplit> {
        let (after, set) = self.splits[split.no]?;
        let asks = |split: &OnnxSplit| (split.column, split.yes, split.missing);
        (set && split.no != split.yes && asks(&after) == asks(split)).then_some(after)
    }
}
