//! The bits of a quantized row, for circuits whose inputs are GGSW ciphertexts of single bits.

use crate::model::Quantizer;
#[cfg(feature = "client")]
use zeroize::Zeroizing;

/// The bits of every feature, enough for its levels.
pub fn widths(quantizer: &Quantizer) -> Vec<u32> {
    quantizer.features.iter().map(|feature| feature.levels().next_power_of_two().ilog2()).collect()
}

/// The bits of all features together.
pub(super) fn count(quantizer: &Quantizer) -> usize {
    widths(quantizer).iter().map(|width| *width as usize).sum()
}

/// The bits of a quantized row, feature after feature, the lowest first. They are the row, so they are wiped when dropped.
#[cfg(feature = "client")]
pub(super) fn encode(quantizer: &Quantizer, quantized: &[u32]) -> Zeroizing<Vec<u64>> {
    let widths = widths(quantizer);
    // At its full length from the start: growing would leave copies of the row behind.
    let mut bits = Zeroizing::new(Vec::with_capacity(widths.iter().sum::<u32>() as usize));
    for (q, width) in quantized.iter().zip(widths) {
        bits.extend((0..width).map(|bit| u64::from(q >> bit & 1)));
    }
    bits
}
