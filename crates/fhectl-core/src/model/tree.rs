//! Binary trees that test one feature a node: one arena, one check and one walk for all thresholds and leaves.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The deepest path of a tree: code that follows boxes down a tree recurses.
pub const MAX_DEPTH: usize = 256;

/// One node of a [`Tree`]; children are indices into its node list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TreeNode<T, L> {
    /// Goes to `high` where `row[feature] >= threshold`, else to `low`.
    Split { feature: u32, threshold: T, low: u32, high: u32 },
    /// The end of a path.
    Leaf(L),
}

impl<T, L> TreeNode<T, L> {
    /// A leaf from what it holds.
    pub fn leaf(leaf: impl Into<L>) -> Self {
        Self::Leaf(leaf.into())
    }
}

/// A tree of thresholds `T` and leaves `L`; node 0 is the root and children come after their parent.
///
/// Every tree is checked when it is made or read, so every walk ends at a leaf.
///
/// ```
/// use fhectl_core::model::{Tree, TreeNode};
///
/// let split = TreeNode::Split { feature: 1, threshold: 0.5, low: 1, high: 2 };
/// let tree: Tree<f64, &str> = Tree::new(vec![split, TreeNode::Leaf("below"), TreeNode::Leaf("above")])?;
/// assert_eq!(*tree.leaf(&[9.0, 0.5]), "above");
/// # Ok::<(), fhectl_core::model::TreeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked<T, L>")]
pub struct Tree<T, L> {
    nodes: Vec<TreeNode<T, L>>,
}

/// Why a list of nodes is no tree.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct TreeError(String);

#[derive(Deserialize)]
struct Unchecked<T, L> {
    nodes: Vec<TreeNode<T, L>>,
}

impl<T, L> TryFrom<Unchecked<T, L>> for Tree<T, L> {
    type Error = TreeError;

    fn try_from(unchecked: Unchecked<T, L>) -> Result<Self, TreeError> {
        Self::new(unchecked.nodes)
    }
}

