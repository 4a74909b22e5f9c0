//! A forest made ready for CMUXes: equal subtrees once, splits by height, and the order that shares most.

use crate::circuit::input_bits::widths;
use crate::circuit::torus::torus;
use crate::model::{Fold, IntegerForest, Quantizer, ValueTree};
use std::collections::HashMap;

/// The most splits whose results are held at once: trees beyond it are walked after the others. Some 30 MB.
const MAX_SPLITS: usize = 2048;

/// What a split chooses between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Child {
    /// An index into [`Block::leaves`].
    Leaf(usize),
    /// An index into [`Block::splits`].
    Split(usize),
}

/// `high` where `q >= threshold`, else `low`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Split {
    pub feature: usize,
    pub threshold: u32,
    pub low: Child,
    pub high: Child,
}

impl Split {
    /// CMUXes on a feature of so many bits: none for the threshold's trailing zeros.
    pub fn cmuxes(&self, width: u32) -> usize {
        (width - self.threshold.trailing_zeros()) as usize
    }
}

/// Trees that are walked together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The first coefficients of leaves' polynomials, torus words.
    pub leaves: Vec<Vec<u64>>,
    /// Children before parents; within a height by feature, then by the first bit that is compared.
    pub splits: Vec<Split>,
    /// Ends of the heights in `splits`, ascending.
    pub heights: Vec<usize>,
    /// The roots of trees, which add up.
    pub roots: Vec<Child>,
}

/// A forest for [`super::evaluate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkProgram {
    pub blocks: Vec<Block>,
    /// What is added to the sum of trees.
    pub constant: Vec<u64>,
    /// For each feature its first bit and its number of bits.
    pub features: Vec<(usize, u32)>,
}

/// What a program costs in noise and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Walk {
    pub cmuxes: usize,
    /// The sum over trees of the most bits that a path compares.
    pub path_bits: usize,
    /// Trees that have a split.
    pub trees: usize,
    /// The most trees that one split's result goes into.
    pub shared: usize,
    /// Passes over a GGSW ciphertext: groups of splits that share them.
    pub passes: usize,
    /// Bits that are compared with anything at all.
    pub bits: usize,
}

impl WalkProgram {
    /// Compiles a forest whose scores, less `low`, are taken modulo `moduli`.
    pub fn new(forest: &IntegerForest, quantizer: &Quantizer, low: i64, moduli: &[u64]) -> Self {
        let words = |values: &mut dyn Iterator<Item = i64>| -> Vec<u64> {
            let residues = values.flat_map(|value| moduli.iter().map(move |m| (value, *m)));
            residues.map(|(value, m)| torus(value.rem_euclid(m as i64) as u64, m)).collect()
        };
        let mut blocks = Vec::new();
        let mut builder = Builder::default();
        for tree in &forest.trees {
            let splits = tree.splits().count();
            if !builder.splits.is_empty() && builder.splits.len() + splits > MAX_SPLITS {
                blocks.push(std::mem::take(&mut builder).finish(quantizer, &words));
            }
            let root = builder.add(tree);
            builder.roots.push(root);
        }
        blocks.push(builder.finish(quantizer, &words));
        let mut first = 0;
        let features = widths(quantizer).into_iter().map(|width| {
            let feature = (first, width);
            first += width as usize;
            feature
        });
        Self { blocks, constant: words(&mut forest.biases.iter().map(|bias| bias - low)), features: features.collect() }
    }

    /// Splits between two leaves.
    pub fn starts(&self) -> usize {
        self.blocks.iter().map(Block::starts).sum()
    }

    /// Which bits any split compares, in order.
    pub fn used_bits(&self) -> Vec<usize> {
        let mut used: Vec<usize> = (self.blocks.iter().flat_map(|block| &block.splits))
            .flat_map(|split| {
                let (first, width) = self.features[split.feature];
                first + split.threshold.trailing_zeros() as usize..first + width as usize
            })
            .collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    /// Counts work and noise.
    pub fn walk(&self) -> Walk {
        let mut walk = Walk { shared: 1, bits: self.used_bits().len(), ..Walk::default() };
        for block in &self.blocks {
            let mut longest: Vec<usize> = Vec::with_capacity(block.splits.len());
            let mut trees = vec![0usize; block.splits.len()];
            for root in &block.roots {
                // Each tree counts once, however often it holds the split.
                let mut seen = vec![false; block.splits.len()];
                let mut open = vec![*root];
                while let Some(child) = open.pop() {
                    if let Child::Split(at) = child
                        && !std::mem::replace(&mut seen[at], true)
                    {
                        trees[at] += 1;
                        open.extend([block.splits[at].low, block.splits[at].high]);
                    }
                }
            }
            for split in &block.splits {
                let cmuxes = split.cmuxes(self.features[split.feature].1);
                let below = |child: Child| match child {
                    Child::Leaf(_) => 0,
                    Child::Split(at) => longest[at],
                };
                longest.push(cmuxes + below(split.low).max(below(split.high)));
                walk.cmuxes += cmuxes;
            }
            for root in &block.roots {
                if let Child::Split(at) = root {
                    walk.path_bits += longest[*at];
                    walk.trees += 1;
                }
            }
            walk.shared = walk.shared.max(trees.into_iter().max().unwrap_or(0));
            for group in block.groups() {
                let first = block.splits[group.clone()].iter().map(|s| s.cmuxes(self.features[s.feature].1)).max();
                walk.passes += first.unwrap_or(0);
            }
        }
        walk
    }
}

impl Block {
    /// Splits between two leaves: they come first.
    pub fn starts(&self) -> usize {
        self.heights.first().copied().unwrap_or(0)
    }

