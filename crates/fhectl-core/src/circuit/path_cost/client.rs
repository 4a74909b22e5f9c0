//! The client's side of `PathCost`.

use super::PathCostParams;
use crate::circuit::{ClientKey, expect_len, one_hot, thermometer, torus, undecrypted};
use crate::error::Result;
use crate::fhe::{Entropy, Lwe};
use crate::model::Quantizer;

/// Encrypts the row's thermometer bits with step `2^64 / p`.
pub fn encode(
    params: &PathCostParams,
    quantizer: &Quantizer,
    key: &ClientKey,
    quantized: &[u32],
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    let messages = thermometer::encode(quantizer, quantized, torus(1, params.modulus));
    params.input.encrypt(key.input(), &messages, entropy)
}

/// Looks for a leaf whose count is zero and returns its class one-hot, the default class where there is none.
///
/// All leaves are decrypted, also after the one that is reached: the time until the next request would tell a server
/// where that was, and with answers made to measure something of the key.
///
/// # Errors
/// `ciphertext_invalid` for another length, `answer_invalid` where the answer does not decrypt to a class.
pub fn decode(params: &PathCostParams, key: &ClientKey, answer: &[u8]) -> Result<Vec<i64>> {
    expect_len(answer, params.response_bytes())?;
    let dimension = params.input.shape.lwe_dimension();
    let each = Lwe::wire_len(dimension, params.response_bits);
    let read = |bytes: &[u8]| -> Result<u64> {
        let lwe = Lwe::read(bytes, dimension, params.response_bits)?;
        Ok(key.answer().phase(&lwe).nearest(params.modulus))
    };
    let mut reached = None;
    for leaf in answer.chunks(if params.values { 2 * each } else { each }) {
        let count = read(&leaf[..each])?;
        let class = if params.values { read(&leaf[each..])? as usize } else { 1 - params.default_class };
        reached = reached.or((count == 0).then_some(class));
    }
    let class = reached.unwrap_or(params.default_class);
    if class >= params.classes {
        return Err(undecrypted());
    }
    Ok(one_hot(class, params.classes))
}
