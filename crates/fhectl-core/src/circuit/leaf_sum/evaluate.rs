//! The server's side of `LeafSum`.

use super::LeafSumParams;
use crate::circuit::boxes::{BoxTest, Boxes};
use crate::circuit::torus;
use crate::error::Result;
use crate::fhe::pbs::BootstrapKey;
use crate::fhe::rerandomize::Rerandomizer;
use crate::fhe::zeros::Zeros;
use crate::fhe::{GlweList, Lwe, Random};

/// Answers one encrypted row with its class: a bootstrap a box, a sum, re-randomised and cut.
///
/// # Errors
/// `ciphertext_invalid` where the request does not have the circuit's layout.
pub fn evaluate(
    params: &LeafSumParams,
    tests: &Boxes,
    bootstrap: &BootstrapKey,
    key: Option<&Rerandomizer>,
    request: &[u8],
    random: &mut Random,
) -> Result<Vec<u8>> {
    let input = params.input.expand(request)?;
    let inputs: Vec<Lwe> = tests.tests.iter().map(|test| bootstrap_input(params, test, &input)).collect();

    // Not reached: phase positive, sign +1, -height. Reached: +height. Adding every height leaves twice the heights
    // of the boxes that are reached.
    let heights: Vec<u64> = tests.tests.iter().map(|test| height(params, test)).collect();
    let negated: Vec<u64> = heights.iter().map(|height| height.wrapping_neg()).collect();
    let zeros = key.map(|key| Zeros::new(key, random));
    let mut answer = bootstrap.sum_of_signs(&inputs, &negated, zeros.as_ref());
    for height in heights {
        answer.body = answer.body.wrapping_add(height);
    }
    if let (Some(key), Some(noise_flooding)) = (key, params.noise_flooding) {
        key.apply(&mut answer, noise_flooding, random);
    }
    let mut bytes = Vec::with_capacity(params.response_bytes());
    answer.write(params.response_bits, &mut bytes);
    Ok(bytes)
}

/// Half of what a box adds to the answer: `value / (2 * classes)` of the torus.
fn height(params: &LeafSumParams, test: &BoxTest) -> u64 {
    torus(u64::from(test.value), 2 * params.classes as u64)
}

/// A box's test as a point on the circle: `scale * (violations - 1/2)` steps, in the lower half for none and in
/// the upper half for one to `d`. A box of fewer features is scaled up to use the same circle.
pub fn bootstrap_input(params: &LeafSumParams, test: &BoxTest, input: &GlweList) -> Lwe {
    let scale = scale(params, test);
    let half_step = torus(1, 2 * params.circle);
    let mut sum = Lwe::zero(params.bootstrap.lwe_dimension);
    sum.body = half_step.wrapping_mul((scale * (2 * test.constant - 1)) as u64);
    for (bit, sign) in &test.terms {
        input.add_coefficient(*bit, sign * scale, &mut sum);
    }
    sum
}

/// By how much a box's count is stretched.
pub(super) fn scale(params: &LeafSumParams, test: &BoxTest) -> i64 {
    (params.circle / 2) as i64 / i64::from(test.features.max(1))
}
