//! The client's side of `Network`.

use super::NetworkParams;
use crate::circuit::{ClientKey, expect_len, torus};
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

/// Decrypts the scores to the nearest of [`NetworkParams::shown_levels`], from the half circle about zero.
///
/// # Errors
/// `ciphertext_invalid` for another length, `parameters_invalid` where scores could not be shown.
pub fn decode(params: &NetworkParams, key: &ClientKey, answer: &[u8]) -> Result<Vec<i64>> {
    expect_len(answer, params.response_bytes())?;
    let levels = params.shown_levels()?;
    let scores = answer.chunks(params.score_bytes());
    scores
        .map(|bytes| {
            let lwe = Lwe::read(bytes, params.output().lwe_dimension(), params.response_bits)?;
            Ok(params.score_of_level(key.answer().phase(&lwe).nearest_signed(levels)))
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