    /// Ranges of splits of one height and feature, at most as many as share a pass over a GGSW.
    pub fn groups(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let mut start = 0;
        let mut heights = self.heights.iter().copied();
        let mut end = heights.next().unwrap_or(0);
        std::iter::from_fn(move || {
            while start == end {
                end = heights.next()?;
            }
            let same = |split: &&Split| split.feature == self.splits[start].feature;
            let most = (start + crate::fhe::external_product::MAX_ACCUMULATORS).min(end);
            let range = start..start + self.splits[start..most].iter().take_while(same).count();
            start = range.end;
            Some(range)
        })
    }
}

/// Collects trees, equal subtrees once.
#[derive(Default)]
struct Builder {
    leaves: Vec<Vec<i32>>,
    leaf_at: HashMap<Vec<i32>, usize>,
    splits: Vec<(Split, usize)>,
    split_at: HashMap<Split, usize>,
    roots: Vec<Child>,
}

impl Builder {
    fn add(&mut self, tree: &ValueTree) -> Child {
        tree.fold(|step| match step {
            Fold::Leaf(leaf) => self.leaf(&leaf.values),
            Fold::Split { feature, threshold, low, high } => {
                self.split(Split { feature: feature as usize, threshold: *threshold, low, high })
            }
        })
    }

    fn leaf(&mut self, values: &[i32]) -> Child {
        let next = self.leaves.len();
        let at = *self.leaf_at.entry(values.to_vec()).or_insert(next);
        if at == next {
            self.leaves.push(values.to_vec());
        }
        Child::Leaf(at)
    }

    fn split(&mut self, split: Split) -> Child {
        if split.low == split.high {
            return split.low;
        }
        let next = self.splits.len();
        let at = *self.split_at.entry(split).or_insert(next);
        if at == next {
            let height = |child: Child| if let Child::Split(at) = child { self.splits[at].1 } else { 0 };
            let height = 1 + height(split.low).max(height(split.high));
            self.splits.push((split, height));
        }
        Child::Split(at)
    }

    fn finish(self, quantizer: &Quantizer, words: &dyn Fn(&mut dyn Iterator<Item = i64>) -> Vec<u64>) -> Block {
        debug_assert!(
            self.splits.iter().all(|(split, _)| split.threshold < quantizer.features[split.feature].levels())
        );
        let mut order: Vec<usize> = (0..self.splits.len()).collect();
        order.sort_by_key(|at| {
            let (split, height) = &self.splits[*at];
            (*height, split.feature, split.threshold.trailing_zeros(), *at)
        });
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(to, from)| place[*from] = to);
        let moved = |child: Child| match child {
            Child::Split(at) => Child::Split(place[at]),
            leaf => leaf,
        };
        let splits = order.iter().map(|at| {
            let split = self.splits[*at].0;
            Split { low: moved(split.low), high: moved(split.high), ..split }
        });
        let heights: Vec<usize> = order.iter().map(|at| self.splits[*at].1).collect();
        let ends = (1..=heights.len()).filter(|end| *end == heights.len() || heights[*end] != heights[end - 1]);
        Block {
            leaves: self.leaves.iter().map(|values| words(&mut values.iter().map(|v| i64::from(*v)))).collect(),
            splits: splits.collect(),
            heights: ends.collect(),
            roots: self.roots.into_iter().map(moved).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FeatureQuantizer, ValueNode};

    #[test]
    fn equal_subtrees_are_walked_once() {
        let feature = FeatureQuantizer::Affine { low: 0.0, step: 1.0, levels: 16 };
        let quantizer = Quantizer { features: vec![feature; 3] };
        let leaf = |value: i32| ValueNode::leaf(vec![value]);
        let split = |feature, threshold, low, high| ValueNode::Split { feature, threshold, low, high };
        // The right subtree of the first tree is the second; a split between equal leaves is none.
        let first = vec![split(0, 8, 1, 2), leaf(5), split(1, 3, 3, 4), leaf(7), split(2, 5, 5, 6), leaf(-1), leaf(-1)];
        let second = vec![split(1, 3, 1, 2), leaf(7), leaf(-1)];
        let [first, second] = [first, second].map(|nodes| ValueTree::new(nodes).unwrap());
        let forest = IntegerForest { biases: vec![100], trees: vec![first, second] };
        let program = WalkProgram::new(&forest, &quantizer, -1, &[3, 5]);
        let block = &program.blocks[0];
        assert_eq!((block.splits.len(), block.leaves.len()), (2, 3));
        assert_eq!(block.heights, [1, 2]);
        // Between leaves are those of the first height and no others.
        let between_leaves = |split: &Split| matches!((split.low, split.high), (Child::Leaf(_), Child::Leaf(_)));
        assert_eq!(block.splits.iter().map(between_leaves).collect::<Vec<_>>(), [true, false]);
        assert_eq!(program.starts(), 1);
        assert_eq!(block.roots, [Child::Split(1), Child::Split(0)]);
        // q >= 8 compares one bit of four, q >= 3 all four.
        let walk = program.walk();
        assert_eq!((walk.cmuxes, walk.path_bits, walk.shared, walk.bits), (5, 9, 2, 5));
        assert_eq!(walk.trees, 2);
        assert_eq!(program.constant, [torus(101 % 3, 3), torus(101 % 5, 5)]);
    }
}
