//! What a ciphertext decrypts to, and how much of it may be seen.

/// A message with its noise, as decryption gives it: a point on the circle of 2^64 words.
///
/// Written down beside its ciphertext, a phase is an equation in the key's bits. So its word stays in this file. It leaves
/// as the nearest of evenly spaced points, which [`super::disclosure`] keeps coarse enough.
///
/// No `Debug`, no `PartialEq`: both would tell the word.
pub(crate) struct Phase(u64);

impl Phase {
    pub(crate) const fn new(word: u64) -> Self {
        Self(word)
    }

    /// The index, below `levels`, of the nearest of so many evenly spaced points, the first of which is zero.
    pub(crate) fn nearest(&self, levels: u64) -> u64 {
        ((u128::from(self.0) * u128::from(levels) + (1 << 63)) >> 64) as u64 % levels
    }

    /// The index of the one of `parts` equal parts of the circle that it lies in; the first begins at zero.
    pub(crate) fn interval(&self, parts: u64) -> u64 {
        ((u128::from(self.0) * u128::from(parts)) >> 64) as u64
    }

    /// As [`Phase::nearest`], read as a signed number in `[-levels / 2, levels / 2)`.
    pub(crate) fn nearest_signed(&self, levels: u64) -> i64 {
        let index = self.nearest(levels);
        if index < levels.div_ceil(2) { index as i64 } else { index.wrapping_sub(levels) as i64 }
    }

    /// The word, for tests of noise.
    #[cfg(test)]
    pub(crate) fn word(&self) -> u64 {
        self.0
    }

    /// The signed distance from `other` in units of 2^-64, for tests of noise.
    #[cfg(test)]
    pub(crate) fn minus(&self, other: &Self) -> f64 {
        self.0.wrapping_sub(other.0) as i64 as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn messages_survive_noise_below_half_a_step(levels in 2u64..200, message in 0u64..200, noise in -0.499f64..0.499) {
            let message = message % levels;
            let step = 2f64.powi(64) / levels as f64;
            let word = ((u128::from(message) << 64) / u128::from(levels)) as u64;
            let phase = Phase::new(word.wrapping_add((noise * step) as i64 as u64));
            prop_assert_eq!(phase.nearest(levels), message);
            let signed = phase.nearest_signed(levels);
            prop_assert_eq!(signed.rem_euclid(levels as i64) as u64, message);
            prop_assert!(2 * signed < levels as i64 && 2 * signed >= -(levels as i64));
        }
    }
}
