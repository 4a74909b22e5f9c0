//! The client's side of `Table`.

use super::{TableParams, widths};
use crate::circuit::{ClientKey, expect_len};
use crate::error::Result;
use crate::fhe::{Entropy, Lwe, ggsw};
use crate::model::Quantizer;
use zeroize::Zeroizing;

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

/// The bits of a quantised row, feature after feature, the lowest first. They are the row, so they are wiped when dropped.
pub fn bits_of(quantizer: &Quantizer, quantized: &[u32]) -> Zeroizing<Vec<u64>> {
    let widths = widths(quantizer);
    // At its full length from the start: growing would leave copies of the row behind.
    let mut bits = Zeroizing::new(Vec::with_capacity(widths.iter().sum::<u32>() as usize));
    for (q, width) in quantized.iter().zip(widths) {
        bits.extend((0..width).map(|bit| u64::from(q >> bit & 1)));
    }
    bits
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
