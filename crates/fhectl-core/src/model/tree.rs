//! A decision tree over quantised features.

use super::{Output, Quantizer, invalid};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The deepest path and the largest tree that are read: walks over trees recurse, and tables over them hold a word a
/// node and class.
pub(super) const MAX_DEPTH: u32 = 256;
pub(super) const MAX_NODES_TIMES_CLASSES: usize = 1 << 24;

/// One node of an [`IntegerTree`]; children are indices into its node list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// Goes to `high` where `q[feature] >= threshold`, else to `low`. `threshold` is at least 1.
    Split { feature: u32, threshold: u32, low: u32, high: u32 },
    /// Predicts `class`.
    Leaf { class: u32 },
}

/// A classification tree; node 0 is the root and children come after their parent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegerTree {
    pub classes: u32,
    pub nodes: Vec<Node>,
}

impl IntegerTree {
    /// The class of the leaf that a quantised row reaches.
    pub fn class(&self, quantized: &[u32]) -> u32 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf { class } => return class,
                Node::Split { feature, threshold, low, high } => {
                    at = if quantized[feature as usize] >= threshold { high } else { low } as usize;
                }
            }
        }
    }

    /// One-hot scores: 1 for the reached class.
    pub fn scores(&self, quantized: &[u32]) -> Vec<i64> {
        let class = self.class(quantized);
        (0..self.classes).map(|c| i64::from(c == class)).collect()
    }

    /// The longest path's number of splits.
    pub fn depth(&self) -> usize {
        self.depth_below(0)
    }

    fn depth_below(&self, at: usize) -> usize {
        match self.nodes[at] {
            Node::Leaf { .. } => 0,
            Node::Split { low, high, .. } => 1 + self.depth_below(low as usize).max(self.depth_below(high as usize)),
        }
    }

    /// The number of leaves.
    pub fn leaves(&self) -> usize {
        self.nodes.iter().filter(|node| matches!(node, Node::Leaf { .. })).count()
    }

    /// Checks that this is a tree and that every index is in range.
    ///
    /// # Errors
    /// `model_invalid` naming the node.
    pub fn check(&self, quantizer: &Quantizer, output: Output) -> Result<()> {
        let classes = self.classes as usize;
        if output != Output::Classes(classes) || classes < 2 {
            return Err(invalid(format!("the tree has {classes} classes, the bundle {output:?}")));
        }
        if self.nodes.is_empty() || self.nodes.len() > u32::MAX as usize {
            return Err(invalid("the tree has no nodes"));
        }
        if self.nodes.len().saturating_mul(classes) > MAX_NODES_TIMES_CLASSES {
            return Err(invalid(format!("{} nodes for {classes} classes are too many", self.nodes.len())));
        }
        let mut parents = vec![0u32; self.nodes.len()];
        let mut depths = vec![0u32; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            match *node {
                Node::Leaf { class } if class < self.classes => {}
                Node::Leaf { class } => return Err(invalid(format!("node {at}: class {class} of {classes}"))),
                Node::Split { feature, threshold, low, high } => {
                    let Some(rule) = quantizer.features.get(feature as usize) else {
                        return Err(invalid(format!("node {at}: no feature {feature}")));
                    };
                    if threshold == 0 || threshold >= rule.levels() {
                        return Err(invalid(format!("node {at}: threshold {threshold} of {} levels", rule.levels())));
                    }
                    for child in [low, high] {
                        // Children after parents: no cycle can exist, so every walk ends.
                        if child as usize <= at || child as usize >= self.nodes.len() {
                            return Err(invalid(format!("node {at}: child {child} is not a later node")));
                        }
                        parents[child as usize] += 1;
                        depths[child as usize] = depths[at] + 1;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FeatureQuantizer;

    fn tree() -> IntegerTree {
        IntegerTree {
            classes: 2,
            nodes: vec![
                Node::Split { feature: 0, threshold: 2, low: 1, high: 2 },
                Node::Leaf { class: 0 },
                Node::Split { feature: 1, threshold: 1, low: 3, high: 4 },
                Node::Leaf { class: 1 },
                Node::Leaf { class: 0 },
            ],
        }
    }

    fn quantizer() -> Quantizer {
        let feature = FeatureQuantizer::Edges { edges: vec![1.0, 2.0, 3.0] };
        Quantizer { features: vec![feature.clone(), feature] }
    }

    #[test]
    fn walks_to_the_leaf() {
        let classes: Vec<u32> = [[1, 0], [2, 0], [3, 1]].iter().map(|q| tree().class(q)).collect();
        assert_eq!(classes, [0, 1, 0]);
        assert_eq!(tree().depth(), 2);
        assert_eq!(tree().leaves(), 3);
        tree().check(&quantizer(), Output::Classes(2)).unwrap();
    }

    #[test]
    fn a_chain_deeper_than_the_stack_likes_is_refused() {
        let nodes = (0..1000u32).flat_map(|at| {
            [Node::Split { feature: 0, threshold: 1, low: 2 * at + 1, high: 2 * at + 2 }, Node::Leaf { class: 0 }]
        });
        let chain = IntegerTree { classes: 2, nodes: nodes.chain([Node::Leaf { class: 1 }]).collect() };
        assert!(chain.check(&quantizer(), Output::Classes(2)).unwrap_err().message.contains("deeper"));
    }

    #[test]
    fn a_cycle_or_an_index_out_of_range_is_refused() {
        let mut cycle = tree();
        cycle.nodes[2] = Node::Split { feature: 1, threshold: 1, low: 0, high: 4 };
        assert_eq!(cycle.check(&quantizer(), Output::Classes(2)).unwrap_err().code, "model_invalid");
        let mut shared = tree();
        shared.nodes[2] = Node::Split { feature: 1, threshold: 1, low: 4, high: 4 };
        assert_eq!(shared.check(&quantizer(), Output::Classes(2)).unwrap_err().code, "model_invalid");
        let mut threshold = tree();
        threshold.nodes[0] = Node::Split { feature: 0, threshold: 4, low: 1, high: 2 };
        assert_eq!(threshold.check(&quantizer(), Output::Classes(2)).unwrap_err().code, "model_invalid");
    }
}
