//! One tree of CatBoost.

use super::super::derived::{Derived, Gap, Number};
use super::super::edge::{Precision, above};
use super::super::model::{self, MAX_VALUES, invalid, large};
use super::super::tree_builder::{Budget, SourceNode, TreeBuilder};
use super::columns::Columns;
use super::errors::unsupported;
use super::schema::{Nested, Oblivious, Split};
use fhectl_core::error::Result;

/// Where a tree's values go, and what its features are.
pub(super) struct Place<'a> {
    pub scores: usize,
    /// What the values are multiplied with.
    pub scale: f64,
    pub columns: &'a Columns,
}

impl Place<'_> {
    fn leaf(&self, values: &[f64]) -> SourceNode {
        SourceNode::Leaf { values: values.iter().map(|value| value * self.scale).collect() }
    }

    /// A node that goes to `yes` where the split's answer is yes.
    fn node(&self, split: &Split, derived: &mut Derived, no: usize, yes: usize) -> Result<SourceNode> {
        if let Some((feature, hash)) = split.category() {
            let known = self.columns.hashes.get(&feature).and_then(|(place, hashes)| {
                let code = hashes.binary_search(&hash).ok()?;
                Some((*place, self.columns.categories.get(*place as usize)?.as_ref()?.of_codes([code])))
            });
            let (place, values) = known.ok_or_else(|| invalid(format!("a category of feature {feature}")))?;
            return derived.one_of(Number::plain(place), values, false, (no, yes));
        }
        match (split.split_type.as_str(), split.float_feature_index, split.border) {
            ("FloatFeature", Some(feature), Some(border)) => {
                let place = self.columns.floats.get(&feature);
                let (place, high) = place.ok_or_else(|| invalid(format!("a split on feature {feature}")))?;
                let gap = if *high { Gap::High } else { Gap::Low };
                // Borders are 32-bit numbers, written with some of their digits.
                let edge = above(f64::from(border as f32), Precision::Single);
                Ok(derived.split(Number::plain(*place), edge, gap, no, yes))
            }
            ("OnlineCtr", ..) => Err(unsupported("statistics of categories (OnlineCtr)").hint(
                "train with one_hot_max_size above the number of categories of every column, or encode categories \
                 before",
            )),
            (other, ..) => Err(unsupported(format!("splits of the kind `{}`", other.escape_debug()))),
        }
    }
}

/// # Errors
/// `import_invalid` for leaves that do not go with the splits, `import_large`, `catboost_unsupported`.
pub(super) fn oblivious(
    source: &Oblivious,
    place: &Place<'_>,
    derived: &mut Derived,
    budget: &mut Budget,
) -> Result<model::Tree> {
    if source.scores()? != place.scores {
        return Err(invalid(format!("leaves of {} numbers for {} scores", source.scores()?, place.scores)));
    }
    let splits = source.splits.as_deref().unwrap_or_default();
    let leaves = source.leaf_values.len() / place.scores;
    let mut nodes = Vec::with_capacity(2 * leaves - 1);
    // Node `2^level - 1 + path` has asked the last splits first: the bits of its path are the highest of a leaf's number.
    for (level, split) in splits.iter().rev().enumerate() {
        let first = (1usize << level) - 1;
        let below = (1usize << (level + 1)) - 1;
        let node = place.node(split, derived, 0, 0)?;
        for path in 0..=first {
            nodes.push(between(&node, below + 2 * path, below + 2 * path + 1));
        }
    }
    nodes.extend(source.leaf_values.chunks(place.scores).map(|values| place.leaf(values)));
    TreeBuilder::new(&nodes).tree(0, budget)
}

/// The same split between other children: those of `node` are 0 and 0, and its sides may have been swapped.
fn between(node: &SourceNode, no: usize, yes: usize) -> SourceNode {
    match node {
        SourceNode::Split { feature, edge, .. } => {
            SourceNode::Split { feature: *feature, edge: *edge, low: no, high: yes }
        }
        other => other.clone(),
    }
}

/// # Errors
/// As [`oblivious`].
pub(super) fn nested(
    source: &Nested,
    place: &Place<'_>,
    derived: &mut Derived,
    budget: &mut Budget,
) -> Result<model::Tree> {
    // A node's place in the list, before its children have theirs.
    let mut list: Vec<&Nested> = vec![source];
    let mut nodes = Vec::new();
    let mut at = 0;
    while let Some(node) = list.get(at) {
        let made = match (&node.split, &node.left, &node.right, &node.value) {
            (Some(split), Some(left), Some(right), _) => {
                let no = list.len();
                list.extend([left.as_ref(), right.as_ref()]);
                place.node(split, derived, no, no + 1)?
            }
            (None, None, None, Some(value)) if value.0.len() == place.scores => place.leaf(&value.0),
            _ => return Err(invalid("a node that is neither a split of two sides nor a leaf")),
        };
        nodes.push(made);
        if nodes.len().saturating_mul(place.scores) > MAX_VALUES {
            return Err(large(format!("{} nodes of {} scores", nodes.len(), place.scores)));
        }
        at += 1;
    }
    TreeBuilder::new(&nodes).tree(0, budget)
}
