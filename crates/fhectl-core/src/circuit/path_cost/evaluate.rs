//! The server's side of `PathCost`.

use super::PathCostParams;
use crate::circuit::boxes::{BoxTest, Boxes};
use crate::circuit::torus;
use crate::error::Result;
use crate::fhe::rerandomize::Rerandomizer;
use crate::fhe::{GlweList, Lwe, Random};
use rayon::prelude::*;

/// Answers one encrypted row: every leaf's masked count (and class), in random order, padded, re-randomised, cut.
///
/// `terms * k * N` multiply-adds and one re-randomisation a ciphertext, leaves in parallel.
///
/// # Errors
/// `ciphertext_invalid` where the request does not have the circuit's layout.
pub fn evaluate(
    params: &PathCostParams,
    tests: &Boxes,
    key: Option<&Rerandomizer>,
    request: &[u8],
    random: &mut Random,
) -> Result<Vec<u8>> {
    let input = params.input.expand(request)?;
    let mut slots: Vec<Option<&BoxTest>> = tests.tests.iter().map(Some).collect();
    slots.resize(params.leaves, None);
    random.shuffle(&mut slots);
    let streams: Vec<Random> = slots.iter().map(|_| random.fork()).collect();

    let answers: Vec<Vec<u8>> = slots
        .into_par_iter()
        .zip(streams)
        .map(|(slot, mut random)| {
            let mut bytes = Vec::new();
            for mut lwe in leaf(params, slot, &input, &mut random) {
                if let (Some(key), Some(noise_flooding)) = (key, params.noise_flooding) {
                    key.apply(&mut lwe, noise_flooding, &mut random);
                }
                lwe.write(params.response_bits, &mut bytes);
            }
            bytes
        })
        .collect();
    Ok(answers.concat())
}

/// The ciphertexts of one leaf, `r * violations` and with values `class + r' * violations`; of padding, random
/// residues with a first that is not zero, as every leaf that is not reached has.
fn leaf(params: &PathCostParams, test: Option<&BoxTest>, input: &GlweList, random: &mut Random) -> Vec<Lwe> {
    let factor = 1 + random.below(params.modulus - 1);
    let value_factor = random.below(params.modulus);
    let Some(test) = test else {
        let messages = [factor, value_factor];
        return messages[..if params.values { 2 } else { 1 }].iter().map(|m| trivial(params, *m)).collect();
    };
    let mut out = vec![violations(params, test, factor, input)];
    if params.values {
        let mut value = violations(params, test, value_factor, input);
        value.body = value.body.wrapping_add(torus(u64::from(test.value), params.modulus));
        out.push(value);
    }
    out
}

fn trivial(params: &PathCostParams, message: u64) -> Lwe {
    let mut lwe = Lwe::zero(params.input.shape.lwe_dimension());
    lwe.body = torus(message, params.modulus);
    lwe
}

/// `factor * violations`, with the factor taken centred so that noise grows by at most `p / 2`.
fn violations(params: &PathCostParams, test: &BoxTest, factor: u64, input: &GlweList) -> Lwe {
    let modulus = params.modulus as i64;
    let centred = if factor as i64 > modulus / 2 { factor as i64 - modulus } else { factor as i64 };
    let mut sum = trivial(params, (centred * test.constant).rem_euclid(modulus) as u64);
    for (bit, sign) in &test.terms {
        input.add_coefficient(*bit, sign * centred, &mut sum);
    }
    sum
}
