//! From a file's lists of nodes to checked trees.

use super::model::{MAX_VALUES, Tree, invalid, large};
use fhectl_core::error::Result;
use fhectl_core::model::{Branch, MAX_DEPTH};

/// The most nodes of all trees.
const MAX_NODES: usize = 1 << 20;

/// A node as files have it: children are indices into the same list, in any order.
#[derive(Debug, Clone)]
pub(super) enum SourceNode {
    /// `high` where `x[feature] >= edge`, else `low`. Edges may be infinite.
    Split { feature: u32, edge: f64, low: usize, high: usize },
    /// `yes` where `from <= x[feature] < to`, else `no`.
    Within { feature: u32, from: f64, to: f64, yes: usize, no: usize },
    /// One value a score.
    Leaf { values: Vec<f64> },
}

/// What trees may still take.
#[derive(Debug)]
pub(super) struct Budget {
    nodes: usize,
    values: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { nodes: MAX_NODES, values: MAX_VALUES }
    }
}

impl Budget {
    /// Takes a node with so many values.
    fn spend(&mut self, values: usize) -> Result<()> {
        match (self.nodes.checked_sub(1), self.values.checked_sub(values)) {
            (Some(nodes), Some(values)) => {
                *self = Self { nodes, values };
                Ok(())
            }
            _ => Err(large(format!("trees of more than {MAX_NODES} nodes or {MAX_VALUES} leaf values"))),
        }
    }
}

/// What is to be written next.
enum What {
    Node(usize),
    /// The upper end of a [`SourceNode::Within`].
    Upper {
        feature: u32,
        to: f64,
        yes: usize,
        no: usize,
    },
}

/// Makes trees of one list of nodes.
pub(super) struct TreeBuilder<'a> {
    source: &'a [SourceNode],
    seen: Vec<Visit>,
    /// Whether a node may have several parents: what is below it is then written below each.
    sharing: bool,
    reached: usize,
}

/// How far a check has come with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    Never,
    /// What is below it is being looked at.
    Open,
    Done,
}

impl<'a> TreeBuilder<'a> {
    pub(super) fn new(source: &'a [SourceNode]) -> Self {
        Self { source, seen: vec![Visit::Never; source.len()], sharing: false, reached: 0 }
    }

    /// Of nodes that may have several parents.
    pub(super) fn shared(source: &'a [SourceNode]) -> Self {
        Self { sharing: true, ..Self::new(source) }
    }

    /// The number of nodes that are of no tree that was built.
    pub(super) fn unreached(&self) -> usize {
        self.source.len() - self.reached
    }

    /// The tree below `root`. Splits that send every row one way are left out; a test for equality becomes two splits.
    ///
    /// # Errors
    /// `import_invalid` for a child that does not exist, is shared or lies above itself, and a threshold that is no
    /// number; `import_large` for a path that is too deep and once the budget is spent.
    pub(super) fn tree(&mut self, root: usize, budget: &mut Budget) -> Result<Tree> {
        self.check(root)?;
        Ok(self.branch(What::Node(root), 0, budget)?.depth_first())
    }

    /// Recursion is as deep as the tree, for splits that send every row one way are passed over in a loop.
    fn branch(&self, mut what: What, depth: usize, budget: &mut Budget) -> Result<Branch<f64, Vec<f64>>> {
        if depth > MAX_DEPTH {
            return Err(large(format!("a path of more than {MAX_DEPTH} splits")));
        }
        loop {
            let (feature, edge, low, high) = match what {
                What::Node(at) => match &self.source[at] {
                    SourceNode::Leaf { values } => {
                        budget.spend(values.len())?;
                        return Ok(Branch::Leaf(values.clone()));
                    }
                    SourceNode::Split { feature, edge, low, high } => {
                        (*feature, *edge, What::Node(*low), What::Node(*high))
                    }
                    SourceNode::Within { feature, from, to, yes, no } => {
                        let upper = What::Upper { feature: *feature, to: *to, yes: *yes, no: *no };
                        (*feature, *from, What::Node(*no), upper)
                    }
                },
                What::Upper { feature, to, yes, no } => (feature, to, What::Node(yes), What::Node(no)),
            };
            budget.spend(0)?;
            if edge.is_infinite() {
                what = if edge > 0.0 { low } else { high };
                continue;
            }
            let low = self.branch(low, depth + 1, budget)?;
            return Ok(Branch::split(feature, edge, low, self.branch(high, depth + 1, budget)?));
        }
    }

    /// No node is below itself, so that every walk ends; and each has one parent, unless they are shared.
    fn check(&mut self, root: usize) -> Result<()> {
        // A node is left where it is found again on the stack.
        let mut open = vec![(root, false)];
        while let Some((at, leaving)) = open.pop() {
            if leaving {
                self.seen[at] = Visit::Done;
                continue;
            }
            match self.seen.get_mut(at) {
                None => return Err(invalid(format!("a child {at} in a tree of {} nodes", self.source.len()))),
                Some(Visit::Done) if self.sharing => continue,
                Some(Visit::Open) => return Err(invalid(format!("node {at} is below itself"))),
                Some(Visit::Done) => return Err(invalid(format!("node {at} is below itself or has two parents"))),
                Some(seen) => *seen = Visit::Open,
            }
            self.reached += 1;
            open.push((at, true));
            match &self.source[at] {
                SourceNode::Leaf { .. } => {}
                SourceNode::Split { edge, low, high, .. } => {
                    number(*edge, at)?;
                    open.extend([(*low, false), (*high, false)]);
                }
                SourceNode::Within { from, to, yes, no, .. } => {
                    number(*from, at)?;
                    number(*to, at)?;
                    open.extend([(*yes, false), (*no, false)]);
                }
            }
        }
        Ok(())
    }
}

