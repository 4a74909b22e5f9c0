//! The client's side of `Linear`.

use super::LinearParams;
use crate::circuit::{ClientKey, expect_len};
use crate::error::Result;
use crate::fhe::{Entropy, Lwe};
use zeroize::Zeroizing;

/// Encrypts each quantised feature as `q * 2^step_log2`, one a coefficient.
pub fn encode(params: &LinearParams, key: &ClientKey, quantized: &[u32], entropy: &mut dyn Entropy) -> Vec<u8> {
    let messages: Zeroizing<Vec<u64>> =
        Zeroizing::new(quantized.iter().map(|q| u64::from(*q) << params.step_log2).collect());
    params.input().encrypt(key.input(), &messages, entropy)
}

/// Decrypts the scores: the nearest signed multiple of the step.
pub fn decode(params: &LinearParams, key: &ClientKey, answer: &[u8]) -> Result<Vec<i64>> {
    let dimension = params.shape.lwe_dimension();
    let each = Lwe::wire_len(dimension, params.response_bits);
    expect_len(answer, params.response_bytes())?;
    answer
        .chunks(each)
        .map(|bytes| {
            let lwe = Lwe::read(bytes, dimension, params.response_bits)?;
            Ok(key.answer().phase(&lwe).nearest_signed(1 << (64 - params.step_log2)))
        })
        .collect()
}
