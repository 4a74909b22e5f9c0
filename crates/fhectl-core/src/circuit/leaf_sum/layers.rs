//! `LeafSum` as layers: the tests of boxes, then the sum of their signs.

use super::params::LeafSumParams;
use super::points::{constant, height};
use crate::circuit::boxes::Boxes;
use crate::circuit::layered::LayeredCircuit;
use crate::fhe::layer::{Layer, LookUp};
use crate::fhe::list::Term;

/// What [`super::evaluate::evaluate`] computes, with sums in words of 32 bits.
pub fn layered(params: &LeafSumParams, boxes: &Boxes) -> LayeredCircuit {
    let heights: Vec<u64> = boxes.tests.iter().map(|test| height(params, test)).collect();
    let tests = Layer {
        sums: boxes
            .tests
            .iter()
            .map(|test| {
                let scale = params.scale(test.features);
                let term = |(bit, sign): &(usize, i64)| Term { input: *bit as u32, weight: (sign * scale) as i32 };
                test.terms.iter().map(term).collect()
            })
            .collect(),
        constants: boxes.tests.iter().map(|test| constant(params, test)).collect(),
        // Signs are those of phases: a constant table, negated for the upper half of the torus.
        look_up: Some(LookUp {
            tables: heights.iter().map(|height| vec![height.wrapping_neg(); params.bootstrap.output.size]).collect(),
            keyswitch: None,
            bootstrap: 0,
        }),
    };
    let sum = Layer {
        sums: vec![(0..boxes.tests.len()).map(|input| Term { input: input as u32, weight: 1 }).collect()],
        constants: vec![heights.iter().fold(0, |sum: u64, height| sum.wrapping_add(*height))],
        look_up: None,
    };
    LayeredCircuit {
        layers: [tests, sum].into(),
        input: params.input,
        response_bits: params.response_bits,
        noise_flooding: params.noise_flooding,
    }
}
