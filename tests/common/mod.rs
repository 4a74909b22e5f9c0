//! What several tests share: random quantized models and rows.
#![allow(dead_code)]

pub mod chance;
pub mod opened;
pub mod recovery;
pub mod schema;

use fhectl_core::fhe::{Random, Seed};
use fhectl_core::model::{
    Activation, Branch, ClassLeaf, FeatureQuantizer, IntegerForest, IntegerLinear, IntegerNetwork, IntegerTree,
    LinearMap, MapShape, NetworkLayer, Quantizer, ValueLeaf,
};

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
    let intervals: Vec<(u32, u32)> = quantizer.features.iter().map(|f| (0, f.levels())).collect();
    IntegerTree { classes, tree: grow(&intervals, depth, classes, random).depth_first() }
}

fn grow(intervals: &[(u32, u32)], depth: usize, classes: u32, random: &mut Random) -> Branch<u32, ClassLeaf> {
    let class = random.below(u64::from(classes)) as u32;
    let open: Vec<usize> = (0..intervals.len()).filter(|f| intervals[*f].1 - intervals[*f].0 > 1).collect();
    if depth == 0 || open.is_empty() {
        return Branch::Leaf(ClassLeaf { class });
    }
    let feature = open[random.below(open.len() as u64) as usize];
    let (from, to) = intervals[feature];
    let threshold = from + 1 + random.below(u64::from(to - from - 1)) as u32;
    let mut below = intervals.to_vec();
    below[feature].1 = threshold;
    let mut above = intervals.to_vec();
    above[feature].0 = threshold;
    let low = grow(&below, depth - 1, classes, random);
    Branch::split(feature as u32, threshold, low, grow(&above, depth - 1, classes, random))
}

/// So many full trees of random values up to `largest`, with `scores` scores.
pub fn forest(
    quantizer: &Quantizer,
    [trees, depth, scores]: [usize; 3],
    largest: i32,
    random: &mut Random,
) -> IntegerForest {
    let value = |random: &mut Random| random.below(2 * largest as u64 + 1) as i32 - largest;
    let trees = (0..trees).map(|_| {
        let tree = tree(quantizer, depth, 2, random).tree;
        tree.map_leaves(|_| ValueLeaf { values: (0..scores).map(|_| value(random)).collect() })
    });
    let trees = trees.collect();
    IntegerForest { biases: (0..scores).map(|_| i64::from(value(random))).collect(), trees }
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

/// A network of random weights in `-1..=1` whose staircases are spread over what its sums reach on random rows and
/// whose moduli hold them with a third to spare.
pub fn network(quantizer: &Quantizer, shapes: &[MapShape], outputs: &[i32], random: &mut Random) -> IntegerNetwork {
    let rows: Vec<Vec<u32>> = (0..300).map(|_| row(quantizer, random)).collect();
    let mut network = IntegerNetwork { layers: Vec::new() };
    for (index, shape) in shapes.iter().enumerate() {
        let weights = (0..shape.taps() * shape.channels()).map(|_| random.below(3) as i32 - 1).collect();
        let map = LinearMap { shape: shape.clone(), weights, biases: vec![7; shape.channels()] };
        network.layers.push(NetworkLayer { map, plaintext_modulus: 1 << 30, noise: 0.008, activation: None });
        let sums: Vec<Vec<i64>> = rows.iter().map(|row| network.scores(row)).collect();
        let channel = |c: usize| {
            let mut of: Vec<i64> =
                sums.iter().flat_map(|sums| sums[c..].iter().step_by(shape.channels())).copied().collect();
            of.sort_unstable();
            of
        };
        let thresholds: Vec<Vec<i64>> = (0..shape.channels())
            .map(|c| {
                let of = channel(c);
                (1..outputs.len()).map(|step| of[of.len() / 4 + step * of.len() / (2 * outputs.len())]).collect()
            })
            .collect();
        let activation = (index + 1 < shapes.len()).then(|| Activation { outputs: outputs.to_vec(), thresholds });
        let reach = (0..shape.channels()).map(|c| {
            let of = channel(c);
            let ends = activation.as_ref().map_or((0, 0), |a| (a.of(c)[0], a.of(c)[outputs.len() - 2]));
            (of[of.len() - 1] - ends.0).max(ends.1 - of[0])
        });
        let layer = network.layers.last_mut().unwrap();
        layer.plaintext_modulus = 2 * (reach.max().unwrap() as u64 * 4 / 3 + 2);
        layer.activation = activation;
    }
    network
}

pub fn dense(inputs: usize, outputs: usize) -> MapShape {
    MapShape::Dense { inputs, outputs }
}