fn number(threshold: f64, at: usize) -> Result<()> {
    if threshold.is_nan() { Err(invalid(format!("the threshold of node {at} is no number"))) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::error::ErrorCode;

    fn leaf(value: f64) -> SourceNode {
        SourceNode::Leaf { values: vec![value] }
    }

    fn split(edge: f64, low: usize, high: usize) -> SourceNode {
        SourceNode::Split { feature: 0, edge, low, high }
    }

    fn values(source: &[SourceNode], rows: &[f64]) -> Vec<f64> {
        let tree = TreeBuilder::new(source).tree(0, &mut Budget::default()).unwrap();
        rows.iter().map(|x| tree.leaf(&[*x])[0]).collect()
    }

    #[test]
    fn trees_decide_as_their_files_do() {
        let nodes = [split(2.0, 3, 1), split(4.0, 2, 4), leaf(20.0), leaf(10.0), leaf(30.0)];
        assert_eq!(values(&nodes, &[1.9, 2.0, 3.9, 4.0]), [10.0, 20.0, 20.0, 30.0]);
        let equal = [SourceNode::Within { feature: 0, from: 2.0, to: 3.0, yes: 1, no: 2 }, leaf(1.0), leaf(0.0)];
        assert_eq!(values(&equal, &[1.9, 2.0, 2.9, 3.0]), [0.0, 1.0, 1.0, 0.0]);
        let always = [split(f64::NEG_INFINITY, 1, 2), leaf(1.0), split(f64::INFINITY, 3, 4), leaf(2.0), leaf(3.0)];
        assert_eq!(values(&always, &[-1e300, 1e300]), [2.0, 2.0]);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let refusal = |nodes: &[SourceNode]| TreeBuilder::new(nodes).tree(0, &mut Budget::default()).unwrap_err();
        assert!(refusal(&[split(1.0, 0, 1), leaf(0.0)]).message.contains("below itself"));
        assert!(refusal(&[split(1.0, 1, 1), leaf(0.0)]).message.contains("two parents"));
        assert!(refusal(&[split(1.0, 1, 7), leaf(0.0)]).message.contains("child 7"));
        assert!(refusal(&[split(f64::NAN, 1, 2), leaf(0.0), leaf(1.0)]).message.contains("no number"));
        assert!(refusal(&[]).message.contains("child 0"));
        let chain: Vec<SourceNode> =
            (0..600).flat_map(|at| [split(at as f64, 2 * at + 1, 2 * at + 2), leaf(0.0)]).collect();
        assert_eq!(refusal(&[chain, vec![leaf(1.0)]].concat()).code, ErrorCode::ImportLarge);
    }

    #[test]
    fn nodes_of_several_parents_are_read_where_they_may_be() {
        let nodes = [split(1.0, 1, 2), split(0.0, 3, 4), split(2.0, 4, 3), leaf(5.0), leaf(6.0)];
        assert!(TreeBuilder::new(&nodes).tree(0, &mut Budget::default()).is_err());
        let mut builder = TreeBuilder::shared(&nodes);
        let tree = builder.tree(0, &mut Budget::default()).unwrap();
        let values: Vec<f64> = [-1.0, 0.5, 1.5, 2.0].iter().map(|x| tree.leaf(&[*x])[0]).collect();
        assert_eq!(values, [5.0, 6.0, 6.0, 5.0]);
        assert_eq!(builder.unreached(), 0);
        let cycle = [split(1.0, 1, 2), split(0.0, 2, 0), leaf(0.0)];
        assert!(
            TreeBuilder::shared(&cycle).tree(0, &mut Budget::default()).unwrap_err().message.contains("below itself")
        );
        // Sixty doublings.
        let doubled: Vec<SourceNode> = (0..60).map(|at| split(f64::from(at as u32), at + 1, at + 1)).collect();
        let error = TreeBuilder::shared(&[doubled, vec![leaf(0.0)]].concat()).tree(0, &mut Budget::default());
        assert_eq!(error.unwrap_err().code, ErrorCode::ImportLarge);
    }

    #[test]
    fn equalities_in_a_chain_do_not_grow_without_bound() {
        let equal = |at: usize| SourceNode::Within {
            feature: 0,
            from: at as f64,
            to: at as f64 + 0.5,
            yes: 2 * at + 1,
            no: 2 * at + 2,
        };
        let chain: Vec<SourceNode> = (0..60).flat_map(|at| [equal(at), leaf(0.0)]).collect();
        let error = TreeBuilder::new(&[chain, vec![leaf(1.0)]].concat()).tree(0, &mut Budget::default()).unwrap_err();
        assert_eq!(error.code, ErrorCode::ImportLarge);
    }
}
