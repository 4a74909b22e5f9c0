//! A decision tree as tests on boxes: intervals of some features, read off thermometer bits.
//!
//! A box is reached where none of its conditions is violated; conditions on one feature merge into one interval
//! `low <= q < high`, violated by at most one of two bits.

use crate::model::{ClassLeaf, IntegerTree, Quantizer, Tree, TreeNode, ValueTree};

/// One box as a sum of thermometer bits: `violations = constant + sum_i sign_i * u_i`, zero exactly inside the box and
/// at most `features` everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoxTest<V = u32> {
    /// What being inside means: a class for [`Boxes::leaves`], a difference of classes for [`Boxes::signed`], one
    /// value a score for [`value_leaves`].
    pub value: V,
    /// Distinct features with a condition.
    pub features: u32,
    pub constant: i64,
    /// Bit index and sign, +1 or -1.
    pub terms: Vec<(usize, i64)>,
}

/// A tree as boxes, with the class that no box needs to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boxes {
    pub base: u32,
    pub tests: Vec<BoxTest>,
}

impl Boxes {
    /// A box a leaf, of all classes but the one with the most leaves: at most one is reached, and where none is the
    /// answer is `base`.
    pub fn leaves(tree: &IntegerTree, quantizer: &Quantizer) -> Self {
        let walk = Walk::of_classes(tree, quantizer);
        let mut tests = Vec::new();
        walk.leaves(0, walk.everything(), &mut tests);
        let mut leaves = vec![0usize; tree.classes as usize];
        for test in &tests {
            leaves[test.value as usize] += 1;
        }
        let most = leaves.iter().max().copied().unwrap_or(0);
        let base = leaves.iter().position(|count| *count == most).unwrap_or(0) as u32;
        tests.retain(|test| test.value != base);
        Self { base, tests }
    }

    /// The fewest boxes of subtrees whose values add up to the tree: the class is `base` plus the values of all boxes
    /// reached, modulo the number of classes.
    ///
    /// A subtree that is mostly of one class costs one box for itself and one for each exception, where its leaves
    /// might cost more: dynamic programming over (subtree, class that is already counted there).
    pub fn signed(tree: &IntegerTree, quantizer: &Quantizer) -> Self {
        let walk = Walk::of_classes(tree, quantizer);
        let mut costs = vec![Vec::new(); tree.tree.nodes().len()];
        walk.costs(0, &walk.everything(), tree.classes, &mut costs);
        let (base, _) = cheapest(&costs[0]);
        let mut tests = Vec::new();
        walk.signed(0, walk.everything(), (base, tree.classes), &costs, &mut tests);
        Self { base, tests }
    }

    /// The most distinct features that one box has conditions on (at least 1).
    pub fn depth(&self) -> u32 {
        self.tests.iter().map(|test| test.features).max().unwrap_or(0).max(1)
    }

    /// The most bits that one test adds up.
    pub fn widest(&self) -> usize {
        self.tests.iter().map(|test| test.terms.len()).max().unwrap_or(0)
    }

    /// Whether boxes differ in value, so that an answer must carry which.
    pub fn needs_values(&self) -> bool {
        self.tests.windows(2).any(|pair| pair[0].value != pair[1].value)
    }
}

/// A box a leaf, exactly one of which is reached. Leaves that no row can reach are left out; sibling leaves of equal
/// values are one.
pub fn value_leaves(tree: &ValueTree, quantizer: &Quantizer) -> Vec<BoxTest<Vec<i32>>> {
    let walk = Walk::new(tree, |leaf| leaf.values.clone(), quantizer);
    let mut tests = Vec::new();
    walk.merged_leaves(0, walk.everything(), &mut tests);
    tests
}

/// The first class of the lowest cost, and that cost.
fn cheapest(costs: &[usize]) -> (u32, usize) {
    let least = costs.iter().min().copied().unwrap_or(0);
    (costs.iter().position(|cost| *cost == least).unwrap_or(0) as u32, least)
}