/// What [`Tree::fold`] makes a result of: a leaf, or a split with the results of its sides.
#[derive(Debug)]
pub enum Fold<'a, T, L, R> {
    Leaf(&'a L),
    Split { feature: u32, threshold: &'a T, low: R, high: R },
}

impl<T, L> Tree<T, L> {
    /// The tree of these nodes.
    ///
    /// # Errors
    /// Where a node but the root has no parent or two, a child does not come after its parent, or a path has more than
    /// [`MAX_DEPTH`] splits.
    pub fn new(nodes: Vec<TreeNode<T, L>>) -> Result<Self, TreeError> {
        if nodes.is_empty() || u32::try_from(nodes.len()).is_err() {
            return Err(TreeError(format!("a tree of {} nodes", nodes.len())));
        }
        let mut parents = vec![0u32; nodes.len()];
        let mut depths = vec![0usize; nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            let TreeNode::Split { low, high, .. } = node else { continue };
            for child in [*low as usize, *high as usize] {
                if child <= at || child >= nodes.len() {
                    return Err(TreeError(format!("node {at}: child {child} is not a later node")));
                }
                parents[child] += 1;
                depths[child] = depths[at] + 1;
                if depths[at] == MAX_DEPTH {
                    return Err(TreeError(format!("node {child} is deeper than {MAX_DEPTH}")));
                }
            }
        }
        match parents.iter().skip(1).position(|count| *count != 1) {
            Some(index) => Err(TreeError(format!("node {}: has {} parents", index + 1, parents[index + 1]))),
            None => Ok(Self { nodes }),
        }
    }

    /// All nodes, the root first.
    pub fn nodes(&self) -> &[TreeNode<T, L>] {
        &self.nodes
    }

    /// The leaf that a row reaches.
    ///
    /// # Panics
    /// Where the row has no value for a feature that is tested.
    pub fn leaf(&self, row: &[T]) -> &L
    where
        T: PartialOrd,
    {
        let mut at = 0;
        loop {
            match &self.nodes[at] {
                TreeNode::Leaf(leaf) => return leaf,
                TreeNode::Split { feature, threshold, low, high } => {
                    at = if row[*feature as usize] >= *threshold { *high } else { *low } as usize;
                }
            }
        }
    }

    /// All leaves, in the order of nodes.
    pub fn leaves(&self) -> impl Iterator<Item = &L> {
        self.nodes.iter().filter_map(|node| match node {
            TreeNode::Leaf(leaf) => Some(leaf),
            TreeNode::Split { .. } => None,
        })
    }

    /// Feature and threshold of all splits, in the order of nodes.
    pub fn splits(&self) -> impl Iterator<Item = (u32, &T)> {
        self.nodes.iter().filter_map(|node| match node {
            TreeNode::Split { feature, threshold, .. } => Some((*feature, threshold)),
            TreeNode::Leaf(_) => None,
        })
    }

    /// The longest path's number of splits.
    pub fn depth(&self) -> usize {
        self.fold(|step| match step {
            Fold::Leaf(_) => 0,
            Fold::Split { low, high, .. } => 1 + usize::max(low, high),
        })
    }

    /// Computes the root's result from the leaves up: `step` sees every node once, from the last to the first.
    pub fn fold<'a, R>(&'a self, mut step: impl FnMut(Fold<'a, T, L, R>) -> R) -> R {
        // Children come after their parents: backwards, both results are there when a split asks for them.
        let mut results: Vec<Option<R>> = self.nodes.iter().map(|_| None).collect();
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let folded = match node {
                TreeNode::Leaf(leaf) => Fold::Leaf(leaf),
                TreeNode::Split { feature, threshold, low, high } => {
                    let (low, high) = (results[*low as usize].take(), results[*high as usize].take());
                    let (Some(low), Some(high)) = (low, high) else { unreachable!("a child has one parent") };
                    Fold::Split { feature: *feature, threshold, low, high }
                }
            };
            results[at] = Some(step(folded));
        }
        results[0].take().expect("a tree has a root")
    }

    /// The same splits above other leaves.
    pub fn map_leaves<M>(self, mut leaf: impl FnMut(L) -> M) -> Tree<T, M> {
        let nodes = self.nodes.into_iter().map(|node| match node {
            TreeNode::Leaf(old) => TreeNode::Leaf(leaf(old)),
            TreeNode::Split { feature, threshold, low, high } => TreeNode::Split { feature, threshold, low, high },
        });
        Tree { nodes: nodes.collect() }
    }

    /// As [`Tree::map_leaves`].
    ///
    /// # Errors
    /// The first that `leaf` returns.
    pub fn try_map_leaves<M, E>(self, mut leaf: impl FnMut(L) -> Result<M, E>) -> Result<Tree<T, M>, E> {
        let nodes = self.nodes.into_iter().map(|node| match node {
            TreeNode::Leaf(old) => Ok(TreeNode::Leaf(leaf(old)?)),
            TreeNode::Split { feature, threshold, low, high } => Ok(TreeNode::Split { feature, threshold, low, high }),
        });
        Ok(Tree { nodes: nodes.collect::<Result<_, E>>()? })
    }
}

/// A tree that is being made: a leaf, or a split above two branches.
#[derive(Debug, Clone, PartialEq)]
pub enum Branch<T, L> {
    Leaf(L),
    Split { feature: u32, threshold: T, low: Box<Self>, high: Box<Self> },
}

impl<T, L> Branch<T, L> {
    /// A split above two branches.
    pub fn split(feature: u32, threshold: T, low: Self, high: Self) -> Self {
        Self::Split { feature, threshold, low: Box::new(low), high: Box::new(high) }
    }

    /// A split, or the leaf that both of its sides are.
    pub fn merged(feature: u32, threshold: T, low: Self, high: Self) -> Self
    where
        L: PartialEq,
    {
        match (low, high) {
            (Self::Leaf(a), Self::Leaf(b)) if a == b => Self::Leaf(a),
            (low, high) => Self::split(feature, threshold, low, high),
        }
    }

    /// The tree with its nodes path by path: a split, all below its `low` side, all below its `high` side.
    ///
    /// # Panics
    /// Beyond [`MAX_DEPTH`].
    pub fn depth_first(self) -> Tree<T, L> {
        // A side that waits knows the split that it belongs to.
        let mut nodes: Vec<TreeNode<T, L>> = Vec::new();
        let mut open = vec![(self, None)];
        while let Some((branch, parent)) = open.pop() {
            let at = place(&mut nodes, parent);
            match branch {
                Self::Leaf(leaf) => nodes.push(TreeNode::Leaf(leaf)),
                Self::Split { feature, threshold, low, high } => {
                    nodes.push(TreeNode::Split { feature, threshold, low: 0, high: 0 });
                    open.push((*high, Some((at, true))));
                    open.push((*low, Some((at, false))));
                }
            }
        }
        Tree::new(nodes).expect("growers and readers limit depth")
    }

