//! How finely a decrypted phase may be disclosed.
//!
//! A ciphertext `(a, b)` in words of `bits` bits and its rounded phase `b - <a, s>` together are an LWE sample: dimension
//! `n`, modulus `2^bits`, binary secret `s`, and an error that is uniform over the words that round to one value. A server
//! that sees a client's scores collects such samples. So phases are rounded until these samples are as hard to solve as the
//! client's key itself.

use super::bad_parameters;
use crate::error::Result;

/// The number of words that round to one disclosed value, at least.
pub const WORDS: u64 = 16;

/// The most bits per word that answers need. More would only help an attack on the key.
const MOST_BITS: u32 = 40;

/// The largest number of evenly spaced values that phases may be rounded to, for a key of this dimension and words of `bits`
/// bits.
///
/// # Errors
/// `parameters_invalid` where no number of values is known to be safe.
pub fn most_levels(dimension: usize, bits: u32) -> Result<u64> {
    // The security curve gives the noise that this dimension needs, relative to the modulus. The rounding error has to be as
    // large.
    let words = WORDS as f64;
    let rounded = (words * words - 1.0) / 12.0 * (-2.0 * f64::from(bits)).exp2();
    if !(8..=MOST_BITS).contains(&bits) || rounded < super::noise::fresh_variance(dimension) {
        return Err(bad_parameters(format!(
            "answers in words of {bits} bits under a key of dimension {dimension} could not be written down safely"
        )));
    }
    Ok((1 << bits) / WORDS)
}
