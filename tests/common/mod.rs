//! What several tests share: random quantised models and rows.
#![allow(dead_code)]

use fhectl::circuit::{CircuitSpec, ClientKey};
use fhectl::fhe::{GlweSecret, GlweShape, Lwe, PartialGlwe, Random, Seed, wire};
use fhectl::model::{
    Activation, FeatureQuantizer, IntegerForest, IntegerLinear, IntegerNetwork, IntegerTree, LinearMap, MapShape,
    NetworkLayer, Node, Quantizer, ValueNode, ValueTree,
};

/// A secret key laid open bit by bit, for measuring noise: the library itself decrypts to rounded scores only.
pub struct Opened {
    shape: GlweShape,
    /// One bit a word.
    pub bits: Vec<u64>,
}

impl Opened {
    pub fn of(secret: &GlweSecret) -> Self {
        let mut bytes = Vec::new();
        secret.write(&mut bytes);
        Self::read(secret.shape(), &bytes)
    }

    /// All keys of a client, in the order of [`CircuitSpec::keys`].
    pub fn all(spec: &CircuitSpec, key: &ClientKey) -> Vec<Self> {
        let mut bytes = Vec::new();
        key.write(&mut bytes);
        let mut rest = bytes.as_slice();
        let keys = spec.keys().into_iter().map(|key| {
            let (own, after) = rest.split_at(GlweSecret::stored_len(key.shape));
            rest = after;
            Self::read(key.shape, own)
        });
        keys.collect()
    }

    /// The key that answers come back under.
    pub fn answer(spec: &CircuitSpec, key: &ClientKey) -> Self {
        Self::all(spec, key).pop().unwrap()
    }

    fn read(shape: GlweShape, bytes: &[u8]) -> Self {
        let bits = wire::unpack(bytes, shape.lwe_dimension(), 1).unwrap();
        Self { shape, bits: bits.into_iter().map(|bit| bit >> 63).collect() }
    }

    /// `body - <mask, key>`.
    pub fn phase(&self, lwe: &Lwe) -> u64 {
        let product = lwe.mask.iter().zip(&self.bits).fold(0u64, |sum, (a, s)| sum.wrapping_add(a.wrapping_mul(*s)));
        lwe.body.wrapping_sub(product)
    }

    /// The same of every coefficient that a partial ciphertext holds.
    pub fn phases(&self, glwe: &PartialGlwe) -> Vec<u64> {
        let size = self.shape.size;
        let coefficient = |at: usize| {
            let polynomials = glwe.mask.chunks(size).zip(self.bits.chunks(size));
            polynomials.fold(0u64, |sum, (mask, key)| {
                let terms = key.iter().enumerate().filter(|(_, bit)| **bit == 1);
                terms.fold(sum, |sum, (i, _)| match at >= i {
                    true => sum.wrapping_add(mask[at - i]),
                    false => sum.wrapping_sub(mask[size + at - i]),
                })
            })
        };
        glwe.bodies.iter().enumerate().map(|(at, body)| body.wrapping_sub(coefficient(at))).collect()
    }
}

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

/// So many full trees of random values up to `largest`, with `scores` scores.
pub fn forest(
    quantizer: &Quantizer,
    [trees, depth, scores]: [usize; 3],
    largest: i32,
    random: &mut Random,
) -> IntegerForest {
    let value = |random: &mut Random| random.below(2 * largest as u64 + 1) as i32 - largest;
    let trees = (0..trees).map(|_| {
        let nodes = tree(quantizer, depth, 2, random).nodes.into_iter().map(|node| match node {
            Node::Split { feature, threshold, low, high } => ValueNode::Split { feature, threshold, low, high },
            Node::Leaf { .. } => ValueNode::Leaf { values: (0..scores).map(|_| value(random)).collect() },
        });
        ValueTree { nodes: nodes.collect() }
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
/// whose circles hold them with a third to spare.
pub fn network(quantizer: &Quantizer, shapes: &[MapShape], outputs: &[i32], random: &mut Random) -> IntegerNetwork {
    let rows: Vec<Vec<u32>> = (0..300).map(|_| row(quantizer, random)).collect();
    let mut network = IntegerNetwork { layers: Vec::new() };
    for (index, shape) in shapes.iter().enumerate() {
        let weights = (0..shape.taps() * shape.channels()).map(|_| random.below(3) as i32 - 1).collect();
        let map = LinearMap { shape: shape.clone(), weights, biases: vec![7; shape.channels()] };
        network.layers.push(NetworkLayer { map, circle: 1 << 30, noise: 0.008, activation: None });
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
        layer.circle = 2 * (reach.max().unwrap() as u64 * 4 / 3 + 2);
        layer.activation = activation;
    }
    network
}

pub fn dense(inputs: usize, outputs: usize) -> MapShape {
    MapShape::Dense { inputs, outputs }
}
