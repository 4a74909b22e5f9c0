//! Where boxes stand on the torus.

use super::params::LeafSumParams;
use crate::circuit::boxes::BoxTest;
use crate::circuit::torus::torus;

/// Half of what a box adds to the answer: `value / (2 * classes)` of the torus.
pub fn height(params: &LeafSumParams, test: &BoxTest) -> u64 {
    torus(u64::from(test.value), 2 * params.classes as u64)
}

/// What a test adds to its bits: half a step less than its constant, scaled.
pub fn constant(params: &LeafSumParams, test: &BoxTest) -> u64 {
    let half_step = torus(1, 2 * params.plaintext_modulus);
    half_step.wrapping_mul((params.scale(test.features) * (2 * test.constant - 1)) as u64)
}
