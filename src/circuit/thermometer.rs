//! Thermometer bits, and a decision tree as tests on them.
//!
//! A feature of `L` levels becomes bits `u_j = (q >= j)` for `j = 1..L-1`, so that a comparison with any clear
//! threshold is reading one of them. A leaf is reached where none of its path's conditions is violated; conditions
//! on one feature merge into one interval `low <= q < high`, violated by at most one of two bits.

use crate::error::Result;
use crate::fhe::bad_parameters;
use crate::model::Quantizer;

/// The most thermometer bits a row may have: 4 Mi, some 20 MB a request.
const MAX_BITS: usize = 1 << 22;

/// The number of thermometer bits of a row.
pub fn bits(quantizer: &Quantizer) -> usize {
    quantizer.features.iter().map(|feature| feature.levels() as usize - 1).sum()
}

/// Checks that rows have the number of bits that `bodies` says, and that it can be handled.
pub(super) fn check(quantizer: &Quantizer, bodies: usize) -> Result<()> {
    let bits = bits(quantizer);
    if bits != bodies || bits > MAX_BITS {
        return Err(bad_parameters(format!("{bodies} input coefficients for {bits} thermometer bits")));
    }
    Ok(())
}

/// The thermometer of a quantised row, feature after feature, `step` for a one.
///
/// # Panics
/// Where the row does not come from this quantiser.
pub fn encode(quantizer: &Quantizer, quantized: &[u32], step: u64) -> Vec<u64> {
    assert_eq!(quantized.len(), quantizer.features.len());
    let mut out = Vec::with_capacity(bits(quantizer));
    for (q, feature) in quantized.iter().zip(&quantizer.features) {
        out.extend((1..feature.levels()).map(|level| if *q >= level { step } else { 0 }));
    }
    out
}

/// One leaf as a sum of thermometer bits: `violations = constant + sum_i sign_i * u_i`, zero exactly where the
/// leaf is reached and at most `features` everywhere.
#[cfg(feature = "evaluate")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafTest {
    pub class: u32,
    /// Distinct features on the path.
    pub features: u32,
    pub constant: i64,
    /// Bit index and sign, +1 or -1.
    pub terms: Vec<(usize, i64)>,
}

/// A tree as leaf tests: of all classes but the one with the most leaves, which is the answer when no test holds.
#[cfg(feature = "evaluate")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafTests {
    pub default_class: u32,
    pub tests: Vec<LeafTest>,
}

#[cfg(feature = "evaluate")]
impl LeafTests {
    /// Compiles a checked tree.
    pub fn of_tree(tree: &crate::model::IntegerTree, quantizer: &Quantizer) -> Self {
        let mut offsets = vec![0];
        for feature in &quantizer.features {
            offsets.push(offsets[offsets.len() - 1] + feature.levels() as usize - 1);
        }
        let mut tests = Vec::new();
        let everything: Vec<(u32, u32)> = quantizer.features.iter().map(|f| (0, f.levels())).collect();
        collect(tree, quantizer, &offsets, 0, everything, &mut tests);

        let mut leaves = vec![0usize; tree.classes as usize];
        for test in &tests {
            leaves[test.class as usize] += 1;
        }
        let most = leaves.iter().max().copied().unwrap_or(0);
        let default_class = leaves.iter().position(|count| *count == most).unwrap_or(0) as u32;
        tests.retain(|test| test.class != default_class);
        Self { default_class, tests }
    }

    /// The most distinct features that one leaf's path tests (at least 1).
    pub fn depth(&self) -> u32 {
        self.tests.iter().map(|test| test.features).max().unwrap_or(0).max(1)
    }

    /// The most bits that one test adds up.
    pub fn widest(&self) -> usize {
        self.tests.iter().map(|test| test.terms.len()).max().unwrap_or(0)
    }

    /// Whether more than one class has tests, so that an answer must carry which.
    pub fn needs_values(&self) -> bool {
        self.tests.windows(2).any(|pair| pair[0].class != pair[1].class)
    }
}

