//! What several tests share: random quantised models and rows.
#![allow(dead_code)]

use fhectl::fhe::{Random, Seed};
use fhectl::model::{FeatureQuantizer, IntegerLinear, IntegerTree, Node, Quantizer};

pub fn random(seed: u8) -> Random {
    Random::new(Seed([seed; 16]))
}

/// `features` features of `levels` levels each.
pub fn quantizer(features: usize, levels: u32) -> Quantizer {
    let feature = FeatureQuantizer::Edges { edges: (1..levels).map(f64::from).collect() };
    Quantizer { features: vec![feature; features] }
}

/// A full tree of this depth with random splits; every interval it cuts is non-empty where levels allow it.
pub fn tree(quantizer: &Quantizer, depth: usize, classes: u32, random: &mut Random) -> IntegerTree {
    let mut tree = IntegerTree { classes, nodes: Vec::new() };
    let intervals: Vec<(u32, u32)> = quantizer.features.iter().map(|f| (0, f.levels())).collect();
    grow(&mut tree, &intervals, depth, random);
    tree
}

fn grow(tree: &mut IntegerTree, intervals: &[(u32, u32)], depth: usize, random: &mut Random) -> u32 {
    let at = tree.nodes.len();
    tree.nodes.push(Node::Leaf { class: random.below(u64::from(tree.classes)) as u32 });
    let open: Vec<usize> = (0..intervals.len()).filter(|f| intervals[*f].1 - intervals[*f].0 > 1).collect();
    if depth == 0 || open.is_empty() {
        return at as u32;
    }
    let feature = open[random.below(open.len() as u64) as usize];
    let (from, to) = intervals[feature];
    let threshold = from + 1 + random.below(u64::from(to - from - 1)) as u32;
    let mut below = intervals.to_vec();
    below[feature].1 = threshold;
    let mut above = intervals.to_vec();
    above[feature].0 = threshold;
    let low = grow(tree, &below, depth - 1, random);
    let high = grow(tree, &above, depth - 1, random);
    tree.nodes[at] = Node::Split { feature: feature as u32, threshold, low, high };
    at as u32
}

pub fn linear(quantizer: &Quantizer, classes: usize, weight_bits: u32, random: &mut Random) -> IntegerLinear {
    let rows = if classes == 2 { 1 } else { classes };
    let top = (1i64 << (weight_bits - 1)) - 1;
    let mut weight = || (random.below(2 * top as u64 + 1) as i64 - top) as i32;
    let weights: Vec<Vec<i32>> = (0..rows).map(|_| quantizer.features.iter().map(|_| weight()).collect()).collect();
    let biases = weights.iter().map(|row| -row.iter().map(|w| i64::from(*w)).sum::<i64>()).collect();
    IntegerLinear { weights, biases, scale: 0.01 }
}

pub fn row(quantizer: &Quantizer, random: &mut Random) -> Vec<u32> {
    quantizer.features.iter().map(|f| random.below(u64::from(f.levels())) as u32).collect()
}