    /// The tree with its nodes level by level, the `low` side of a split before its `high` side.
    ///
    /// # Panics
    /// As [`Branch::depth_first`].
    pub fn breadth_first(self) -> Tree<T, L> {
        let mut nodes: Vec<TreeNode<T, L>> = Vec::new();
        let mut open = std::collections::VecDeque::from([(self, None)]);
        while let Some((branch, parent)) = open.pop_front() {
            let at = place(&mut nodes, parent);
            match branch {
                Self::Leaf(leaf) => nodes.push(TreeNode::Leaf(leaf)),
                Self::Split { feature, threshold, low, high } => {
                    nodes.push(TreeNode::Split { feature, threshold, low: 0, high: 0 });
                    open.push_back((*low, Some((at, false))));
                    open.push_back((*high, Some((at, true))));
                }
            }
        }
        Tree::new(nodes).expect("growers and readers limit depth")
    }
}

/// Tells the parent where its next child goes, and returns that place.
fn place<T, L>(nodes: &mut [TreeNode<T, L>], parent: Option<(usize, bool)>) -> usize {
    let at = nodes.len();
    if let Some((parent, is_high)) = parent
        && let TreeNode::Split { low, high, .. } = &mut nodes[parent]
    {
        *(if is_high { high } else { low }) = at as u32;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Small = Tree<u32, u32>;

    fn split(feature: u32, threshold: u32, low: u32, high: u32) -> TreeNode<u32, u32> {
        TreeNode::Split { feature, threshold, low, high }
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let refusal = |nodes: Vec<TreeNode<u32, u32>>| Small::new(nodes).unwrap_err().to_string();
        let leaf = || TreeNode::leaf(0u32);
        assert!(refusal(vec![]).contains("0 nodes"));
        assert!(refusal(vec![split(0, 1, 0, 1), leaf()]).contains("not a later node"));
        assert!(refusal(vec![split(0, 1, 1, 3), leaf(), leaf()]).contains("not a later node"));
        assert!(refusal(vec![split(0, 1, 1, 1), leaf()]).contains("2 parents"));
        assert!(refusal(vec![leaf(), leaf()]).contains("0 parents"));
        let chain = (0..1000).flat_map(|at| [split(0, 1, 2 * at + 1, 2 * at + 2), leaf()]);
        assert!(refusal(chain.chain([leaf()]).collect()).contains("deeper"));
    }

    #[test]
    fn what_is_read_is_checked() {
        let text = r#"{"nodes":[{"split":{"feature":0,"threshold":2,"low":1,"high":2}},{"leaf":7},{"leaf":8}]}"#;
        let tree: Small = serde_json::from_str(text).unwrap();
        assert_eq!((*tree.leaf(&[1]), *tree.leaf(&[2])), (7, 8));
        assert_eq!(serde_json::to_string(&tree).unwrap(), text);
        let cycle = text.replace(r#""low":1"#, r#""low":0"#);
        assert!(serde_json::from_str::<Small>(&cycle).unwrap_err().to_string().contains("not a later node"));
    }

    fn branches() -> impl Strategy<Value = Branch<u32, u32>> {
        let leaf = (0u32..4).prop_map(Branch::Leaf);
        leaf.prop_recursive(6, 64, 2, |inner| {
            (0u32..3, 1u32..5, inner.clone(), inner)
                .prop_map(|(feature, threshold, low, high)| Branch::split(feature, threshold, low, high))
        })
    }

    fn reached(branch: &Branch<u32, u32>, row: &[u32]) -> u32 {
        match branch {
            Branch::Leaf(leaf) => *leaf,
            Branch::Split { feature, threshold, low, high } => {
                reached(if row[*feature as usize] >= *threshold { high } else { low }, row)
            }
        }
    }

    proptest! {
        /// Either order of nodes is a tree that decides as the branch does.
        #[test]
        fn trees_decide_as_their_branches(branch in branches(), row in prop::array::uniform3(0u32..6)) {
            let (deep, broad) = (branch.clone().depth_first(), branch.clone().breadth_first());
            for tree in [&deep, &broad] {
                prop_assert_eq!(*tree.leaf(&row), reached(&branch, &row));
                prop_assert_eq!(tree.leaves().count(), tree.splits().count() + 1);
            }
            prop_assert_eq!(deep.depth(), broad.depth());
            let again = deep.fold(|step| match step {
                Fold::Leaf(leaf) => Branch::Leaf(*leaf),
                Fold::Split { feature, threshold, low, high } => Branch::split(feature, *threshold, low, high),
            });
            prop_assert_eq!(again, branch);
        }
    }
}