/// `low..high` of every feature.
type Intervals = Vec<(u32, u32)>;

/// What is below a node inside its box.
enum Below<V> {
    /// The children that can be reached, with their boxes.
    Children(Vec<(usize, Intervals)>),
    Leaf(V),
}

/// A walk over a tree that knows the box of every subtree.
struct Walk<'a, L, V> {
    tree: &'a Tree<u32, L>,
    /// What being at a leaf means.
    value: fn(&L) -> V,
    quantizer: &'a Quantizer,
    /// The first thermometer bit of every feature.
    offsets: Vec<usize>,
}

impl<'a, L, V: Clone + PartialEq> Walk<'a, L, V> {
    fn new(tree: &'a Tree<u32, L>, value: fn(&L) -> V, quantizer: &'a Quantizer) -> Self {
        let mut offsets = vec![0];
        for feature in &quantizer.features {
            offsets.push(offsets[offsets.len() - 1] + feature.levels() as usize - 1);
        }
        Self { tree, value, quantizer, offsets }
    }

    fn everything(&self) -> Intervals {
        self.quantizer.features.iter().map(|feature| (0, feature.levels())).collect()
    }

    fn below(&self, at: usize, intervals: &Intervals) -> Below<V> {
        let (feature, threshold, low, high) = match &self.tree.nodes()[at] {
            TreeNode::Leaf(leaf) => return Below::Leaf((self.value)(leaf)),
            TreeNode::Split { feature, threshold, low, high } => (*feature, *threshold, *low, *high),
        };
        let (from, to) = intervals[feature as usize];
        let sides = [(low, from, to.min(threshold)), (high, from.max(threshold), to)];
        let reachable = sides.into_iter().filter(|(_, from, to)| from < to).map(|(child, from, to)| {
            let mut inner = intervals.clone();
            inner[feature as usize] = (from, to);
            (child as usize, inner)
        });
        Below::Children(reachable.collect())
    }

    fn leaves(&self, at: usize, intervals: Intervals, tests: &mut Vec<BoxTest<V>>) {
        match self.below(at, &intervals) {
            Below::Children(children) => {
                children.into_iter().for_each(|(child, inner)| self.leaves(child, inner, tests))
            }
            Below::Leaf(value) => tests.push(self.test(value, &intervals)),
        }
    }

    /// As `leaves`, with one box for a subtree of one value, which is returned.
    fn merged_leaves(&self, at: usize, intervals: Intervals, tests: &mut Vec<BoxTest<V>>) -> Option<V> {
        let first = tests.len();
        let value = match self.below(at, &intervals) {
            Below::Leaf(value) => Some(value),
            Below::Children(children) => {
                let values: Vec<_> =
                    children.into_iter().map(|(child, inner)| self.merged_leaves(child, inner, tests)).collect();
                let first = values.first().cloned().flatten();
                first.filter(|first| values.iter().all(|value| value.as_ref() == Some(first)))
            }
        };
        if let Some(value) = &value {
            tests.truncate(first);
            tests.push(self.test(value.clone(), &intervals));
        }
        value
    }

    fn test(&self, value: V, intervals: &Intervals) -> BoxTest<V> {
        let mut test = BoxTest { value, features: 0, constant: 0, terms: Vec::new() };
        for (feature, (from, to)) in intervals.iter().enumerate() {
            let levels = self.quantizer.features[feature].levels();
            if *from > 0 {
                test.constant += 1;
                test.terms.push((self.offsets[feature] + *from as usize - 1, -1));
            }
            if *to < levels {
                test.terms.push((self.offsets[feature] + *to as usize - 1, 1));
            }
            test.features += u32::from(*from > 0 || *to < levels);
        }
        test
    }
}

