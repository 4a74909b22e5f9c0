//! The client's side of `Table`.

use super::{TableParams, widths};
use crate::circuit::{ClientKey, expect_len};
use crate::error::Result;
use crate::fhe::{Entropy, Lwe, ggsw};
use crate::model::Quantizer;

/// Encrypts the row's bits.
pub fn encode(
    params: &TableParams,
    quantizer: &Quantizer,
    key: &ClientKey,
    quantized: &[u32],
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    ggsw::encrypt(&params.bits, &bits_of(quantizer, quantized), key.answer(), entropy)
}

/// The bits of a quantised row, feature after feature, the lowest first.
pub fn bits_of(quantizer: &Quantizer, quantized: &[u32]) -> Vec<u64> {
    let features = quantized.iter().zip(widths(quantizer));
    features.flat_map(|(q, width)| (0..width).map(move |bit| u64::from(q >> bit & 1))).collect()
}

/// Decrypts the scores.
pub fn decode(params: &TableParams, key: &ClientKey, answer: &[u8]) -> Result<Vec<i64>> {
    expect_len(answer, params.response_bytes())?;
    let mut scores = Vec::with_capacity(params.scores);
    for bytes in answer.chunks(params.answer_bytes()) {
        let lwe = Lwe::read(bytes, params.bits.shape.lwe_dimension(), params.response_bits)?;
        let message = key.answer().phase(&lwe).nearest(1 << params.message_bits());
        let left = params.scores - scores.len();
        scores.extend((0..params.together.min(left)).map(|place| {
            let digit = message >> (place as u32 * params.score_bits) & ((1 << params.score_bits) - 1);
            params.low + digit as i64
        }));
    }
    Ok(scores)
}
