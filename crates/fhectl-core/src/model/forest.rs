//! Sums of trees over quantised features: forests, boosted trees, regression trees.

use super::tree::{MAX_DEPTH, MAX_NODES_TIMES_CLASSES};
use super::{IntegerTree, Node, Output, Quantizer, invalid};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The most trees that are read.
const MAX_TREES: usize = 1 << 14;

/// Integer scores `biases[s] + sum_t values_t[s]`, where `values_t` is the leaf that a row reaches in tree `t`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegerForest {
    /// One a score: of [`Output::margins`], or one a class.
    pub biases: Vec<i64>,
    pub trees: Vec<ValueTree>,
}

/// One tree; node 0 is the root and children come after their parent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ValueTree {
    pub nodes: Vec<ValueNode>,
}

/// One node of a [`ValueTree`]; children are indices into its node list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueNode {
    /// Goes to `high` where `q[feature] >= threshold`, else to `low`. `threshold` is at least 1.
    Split { feature: u32, threshold: u32, low: u32, high: u32 },
    /// Adds one value a score.
    Leaf { values: Vec<i32> },
}

impl ValueTree {
    /// The values of the leaf that a quantised row reaches, one a score.
    pub fn values(&self, quantized: &[u32]) -> &[i32] {
        let mut at = 0;
        loop {
            match &self.nodes[at] {
                ValueNode::Leaf { values } => return values,
                ValueNode::Split { feature, threshold, low, high } => {
                    at = if quantized[*feature as usize] >= *threshold { *high } else { *low } as usize;
                }
            }
        }
    }

    /// The values of all leaves.
    pub fn leaves(&self) -> impl Iterator<Item = &[i32]> {
        self.nodes.iter().filter_map(|node| match node {
            ValueNode::Leaf { values } => Some(values.as_slice()),
            ValueNode::Split { .. } => None,
        })
    }

    /// The longest path's number of splits.
    pub fn depth(&self) -> usize {
        self.depths().into_iter().max().unwrap_or(0)
    }

    /// For each node the number of splits above it: children come after their parents.
    fn depths(&self) -> Vec<usize> {
        let mut depths = vec![0; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            if let ValueNode::Split { low, high, .. } = node {
                depths[*low as usize] = depths[at] + 1;
                depths[*high as usize] = depths[at] + 1;
            }
        }
        depths
    }

    fn check(&self, quantizer: &Quantizer, scores: usize) -> Result<()> {
        if self.nodes.is_empty() || self.nodes.len().saturating_mul(scores) > MAX_NODES_TIMES_CLASSES {
            return Err(invalid(format!("{} nodes for {scores} scores", self.nodes.len())));
        }
        let mut parents = vec![0u32; self.nodes.len()];
        let mut depths = vec![0u32; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            match node {
                ValueNode::Leaf { values } if values.len() == scores => {}
                ValueNode::Leaf { values } => {
                    return Err(invalid(format!("node {at}: {} values for {scores} scores", values.len())));
                }
                ValueNode::Split { feature, threshold, low, high } => {
                    let Some(rule) = quantizer.features.get(*feature as usize) else {
                        return Err(invalid(format!("node {at}: no feature {feature}")));
                    };
                    if *threshold == 0 || *threshold >= rule.levels() {
                        return Err(invalid(format!("node {at}: threshold {threshold} of {} levels", rule.levels())));
                    }
                    for child in [*low, *high].map(|child| child as usize) {
                        // Children after parents: no cycle can exist, so every walk ends.
                        if child <= at || child >= self.nodes.len() {
                            return Err(invalid(format!("node {at}: child {child} is not a later node")));
                        }
                        parents[child] += 1;
                        depths[child] = depths[at] + 1;
                        if depths[at] == MAX_DEPTH {
                            return Err(invalid(format!("node {child} is deeper than {MAX_DEPTH}")));
                        }
                    }
                }
            }
        }
        match parents.iter().skip(1).position(|count| *count != 1) {
            Some(index) => Err(invalid(format!("node {}: has {} parents", index + 1, parents[index + 1]))),
            None => Ok(()),
        }
    }
}

impl IntegerForest {
    /// The integer scores of one quantised row.
    pub fn scores(&self, quantized: &[u32]) -> Vec<i64> {
        let mut scores = self.biases.clone();
        for tree in &self.trees {
            for (score, value) in scores.iter_mut().zip(tree.values(quantized)) {
                *score += i64::from(*value);
            }
        }
        scores
    }

    /// For each score the smallest and largest sum that leaves allow, over all rows there could be.
    pub fn score_ranges(&self) -> Vec<(i64, i64)> {
        let mut ranges: Vec<(i64, i64)> = self.biases.iter().map(|bias| (*bias, *bias)).collect();
        for tree in &self.trees {
            for (range, (low, high)) in ranges.iter_mut().zip(tree_ranges(tree, self.biases.len())) {
                range.0 += low;
                range.1 += high;
            }
        }
        ranges
    }

