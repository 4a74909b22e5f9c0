//! The server's side of `Linear`.

use super::LinearParams;
use crate::error::Result;
use crate::fhe::rerandomize::Rerandomizer;
use crate::fhe::{Lwe, Random};
use crate::model::IntegerLinear;
use rayon::prelude::*;

/// Computes every score of one encrypted row: `bias + sum_f w_f * q_f`, re-randomised and cut.
///
/// `features * k * N` multiply-adds and one re-randomisation a score.
///
/// # Errors
/// `ciphertext_invalid` where the request does not have the circuit's layout.
pub fn evaluate(
    params: &LinearParams,
    model: &IntegerLinear,
    key: Option<&Rerandomizer>,
    request: &[u8],
    random: &mut Random,
) -> Result<Vec<u8>> {
    let input = params.input().expand(request)?;
    let streams: Vec<Random> = model.weights.iter().map(|_| random.fork()).collect();
    let scores: Vec<Lwe> = model
        .weights
        .par_iter()
        .zip(&model.biases)
        .zip(streams)
        .map(|((weights, bias), mut random)| {
            let mut score = Lwe::zero(params.shape.lwe_dimension());
            score.body = (*bias as u64) << params.step_log2;
            for (feature, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0) {
                input.add_coefficient(feature, i64::from(*weight), &mut score);
            }
            if let (Some(key), Some(noise_flooding)) = (key, params.noise_flooding) {
                key.apply(&mut score, noise_flooding, &mut random);
            }
            score
        })
        .collect();
    let mut answer = Vec::with_capacity(params.response_bytes());
    for score in scores {
        score.write(params.response_bits, &mut answer);
    }
    Ok(answer)
}
