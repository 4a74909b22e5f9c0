//! A decision tree over quantized features.

use super::{Output, Quantizer, Tree, TreeNode, invalid};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The largest tree that is read: tables over trees hold a word a node and class.
pub(super) const MAX_NODES_TIMES_CLASSES: usize = 1 << 24;

/// The leaf of an [`IntegerTree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClassLeaf {
    /// The class that is predicted.
    pub class: u32,
}

impl From<u32> for ClassLeaf {
    fn from(class: u32) -> Self {
        Self { class }
    }
}

/// A node of an [`IntegerTree`]. Thresholds are levels of the feature's quantizer, at least 1.
pub type ClassNode = TreeNode<u32, ClassLeaf>;

/// A classification tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegerTree {
    pub classes: u32,
    #[serde(flatten)]
    pub tree: Tree<u32, ClassLeaf>,
}

impl IntegerTree {
    /// The tree of these nodes, the root first.
    ///
    /// # Errors
    /// `model_invalid` where the nodes are no tree.
    pub fn new(classes: u32, nodes: Vec<ClassNode>) -> Result<Self> {
        Ok(Self { classes, tree: Tree::new(nodes).map_err(|error| invalid(error.to_string()))? })
    }

    /// The class of the leaf that a quantized row reaches.
    pub fn class(&self, quantized: &[u32]) -> u32 {
        self.tree.leaf(quantized).class
    }

    /// One-hot scores: 1 for the reached class.
    pub fn scores(&self, quantized: &[u32]) -> Vec<i64> {
        let class = self.class(quantized);
        (0..self.classes).map(|c| i64::from(c == class)).collect()
    }

    /// The longest path's number of splits.
    pub fn depth(&self) -> usize {
        self.tree.depth()
    }

    /// The number of leaves.
    pub fn leaves(&self) -> usize {
        self.tree.leaves().count()
    }

    /// Checks that every class, feature and threshold is in range.
    ///
    /// # Errors
    /// `model_invalid` naming the one that is not.
    pub fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        let classes = self.classes as usize;
        if output != Output::Classes(classes) || classes < 2 {
            return Err(invalid(format!("the tree has {classes} classes, the bundle {output:?}")));
        }
        let nodes = self.tree.nodes().len();
        if nodes.saturating_mul(classes) > MAX_NODES_TIMES_CLASSES {
            return Err(invalid(format!("{nodes} nodes for {classes} classes are too many")));
        }
        if let Some(leaf) = self.tree.leaves().find(|leaf| leaf.class >= self.classes) {
            return Err(invalid(format!("a leaf of class {} of {}", leaf.class, self.classes)));
        }
        self.tree.check_splits(quantizer)
    }
}

impl<L> Tree<u32, L> {
    /// Checks that every split tests a feature between two of its levels.
    ///
    /// # Errors
    /// `model_invalid` naming the split that does not.
    pub(super) fn check_splits(&self, quantizer: &Quantizer) -> Result<()> {
        for (feature, threshold) in self.splits() {
            let Some(rule) = quantizer.features.get(feature as usize) else {
                return Err(invalid(format!("a split on feature {feature} of {}", quantizer.features.len())));
            };
            if *threshold == 0 || *threshold >= rule.levels() {
                return Err(invalid(format!(
                    "a split of feature {feature} at {threshold} of {} levels",
                    rule.levels()
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::model::FeatureQuantizer;

    fn nodes() -> Vec<ClassNode> {
        vec![
            ClassNode::Split { feature: 0, threshold: 2, low: 1, high: 2 },
            ClassNode::leaf(0),
            ClassNode::Split { feature: 1, threshold: 1, low: 3, high: 4 },
            ClassNode::leaf(1),
            ClassNode::leaf(0),
        ]
    }

    fn quantizer() -> Quantizer {
        let feature = FeatureQuantizer::Edges { edges: vec![1.0, 2.0, 3.0] };
        Quantizer { features: vec![feature.clone(), feature] }
    }

    #[test]
    fn walks_to_the_leaf() {
        let tree = IntegerTree::new(2, nodes()).unwrap();
        let classes: Vec<u32> = [[1, 0], [2, 0], [3, 1]].iter().map(|q| tree.class(q)).collect();
        assert_eq!(classes, [0, 1, 0]);
        assert_eq!(tree.depth(), 2);
        assert_eq!(tree.leaves(), 3);
        tree.check(&quantizer(), Output::Classes(2)).unwrap();
    }

    #[test]
    fn its_text_is_a_list_of_nodes_beside_the_classes() {
        let tree = IntegerTree::new(2, nodes()[1..2].to_vec()).unwrap();
        let text = r#"{"classes":2,"nodes":[{"leaf":{"class":0}}]}"#;
        assert_eq!(serde_json::to_string(&tree).unwrap(), text);
        assert_eq!(serde_json::from_str::<IntegerTree>(text).unwrap(), tree);
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        let refused = |at: usize, node: ClassNode| {
            let mut nodes = nodes();
            nodes[at] = node;
            let tree = IntegerTree::new(2, nodes);
            tree.and_then(|tree| tree.check(&quantizer(), Output::Classes(2))).unwrap_err().code
        };
        let split = |feature, threshold, low| ClassNode::Split { feature, threshold, low, high: 2 };
        assert_eq!(refused(0, split(0, 1, 0)), ErrorCode::ModelInvalid);
        assert_eq!(refused(0, split(0, 4, 1)), ErrorCode::ModelInvalid);
        assert_eq!(refused(0, split(0, 0, 1)), ErrorCode::ModelInvalid);
        assert_eq!(refused(0, split(2, 1, 1)), ErrorCode::ModelInvalid);
        assert_eq!(refused(1, ClassNode::leaf(2)), ErrorCode::ModelInvalid);
    }
}