    /// The longest path's number of splits.
    pub fn depth(&self) -> usize {
        self.trees.iter().map(ValueTree::depth).max().unwrap_or(0)
    }

    /// All leaves of all trees.
    pub fn leaves(&self) -> usize {
        self.trees.iter().map(|tree| tree.leaves().count()).sum()
    }

    /// A classification tree as a forest of one tree with one-hot values: the same scores.
    pub fn of_tree(tree: &IntegerTree) -> Self {
        let node = |node: &Node| match *node {
            Node::Split { feature, threshold, low, high } => ValueNode::Split { feature, threshold, low, high },
            Node::Leaf { class } => {
                ValueNode::Leaf { values: (0..tree.classes).map(|c| i32::from(c == class)).collect() }
            }
        };
        Self {
            biases: vec![0; tree.classes as usize],
            trees: vec![ValueTree { nodes: tree.nodes.iter().map(node).collect() }],
        }
    }

    /// Checks that all are trees, that every index is in range and that no sum can overflow.
    ///
    /// # Errors
    /// `model_invalid` naming tree and node.
    pub fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        let scores = self.biases.len();
        if scores == 0 || (scores != output.margins() && scores != output.classes()) {
            return Err(invalid(format!("{scores} scores for {output:?}")));
        }
        if self.trees.is_empty() || self.trees.len() > MAX_TREES {
            return Err(invalid(format!("{} trees, want 1 to {MAX_TREES}", self.trees.len())));
        }
        if self.biases.iter().any(|bias| bias.unsigned_abs() > 1 << 48) {
            return Err(invalid("a bias beyond 2^48"));
        }
        for (index, tree) in self.trees.iter().enumerate() {
            tree.check(quantizer, scores).map_err(|error| error.context(format!("tree {index}")))?;
        }
        Ok(())
    }
}

/// For each score the smallest and largest value of one tree's leaves.
pub(crate) fn tree_ranges(tree: &ValueTree, scores: usize) -> Vec<(i64, i64)> {
    let mut ranges = vec![(i64::MAX, i64::MIN); scores];
    for values in tree.leaves() {
        for (range, value) in ranges.iter_mut().zip(values) {
            *range = (range.0.min(i64::from(*value)), range.1.max(i64::from(*value)));
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FeatureQuantizer;

    fn forest() -> IntegerForest {
        let stump = |feature, threshold, low: i32, high: i32| ValueTree {
            nodes: vec![
                ValueNode::Split { feature, threshold, low: 1, high: 2 },
                ValueNode::Leaf { values: vec![low] },
                ValueNode::Leaf { values: vec![high] },
            ],
        };
        IntegerForest { biases: vec![5], trees: vec![stump(0, 1, -3, 4), stump(1, 2, 10, -20)] }
    }

    fn quantizer() -> Quantizer {
        let feature = FeatureQuantizer::Edges { edges: vec![1.0, 2.0, 3.0] };
        Quantizer { features: vec![feature.clone(), feature] }
    }

    #[test]
    fn trees_add_up() {
        forest().check(&quantizer(), Output::Value).unwrap();
        forest().check(&quantizer(), Output::Classes(2)).unwrap();
        let scores: Vec<i64> = [[0, 0], [1, 0], [0, 2]].iter().map(|q| forest().scores(q)[0]).collect();
        assert_eq!(scores, [12, 19, -18]);
        assert_eq!(forest().score_ranges(), [(-18, 19)]);
        assert_eq!((forest().depth(), forest().leaves()), (1, 4));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(forest().check(&quantizer(), Output::Classes(3)).unwrap_err().code, "model_invalid");
        let mut cycle = forest();
        cycle.trees[1].nodes[0] = ValueNode::Split { feature: 0, threshold: 1, low: 0, high: 2 };
        assert!(cycle.check(&quantizer(), Output::Value).unwrap_err().message.contains("tree 1"));
        let mut values = forest();
        values.trees[0].nodes[1] = ValueNode::Leaf { values: vec![1, 2] };
        assert!(values.check(&quantizer(), Output::Value).unwrap_err().message.contains("2 values"));
    }

    #[test]
    fn a_tree_is_a_forest_of_one() {
        let nodes = vec![
            Node::Split { feature: 0, threshold: 2, low: 1, high: 2 },
            Node::Leaf { class: 2 },
            Node::Leaf { class: 0 },
        ];
        let tree = IntegerTree { classes: 3, nodes };
        let forest = IntegerForest::of_tree(&tree);
        forest.check(&quantizer(), Output::Classes(3)).unwrap();
        for q in [[0, 0], [2, 1]] {
            assert_eq!(forest.scores(&q), tree.scores(&q));
        }
    }
}
