//! How finely a decrypted phase may be written down.
//!
//! Whoever sees a ciphertext `(a, b)`, in words of `bits` bits, and what its phase `b - <a, s>` was rounded to has an LWE
//! sample in the key `s`: dimension `n`, modulus `2^bits`, binary secret, an error that is uniform over as many words as
//! were rounded together. A server has as many of them as its client writes down answers. So the rounding has to be as
//! hard to solve as the key itself.

use super::bad_parameters;
use crate::error::Result;

/// Words of a ciphertext that are rounded together at least.
pub const WORDS: u64 = 16;

/// The most bits of a word that answers need: more only serve who solves for keys.
const MOST_BITS: u32 = 40;

/// The most points that phases under a key of this dimension, in words of so many bits, may be told apart on.
///
/// # Errors
/// `parameters_invalid` where the derivation does not reach.
pub fn most_levels(dimension: usize, bits: u32) -> Result<u64> {
    // A fresh encryption's noise is as wide as the curve asks for at this dimension, whatever the modulus: so wide has the
    // rounding to be, too.
    let words = WORDS as f64;
    let rounded = (words * words - 1.0) / 12.0 * (-2.0 * f64::from(bits)).exp2();
    if !(8..=MOST_BITS).contains(&bits) || rounded < super::noise::fresh_variance(dimension) {
        return Err(bad_parameters(format!(
            "answers in words of {bits} bits under a key of dimension {dimension} could not be written down safely"
        )));
    }
    Ok((1 << bits) / WORDS)
}
