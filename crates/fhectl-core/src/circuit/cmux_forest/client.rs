//! The client's side of `CmuxForest`.

use super::CmuxForestParams;
use crate::circuit::table::client::bits_of;
use crate::circuit::{ClientKey, expect_len, residues};
use crate::error::Result;
use crate::fhe::{Entropy, PartialGlwe, ggsw};
use crate::model::Quantizer;

/// Encrypts the row's bits.
pub fn encode(
    params: &CmuxForestParams,
    quantizer: &Quantizer,
    key: &ClientKey,
    quantized: &[u32],
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    ggsw::encrypt(&params.bits, &bits_of(quantizer, quantized), key.answer(), entropy)
}

/// Decrypts the scores: their residues, put together.
pub fn decode(params: &CmuxForestParams, key: &ClientKey, answer: &[u8]) -> Result<Vec<i64>> {
    expect_len(answer, params.response_bytes())?;
    let glwe = PartialGlwe::read(answer, params.bits.shape, params.coefficients(), params.response_bits)?;
    let phases = key.answer().phases(&glwe);
    let scores = phases.chunks(params.moduli.len()).map(|phases| {
        let residues: Vec<u64> =
            phases.iter().zip(&params.moduli).map(|(phase, modulus)| phase.nearest(*modulus)).collect();
        params.low + residues::combine(&residues, &params.moduli) as i64
    });
    Ok(scores.collect())
}
