//! The client's side of `LeafSum`.

use super::LeafSumParams;
use crate::circuit::{ClientKey, expect_len, one_hot, thermometer, torus};
use crate::error::Result;
use crate::fhe::{Entropy, Lwe};
use crate::model::Quantizer;

/// Encrypts the row's thermometer bits under the small key.
pub fn encode(
    params: &LeafSumParams,
    quantizer: &Quantizer,
    key: &ClientKey,
    quantized: &[u32],
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    let messages = thermometer::encode(quantizer, quantized, torus(1, params.circle));
    params.input.encrypt(key.input(), &messages, entropy)
}

/// Decrypts the class, one-hot.
pub fn decode(params: &LeafSumParams, key: &ClientKey, answer: &[u8]) -> Result<Vec<i64>> {
    expect_len(answer, params.response_bytes())?;
    let lwe = Lwe::read(answer, params.bootstrap.output.lwe_dimension(), params.response_bits)?;
    let offset = key.answer().phase(&lwe).nearest(params.classes as u64) as usize;
    Ok(one_hot((offset + params.default_class) % params.classes, params.classes))
}
