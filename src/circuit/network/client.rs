//! The client's side of `Network`.

use super::NetworkParams;
use crate::circuit::{ClientKey, expect_len, nearest_message, torus};
use crate::error::Result;
use crate::fhe::bootstrap;
use crate::fhe::{Entropy, Lwe, keyswitch};
use zeroize::Zeroizing;

/// Encrypts the quantised features, a coefficient each.
pub fn encode(params: &NetworkParams, key: &ClientKey, quantized: &[u32], entropy: &mut dyn Entropy) -> Vec<u8> {
    let messages: Zeroizing<Vec<u64>> =
        Zeroizing::new(quantized.iter().map(|q| torus(u64::from(*q), params.circle)).collect());
    params.input.encrypt(key.input(), &messages, entropy)
}

/// Decrypts the scores, in [`super::SCORE_PARTS`] of a step, from the half circle about zero.
pub fn decode(params: &NetworkParams, key: &ClientKey, answer: &[u8]) -> Result<Vec<i64>> {
    expect_len(answer, params.response_bytes())?;
    let scores = answer.chunks(params.score_bytes());
    scores
        .map(|bytes| {
            let lwe = Lwe::read(bytes, params.output().lwe_dimension(), params.response_bits)?;
            Ok(centred(nearest_message(key.answer().phase(&lwe), params.score_parts()), params.score_parts()))
        })
        .collect()
}

/// Bootstrap keys and keyswitching key, in the order in which they are used.
pub fn evaluation_key(params: &NetworkParams, key: &ClientKey, entropy: &mut dyn Entropy) -> Vec<u8> {
    let mut bytes = bootstrap::generate(&params.first.bootstrap, key.input(), key.answer(), entropy);
    if let Some(inner) = &params.inner {
        bytes.extend(keyswitch::generate(&inner.keyswitch, key.answer(), key.inner(), entropy));
        bytes.extend(bootstrap::generate(&inner.stage.bootstrap, key.inner(), key.answer(), entropy));
    }
    bytes
}

/// An integer modulo `circle` as one in `[-circle / 2, circle / 2)`.
pub(super) fn centred(message: u64, circle: u64) -> i64 {
    if message < circle / 2 { message as i64 } else { message as i64 - circle as i64 }
}
