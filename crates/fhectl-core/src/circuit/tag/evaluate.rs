//! The server's side of tags: every part of the key is used once on the way, as for rows.

use super::layout::TagLayout;
use crate::circuit::evaluation_key::EvaluationKey;
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::{Lwe, Random};
use rayon::prelude::*;

/// Answers a tag with all parts of a key.
///
/// # Errors
/// `ciphertext_invalid` where the request does not have the layout.
pub fn answer(layout: &TagLayout, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
    if key.parts().is_empty() { add_zeros(layout, key, request, random) } else { look_up(layout, key, request, random) }
}

/// Where the public key is all there is: a fresh encryption of zeros and flooding are added, words cut.
fn add_zeros(layout: &TagLayout, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
    let mut glwe = layout.request.expand_one(request)?;
    let zeros = key.rerandomizer();
    let zeros = zeros.ok_or_else(|| Error::new(ErrorCode::KeyMissing, "a tag for a circuit without a key"))?;
    zeros.apply_partial(&mut glwe, layout.flooding(), random);
    let mut answer = Vec::with_capacity(layout.response_bytes());
    glwe.write(layout.output, layout.response_bits, &mut answer);
    Ok(answer)
}

/// Each symbol goes through all bootstraps with the table of points, then is re-randomized and flooded, where the
/// circuit's answers are, and cut.
fn look_up(layout: &TagLayout, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
    let inputs = layout.request.expand(request)?.to_list();
    let symbols = key.look_up_through_all(inputs, &table(layout), random);
    let tasks: Vec<(Lwe, Random)> = (0..symbols.len()).map(|index| (symbols.lwe(index), random.fork())).collect();
    let answers = tasks.into_par_iter().map(|(mut symbol, mut random)| {
        if let Some(zeros) = key.rerandomizer() {
            zeros.apply(&mut symbol, layout.flooding(), &mut random);
        }
        let mut bytes = Vec::with_capacity(layout.symbol_bytes());
        symbol.write(layout.response_bits, &mut bytes);
        bytes
    });
    Ok(answers.collect::<Vec<_>>().concat())
}

/// The points of the lower half of the torus, each for the phases that are nearest to it; a bootstrap negates them for
/// the upper half.
fn table(layout: &TagLayout) -> Vec<u64> {
    let half = 1 << (layout.symbol_bits - 1);
    (0..layout.output.size).map(|entry| layout.point((entry * half / layout.output.size) as u64)).collect()
}
