//! The client's side of `PathCost` for sums of trees.

use super::PathCostSumParams;
use crate::circuit::{ClientKey, expect_len, residues, thermometer, torus, undecrypted};
use crate::error::Result;
use crate::fhe::{Entropy, PartialGlwe};
use crate::model::Quantizer;
use zeroize::Zeroizing;

/// Encrypts the row's thermometer bits once for each set of circles, with step `2^64` over the product of the set.
pub fn encode(
    params: &PathCostSumParams,
    quantizer: &Quantizer,
    key: &ClientKey,
    quantized: &[u32],
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    let mut messages = Zeroizing::new(vec![0; params.input.bodies]);
    let mut spread = messages.iter_mut().step_by(params.stride);
    for copy in &params.circles {
        let bits = thermometer::encode(quantizer, quantized, torus(1, copy.iter().product()));
        bits.iter().zip(&mut spread).for_each(|(bit, message)| *message = *bit);
    }
    params.input.encrypt(key.input(), &messages, entropy)
}

/// Adds up what stands at the leaves that were reached, as many as there are trees.
///
/// # Errors
/// `ciphertext_invalid` for another length, `answer_invalid` where the answer does not decrypt to one leaf a tree and
/// scores in the published range.
pub fn decode(params: &PathCostSumParams, key: &ClientKey, answer: &[u8]) -> Result<Vec<i64>> {
    expect_len(answer, params.response_bytes())?;
    let moduli = params.value_moduli();
    let circles = params.circles.concat();
    let mut sums = vec![0; params.columns()];
    let mut reached = 0;
    for slots in answer.chunks(params.columns() * params.ciphertext_bytes()) {
        let mut columns = Vec::with_capacity(params.columns());
        for (bytes, circle) in slots.chunks(params.ciphertext_bytes()).zip(circles.iter().cycle()) {
            let glwe = PartialGlwe::read(bytes, params.input.shape, params.stride, params.response_bits)?;
            let phases = key.answer().phases(&glwe).into_iter();
            columns.push(phases.map(|phase| phase.nearest(*circle)).collect::<Vec<_>>());
        }
        let is_reached = |slot: &usize| columns[0][*slot].is_multiple_of(params.count_modulus);
        for slot in (0..params.stride).filter(is_reached) {
            reached += 1;
            for ((residue, column), modulus) in sums.iter_mut().zip(&columns).zip(moduli.iter().cycle()) {
                *residue = (*residue + column[slot]) % modulus;
            }
        }
    }
    if reached != params.trees {
        return Err(undecrypted());
    }
    let mut scores = Vec::with_capacity(params.scores);
    for own in sums.chunks(moduli.len()) {
        let mut sum = residues::combine(own, &moduli);
        for _ in 0..params.together.min(params.scores - scores.len()) {
            scores.push(params.low + (sum % params.width) as i64);
            sum /= params.width;
        }
        if sum != 0 {
            return Err(undecrypted());
        }
    }
    Ok(scores)
}