impl<'a> Walk<'a, ClassLeaf, u32> {
    fn of_classes(tree: &'a IntegerTree, quantizer: &'a Quantizer) -> Self {
        Self::new(&tree.tree, |leaf| leaf.class, quantizer)
    }

    /// Fills `costs[v][c]`: the boxes needed below `v` where class `c` is counted there already and `v` itself gets
    /// no box.
    fn costs(&self, at: usize, intervals: &Intervals, classes: u32, costs: &mut [Vec<usize>]) {
        let children = match self.below(at, intervals) {
            Below::Children(children) => children,
            Below::Leaf(class) => {
                // A leaf of another class cannot do without a box: more than any tree costs.
                let cost = |c| if c == class { 0 } else { self.tree.nodes().len() };
                costs[at] = (0..classes).map(cost).collect();
                return;
            }
        };
        let mut sum = vec![0; classes as usize];
        for (child, inner) in children {
            self.costs(child, &inner, classes, costs);
            let (_, least) = cheapest(&costs[child]);
            for (sum, cost) in sum.iter_mut().zip(&costs[child]) {
                *sum += (*cost).min(1 + least);
            }
        }
        costs[at] = sum;
    }

    /// Emits the boxes that `costs` counted, with class `counted` (of so many `classes`) already there.
    fn signed(
        &self,
        at: usize,
        intervals: Intervals,
        (counted, classes): (u32, u32),
        costs: &[Vec<usize>],
        tests: &mut Vec<BoxTest>,
    ) {
        let Below::Children(children) = self.below(at, &intervals) else { return };
        for (child, inner) in children {
            let (class, least) = cheapest(&costs[child]);
            if costs[child][counted as usize] <= 1 + least {
                self.signed(child, inner, (counted, classes), costs, tests);
            } else {
                tests.push(self.test((class + classes - counted) % classes, &inner));
                self.signed(child, inner, (class, classes), costs, tests);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::thermometer;
    use crate::model::{Branch, ClassNode, FeatureQuantizer, IntegerForest, Output, ValueNode};
    use proptest::prelude::*;

    fn quantizer(levels: &[u32]) -> Quantizer {
        let features = levels
            .iter()
            .map(|levels| FeatureQuantizer::Edges { edges: (1..*levels).map(f64::from).collect() })
            .collect();
        Quantizer { features }
    }

    /// A random tree over features of 1 to 9 levels; thresholds may contradict earlier ones.
    fn grow(seeds: &[u32], levels: &[u32], classes: u32) -> IntegerTree {
        fn branch(
            seeds: &mut impl Iterator<Item = u32>,
            depth: u32,
            levels: &[u32],
            classes: u32,
        ) -> Branch<u32, ClassLeaf> {
            let seed = seeds.next().unwrap_or(0);
            let feature = seed as usize % levels.len();
            if depth == 0 || seed.is_multiple_of(7) || levels[feature] < 2 {
                return Branch::Leaf(ClassLeaf { class: seed / 11 % classes });
            }
            let threshold = 1 + seed / 5 % (levels[feature] - 1);
            let low = branch(seeds, depth - 1, levels, classes);
            let high = branch(seeds, depth - 1, levels, classes);
            Branch::split(feature as u32, threshold, low, high)
        }
        IntegerTree { classes, tree: branch(&mut seeds.iter().copied(), 6, levels, classes).depth_first() }
    }

    /// The values of the boxes that a row is inside of.
    fn reached<V: Clone>(tests: &[BoxTest<V>], bits: &[u64]) -> Vec<V> {
        let inside = tests.iter().filter(|test| {
            let violations = test.constant + test.terms.iter().map(|(bit, sign)| sign * bits[*bit] as i64).sum::<i64>();
            assert!((0..=i64::from(test.features)).contains(&violations));
            violations == 0
        });
        inside.map(|test| test.value.clone()).collect()
    }

    proptest! {
        /// All forms say in clear what the tree says, and count no more violations than features.
        #[test]
        fn boxes_equal_the_tree(
            seeds in prop::collection::vec(1u32..1_000_000, 64),
            levels in prop::collection::vec(1u32..10, 1..6),
            classes in 2u32..5,
            rows in prop::collection::vec(prop::collection::vec(0u32..10, 6), 20),
        ) {
            let quantizer = quantizer(&levels);
            let tree = grow(&seeds, &levels, classes);
            tree.check(&quantizer, Output::Classes(classes as usize)).unwrap();
            let leaves = Boxes::leaves(&tree, &quantizer);
            let signed = Boxes::signed(&tree, &quantizer);
            let one_hot = IntegerForest::of_tree(&tree).trees.remove(0);
            let values = value_leaves(&one_hot, &quantizer);
            prop_assert!(signed.tests.len() <= leaves.tests.len());
            for row in rows {
                let q: Vec<u32> = row.iter().zip(&levels).map(|(q, levels)| q % levels).collect();
                let bits = thermometer::encode(&quantizer, &q, 1);
                prop_assert_eq!(bits.len(), thermometer::bits(&quantizer));
                let leaf = reached(&leaves.tests, &bits);
                prop_assert!(leaf.len() <= 1);
                prop_assert_eq!(leaf.first().copied().unwrap_or(leaves.base), tree.class(&q));
                let sum = reached(&signed.tests, &bits).iter().sum::<u32>();
                prop_assert_eq!((signed.base + sum) % classes, tree.class(&q));
                prop_assert_eq!(reached(&values, &bits), vec![one_hot.values(&q).to_vec()]);
            }
        }
    }

    #[test]
    fn leaves_that_do_not_differ_are_one_and_unreachable_ones_none() {
        let quantizer = quantizer(&[4, 4]);
        let split = |feature, threshold, low, high| ValueNode::Split { feature, threshold, low, high };
        let leaf = |value: i32| ValueNode::leaf(vec![value]);
        // q0 >= 2 and q0 < 1 contradict each other; below q0 < 2 all is 5.
        let nodes = vec![split(0, 2, 1, 2), split(1, 1, 3, 4), split(0, 1, 5, 6), leaf(5), leaf(5), leaf(9), leaf(7)];
        let tests = value_leaves(&ValueTree::new(nodes).unwrap(), &quantizer);
        let found: Vec<_> = tests.iter().map(|test| (test.value[0], test.features, test.terms.clone())).collect();
        assert_eq!(found, [(5, 1, vec![(1, 1)]), (7, 1, vec![(1, -1)])]);
        let constant = ValueTree::new(vec![split(1, 1, 1, 2), leaf(5), leaf(5)]).unwrap();
        assert_eq!(value_leaves(&constant, &quantizer)[0].features, 0);
    }

    #[test]
    fn an_exception_in_a_subtree_costs_two_boxes_and_not_its_leaves() {
        // Class 1 above a threshold of the first feature, but for one leaf at the end of a chain.
        let quantizer = quantizer(&[4, 4, 4, 4]);
        let split = |feature, low, high| ClassNode::Split { feature, threshold: 2, low, high };
        let leaf = |class: u32| ClassNode::leaf(class);
        let nodes = vec![
            split(0, 1, 2),
            leaf(0),
            split(1, 3, 4),
            leaf(1),
            split(2, 5, 6),
            leaf(1),
            split(3, 7, 8),
            leaf(0),
            leaf(1),
        ];
        let tree = IntegerTree::new(2, nodes).unwrap();
        tree.check(&quantizer, Output::Classes(2)).unwrap();
        let boxes = Boxes::signed(&tree, &quantizer);
        assert_eq!((boxes.base, boxes.tests.len()), (0, 2));
        assert_eq!(boxes.tests[0].features, 1);
        assert_eq!(boxes.tests[1].features, 4);
        assert_eq!(Boxes::leaves(&tree, &quantizer).tests.len(), 2);
    }
}
