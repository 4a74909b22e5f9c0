//! One tree of LightGBM.

use super::super::categories::Categories;
use super::super::derived::{Derived, Gap, Number};
use super::super::edge::{Precision, above};
use super::super::model::{self, MAX_VALUES, invalid, large};
use super::super::tree_builder::{Budget, SourceNode, TreeBuilder};
use super::errors::unsupported;
use super::text::Section;
use fhectl_core::error::Result;

/// Numbers this near to zero are missing where zeros are.
const ZERO: f32 = 1e-35;
/// The most categories of one set: codes are small.
const MAX_SET_WORDS: usize = 1 << 12;

/// Where a tree's values go, and what its features are.
pub(super) struct Place<'a> {
    pub scores: usize,
    pub score: usize,
    /// What the values are multiplied with.
    pub weight: f64,
    /// The row's numbers, with their categories where the file names them.
    pub columns: &'a [Option<Categories>],
}

/// A tree's splits, as lists.
struct Splits {
    features: Vec<u32>,
    thresholds: Vec<f64>,
    decisions: Vec<u8>,
    left: Vec<i32>,
    right: Vec<i32>,
    /// Where each set of categories begins and ends in `words`, as bits.
    bounds: Vec<usize>,
    words: Vec<u32>,
}

/// # Errors
/// `import_invalid` for lists that contradict one another, `import_large`, `lightgbm_unsupported` for linear leaves.
pub(super) fn tree(
    source: &Section<'_>,
    place: &Place<'_>,
    derived: &mut Derived,
    budget: &mut Budget,
) -> Result<model::Tree> {
    if source.text("is_linear").is_some_and(|flag| flag != "0") {
        return Err(unsupported("leaves that are linear models").hint("train with linear_tree=False"));
    }
    let leaves = source.count("num_leaves")?;
    let values: Vec<f64> = source.numbers("leaf_value")?;
    if values.len() != leaves || leaves == 0 {
        return Err(invalid(format!("{} values of {leaves} leaves", values.len())));
    }
    if leaves.saturating_mul(place.scores) > MAX_VALUES {
        return Err(large(format!("{leaves} leaves of {} scores", place.scores)));
    }
    let splits = if leaves == 1 { Splits::none() } else { Splits::read(source, leaves - 1)? };
    let mut nodes: Vec<SourceNode> =
        (0..leaves - 1).map(|at| splits.node(at, place, derived)).collect::<Result<_>>()?;
    nodes.extend(values.iter().map(|value| {
        let mut values = vec![0.0; place.scores];
        values[place.score] = value * place.weight;
        SourceNode::Leaf { values }
    }));
    TreeBuilder::new(&nodes).tree(0, budget)
}

impl Splits {
    fn none() -> Self {
        Self {
            features: Vec::new(),
            thresholds: Vec::new(),
            decisions: Vec::new(),
            left: Vec::new(),
            right: Vec::new(),
            bounds: Vec::new(),
            words: Vec::new(),
        }
    }

    fn read(source: &Section<'_>, count: usize) -> Result<Self> {
        let splits = Self {
            features: source.numbers("split_feature")?,
            thresholds: source.numbers("threshold")?,
            decisions: source.numbers("decision_type")?,
            left: source.numbers("left_child")?,
            right: source.numbers("right_child")?,
            bounds: source.numbers("cat_boundaries")?,
            words: source.numbers("cat_threshold")?,
        };
        let lengths = [
            splits.features.len(),
            splits.thresholds.len(),
            splits.decisions.len(),
            splits.left.len(),
            splits.right.len(),
        ];
        if lengths != [count; 5] {
            return Err(invalid(format!("lists of {lengths:?} splits, want {count}")));
        }
        Ok(splits)
    }

    fn node(&self, at: usize, place: &Place<'_>, derived: &mut Derived) -> Result<SourceNode> {
        let (feature, threshold, decision) = (self.features[at], self.thresholds[at], self.decisions[at]);
        let Some(categories) = place.columns.get(feature as usize) else {
            return Err(invalid(format!("node {at} splits on feature {feature} of {}", place.columns.len())));
        };
        let (left, right) = (self.child(self.left[at]), self.child(self.right[at]));
        if decision & 1 != 0 {
            let codes = self.set(threshold).ok_or_else(|| invalid(format!("node {at} has no set of categories")))?;
            let values = match categories {
                Some(categories) => categories.of_codes(codes),
                None => codes.into_iter().map(|code| code as f64).collect(),
            };
            // Those in the set go left, all others right, missing ones among them.
            return derived.one_of(Number::plain(feature), values, false, (right, left));
        }
        if threshold.is_nan() {
            return Err(invalid(format!("the threshold of node {at} is no number")));
        }
        let blank = (f64::from(-ZERO), f64::from(ZERO));
        let default = if decision & 2 != 0 { Gap::Low } else { Gap::High };
        let (blank, gap) = match (decision >> 2) & 3 {
            0 => (None, Gap::AsZero),
            1 => (Some(blank), default),
            2 => (None, default),
            other => return Err(invalid(format!("node {at} has the kind {other} of missing values"))),
        };
        Ok(derived.split(Number { feature, blank }, above(threshold, Precision::Double), gap, left, right))
    }

    /// Leaves stand behind the splits; a file counts them by negative numbers.
    fn child(&self, child: i32) -> usize {
        match usize::try_from(child) {
            Ok(split) if split < self.features.len() => split,
            // No node has this number.
            Ok(_) => usize::MAX,
            Err(_) => self.features.len() + !child as usize,
        }
    }

    /// The codes in the set whose number is a node's threshold.
    fn set(&self, threshold: f64) -> Option<Vec<usize>> {
        let set = (threshold >= 0.0 && threshold.fract() == 0.0).then_some(threshold as usize)?;
        let words = self.words.get(*self.bounds.get(set)?..*self.bounds.get(set.checked_add(1)?)?)?;
        if words.len() > MAX_SET_WORDS {
            return None;
        }
        let bits = |(word, bits): (usize, &u32)| {
            let bits = *bits;
            (0..32).filter(move |bit| bits >> bit & 1 != 0).map(move |bit| 32 * word + bit)
        };
        Some(words.iter().enumerate().flat_map(bits).collect())
    }
}