#[cfg(feature = "evaluate")]
fn collect(
    tree: &crate::model::IntegerTree,
    quantizer: &Quantizer,
    offsets: &[usize],
    at: usize,
    intervals: Vec<(u32, u32)>,
    tests: &mut Vec<LeafTest>,
) {
    use crate::model::Node;
    match tree.nodes[at] {
        Node::Split { feature, threshold, low, high } => {
            let feature = feature as usize;
            let (from, to) = intervals[feature];
            // A branch whose interval is empty can never be reached.
            if from < threshold {
                let mut below = intervals.clone();
                below[feature] = (from, to.min(threshold));
                collect(tree, quantizer, offsets, low as usize, below, tests);
            }
            if threshold < to {
                let mut above = intervals;
                above[feature] = (from.max(threshold), to);
                collect(tree, quantizer, offsets, high as usize, above, tests);
            }
        }
        Node::Leaf { class } => {
            let mut test = LeafTest { class, features: 0, constant: 0, terms: Vec::new() };
            for (feature, (from, to)) in intervals.iter().enumerate() {
                let levels = quantizer.features[feature].levels();
                if *from > 0 {
                    test.constant += 1;
                    test.terms.push((offsets[feature] + *from as usize - 1, -1));
                }
                if *to < levels {
                    test.terms.push((offsets[feature] + *to as usize - 1, 1));
                }
                test.features += u32::from(*from > 0 || *to < levels);
            }
            tests.push(test);
        }
    }
}

#[cfg(all(test, feature = "evaluate"))]
mod tests {
    use super::*;
    use crate::model::{FeatureQuantizer, IntegerTree, Node};
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
        fn node(seeds: &mut impl Iterator<Item = u32>, depth: u32, levels: &[u32], tree: &mut IntegerTree) -> u32 {
            let at = tree.nodes.len();
            let seed = seeds.next().unwrap_or(0);
            let feature = seed as usize % levels.len();
            if depth == 0 || seed % 7 == 0 || levels[feature] < 2 {
                tree.nodes.push(Node::Leaf { class: seed / 11 % tree.classes });
                return at as u32;
            }
            let threshold = 1 + seed / 5 % (levels[feature] - 1);
            tree.nodes.push(Node::Leaf { class: 0 });
            let low = node(seeds, depth - 1, levels, tree);
            let high = node(seeds, depth - 1, levels, tree);
            tree.nodes[at] = Node::Split { feature: feature as u32, threshold, low, high };
            at as u32
        }
        let mut tree = IntegerTree { classes, nodes: Vec::new() };
        node(&mut seeds.iter().copied(), 6, levels, &mut tree);
        tree
    }

    proptest! {
        /// The tests say in clear what the tree says, and count no more violations than features.
        #[test]
        fn leaf_tests_equal_the_tree(
            seeds in prop::collection::vec(1u32..1_000_000, 64),
            levels in prop::collection::vec(1u32..10, 1..6),
            classes in 2u32..5,
            rows in prop::collection::vec(prop::collection::vec(0u32..10, 6), 20),
        ) {
            let quantizer = quantizer(&levels);
            let tree = grow(&seeds, &levels, classes);
            tree.check(&quantizer, classes as usize).unwrap();
            let tests = LeafTests::of_tree(&tree, &quantizer);
            for row in rows {
                let q: Vec<u32> = row.iter().zip(&levels).map(|(q, levels)| q % levels).collect();
                let bits = encode(&quantizer, &q, 1);
                prop_assert_eq!(bits.len(), super::bits(&quantizer));
                let mut reached = Vec::new();
                for test in &tests.tests {
                    let violations = test.constant
                        + test.terms.iter().map(|(bit, sign)| sign * bits[*bit] as i64).sum::<i64>();
                    prop_assert!((0..=i64::from(test.features)).contains(&violations));
                    if violations == 0 {
                        reached.push(test.class);
                    }
                }
                prop_assert!(reached.len() <= 1);
                prop_assert_eq!(reached.first().copied().unwrap_or(tests.default_class), tree.class(&q));
            }
        }
    }
}
