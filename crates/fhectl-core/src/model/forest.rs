//! Sums of trees over quantized features: forests, boosted trees, regression trees.

use super::integer_tree::MAX_NODES_TIMES_CLASSES;
use super::{ClassLeaf, IntegerTree, Output, Quantizer, Tree, TreeNode, invalid};
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

/// The leaf of a [`ValueTree`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ValueLeaf {
    /// One a score.
    pub values: Vec<i32>,
}

impl From<Vec<i32>> for ValueLeaf {
    fn from(values: Vec<i32>) -> Self {
        Self { values }
    }
}

/// A tree of an [`IntegerForest`].
pub type ValueTree = Tree<u32, ValueLeaf>;

/// A node of a [`ValueTree`]. Thresholds are levels of the feature's quantizer, at least 1.
pub type ValueNode = TreeNode<u32, ValueLeaf>;

impl ValueTree {
    /// The values of the leaf that a quantized row reaches, one a score.
    pub fn values(&self, quantized: &[u32]) -> &[i32] {
        &self.leaf(quantized).values
    }

    fn check(&self, quantizer: &Quantizer, scores: usize) -> Result<()> {
        let nodes = self.nodes().len();
        if nodes.saturating_mul(scores) > MAX_NODES_TIMES_CLASSES {
            return Err(invalid(format!("{nodes} nodes for {scores} scores")));
        }
        if let Some(leaf) = self.leaves().find(|leaf| leaf.values.len() != scores) {
            return Err(invalid(format!("a leaf of {} values for {scores} scores", leaf.values.len())));
        }
        self.check_splits(quantizer)
    }
}

impl IntegerForest {
    /// The integer scores of one quantized row.
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
        let one_hot = |leaf: ClassLeaf| ValueLeaf {
            values: (0..tree.classes).map(|class| i32::from(class == leaf.class)).collect(),
        };
        Self { biases: vec![0; tree.classes as usize], trees: vec![tree.tree.clone().map_leaves(one_hot)] }
    }

    /// Checks that every index is in range and that no sum can overflow.
    ///
    /// # Errors
    /// `model_invalid` naming the tree.
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
    for leaf in tree.leaves() {
        for (range, value) in ranges.iter_mut().zip(&leaf.values) {
            *range = (range.0.min(i64::from(*value)), range.1.max(i64::from(*value)));
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::model::{ClassNode, FeatureQuantizer};

    fn forest() -> IntegerForest {
        let stump = |feature, threshold, low: i32, high: i32| {
            let split = ValueNode::Split { feature, threshold, low: 1, high: 2 };
            ValueTree::new(vec![split, ValueNode::leaf(vec![low]), ValueNode::leaf(vec![high])]).unwrap()
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
        assert_eq!(forest().check(&quantizer(), Output::Classes(3)).unwrap_err().code, ErrorCode::ModelInvalid);
        let nodes = |threshold, values: Vec<i32>| {
            let split = ValueNode::Split { feature: 0, threshold, low: 1, high: 2 };
            vec![split, ValueNode::leaf(values), ValueNode::leaf(vec![3])]
        };
        let message = |nodes| {
            let mut changed = forest();
            changed.trees[1] = ValueTree::new(nodes).unwrap();
            changed.check(&quantizer(), Output::Value).unwrap_err().message
        };
        assert!(message(nodes(1, vec![1, 2])).contains("2 values"));
        assert!(message(nodes(4, vec![1])).contains("tree 1"));
    }

    #[test]
    fn a_tree_is_a_forest_of_one() {
        let nodes = vec![
            ClassNode::Split { feature: 0, threshold: 2, low: 1, high: 2 },
            ClassNode::leaf(2),
            ClassNode::leaf(0),
        ];
        let tree = IntegerTree::new(3, nodes).unwrap();
        let forest = IntegerForest::of_tree(&tree);
        forest.check(&quantizer(), Output::Classes(3)).unwrap();
        for q in [[0, 0], [2, 1]] {
            assert_eq!(forest.scores(&q), tree.scores(&q));
        }
    }
}
