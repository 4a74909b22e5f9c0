//! Thermometer bits: how a row of quantized features becomes something that trees can be evaluated on.
//!
//! A feature of `L` levels becomes bits `u_j = (q >= j)` for `j = 1..L-1`, so that a comparison with any clear
//! threshold is reading one of them.

use crate::error::Result;
use crate::fhe::{SeededLayout, bad_parameters};
use crate::model::Quantizer;
use zeroize::Zeroizing;

/// The most thermometer bits a row may have: 4 Mi, some 20 MB a request.
const MAX_BITS: usize = 1 << 22;
/// The most words of masks that a request expands to: 1 GiB.
const MAX_MASK_WORDS: usize = 1 << 27;

/// The number of thermometer bits of a row.
pub fn bits(quantizer: &Quantizer) -> usize {
    quantizer.features.iter().map(|feature| feature.levels() as usize - 1).sum()
}

/// Checks that rows have the number of bits that `bodies` says, and that it can be handled.
pub(super) fn check(quantizer: &Quantizer, input: &SeededLayout) -> Result<()> {
    let bits = bits(quantizer);
    let mask_words = input.ciphertexts().saturating_mul(input.shape.lwe_dimension());
    if bits != input.bodies || bits > MAX_BITS || mask_words > MAX_MASK_WORDS {
        return Err(bad_parameters(format!("{} input coefficients for {bits} thermometer bits", input.bodies)));
    }
    Ok(())
}

/// Checks that the input has room for `stride` coefficients a bit, whole ciphertexts and no more, and that it can be
/// handled.
pub(super) fn check_spread(quantizer: &Quantizer, input: &SeededLayout, stride: usize) -> Result<()> {
    let bits = bits(quantizer);
    let bodies = bits.saturating_mul(stride).checked_next_multiple_of(input.shape.size);
    let mask_words = input.ciphertexts().saturating_mul(input.shape.lwe_dimension());
    if bodies != Some(input.bodies) || input.bodies > MAX_BITS || mask_words > MAX_MASK_WORDS {
        return Err(bad_parameters(format!("{} input coefficients for {stride} of {bits} bits", input.bodies)));
    }
    Ok(())
}

/// The thermometer of a quantized row, feature after feature, `step` for a one. It is the row, so it is wiped when dropped.
///
/// # Panics
/// Where the row does not come from this quantizer.
pub fn encode(quantizer: &Quantizer, quantized: &[u32], step: u64) -> Zeroizing<Vec<u64>> {
    assert_eq!(quantized.len(), quantizer.features.len());
    let mut out = Zeroizing::new(Vec::with_capacity(bits(quantizer)));
    for (q, feature) in quantized.iter().zip(&quantizer.features) {
        out.extend((1..feature.levels()).map(|level| if *q >= level { step } else { 0 }));
    }
    out
}
