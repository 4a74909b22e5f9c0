//! Phases: what ciphertexts decrypt to, before rounding.

/// The phase of a ciphertext: message plus noise, a torus element.
///
/// A ciphertext and its exact phase together are a linear equation in the bits of the secret key. So the word itself never
/// leaves this type. It is read as the nearest of evenly spaced points, and [`super::disclosure`] bounds their number.
///
/// It has no `Debug` and no `PartialEq`, since both would disclose the word.
pub(crate) struct Phase(u64);

impl Phase {
    pub(crate) const fn new(word: u64) -> Self {
        Self(word)
    }

    /// The index, from 0 to `levels - 1`, of the nearest of `levels` evenly spaced points. Point 0 is zero.
    pub(crate) fn nearest(&self, levels: u64) -> u64 {
        ((u128::from(self.0) * u128::from(levels) + (1 << 63)) >> 64) as u64 % levels
    }

    /// The index, from 0 to `parts - 1`, of the interval that the phase lies in, of `parts` equal ones from zero on.
    pub(crate) fn interval(&self, parts: u64) -> u64 {
        ((u128::from(self.0) * u128::from(parts)) >> 64) as u64
    }

    /// As [`Phase::nearest`], as a signed number in `[-levels / 2, levels / 2)`.
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
