//! Partial GLWE ciphertexts: a mask and the first coefficients of the body. Several answers share one mask.

use super::{GlweShape, wire};
use crate::error::{Error, ErrorCode, Result};

/// A GLWE ciphertext without the last coefficients of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialGlwe {
    /// `k * N` words, polynomial after polynomial.
    pub mask: Vec<u64>,
    /// The first coefficients of the body, at most `N` words.
    pub bodies: Vec<u64>,
}

impl PartialGlwe {
    /// The trivial encryption of `coefficients` zeros.
    pub fn zero(shape: GlweShape, coefficients: usize) -> Self {
        debug_assert!(coefficients <= shape.size);
        Self { mask: vec![0; shape.lwe_dimension()], bodies: vec![0; coefficients] }
    }

    /// The exact length of the wire form in bytes, with words of `bits` bits.
    pub const fn wire_len(shape: GlweShape, coefficients: usize, bits: u32) -> usize {
        wire::packed_len(shape.lwe_dimension() + coefficients, bits)
    }

    /// Appends mask and bodies, each word rounded to `bits` bits. The bodies are corrected for half of the rounding errors of
    /// the mask, as in [`super::Lwe::write`].
    pub fn write(&self, shape: GlweShape, bits: u32, out: &mut Vec<u8>) {
        let errors: Vec<i64> = self.mask.iter().map(|word| wire::rounding_error(*word, bits)).collect();
        let at =
            |index: usize| errors[index..].iter().step_by(shape.size).map(|error| i128::from(*error)).sum::<i128>();
        // In coefficient c, word j of a polynomial has a minus sign where j > c (`X^N = -1`).
        let all: i128 = errors.iter().map(|error| i128::from(*error)).sum();
        let mut sum = 2 * at(0) - all;
        let bodies: Vec<u64> = (self.bodies.iter().enumerate())
            .map(|(coefficient, body)| {
                if coefficient > 0 {
                    sum += 2 * at(coefficient);
                }
                body.wrapping_add((sum >> 1) as u64)
            })
            .collect();
        wire::pack_all([&self.mask, &bodies], bits, out);
    }

    /// Reads what [`PartialGlwe::write`] wrote.
    ///
    /// # Errors
    /// `ciphertext_invalid` for any other length or set padding bits.
    pub fn read(bytes: &[u8], shape: GlweShape, coefficients: usize, bits: u32) -> Result<Self> {
        let mut mask = wire::unpack(bytes, shape.lwe_dimension() + coefficients, bits).ok_or_else(|| {
            Error::new(ErrorCode::CiphertextInvalid, format!("{} bytes are no answer of this model", bytes.len()))
                .hint("it was truncated or altered on the way, or belongs to another model")
        })?;
        let bodies = mask.split_off(shape.lwe_dimension());
        Ok(Self { mask, bodies })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::OsEntropy;
    use crate::fhe::{GlweSecret, Lwe, Random, noise};

    /// Rounding changes phases with the variance of the formula, for keys of low and of high Hamming weight.
    #[test]
    fn cutting_adds_the_predicted_noise_whatever_the_key() {
        let (shape, bits, coefficients) = (GlweShape::new(2, 512), 12, 4);
        let mut random = Random::fresh(&mut OsEntropy);
        let sigma = noise::answer_rounding_variance(shape.lwe_dimension(), bits).sqrt() * 2f64.powi(64);
        for ones in [100, 512, 900] {
            let key: Vec<u64> = (0..1024).map(|index| u64::from(index * 7 % 1024 < ones) << 63).collect();
            let mut packed = Vec::new();
            wire::pack(&key, 1, &mut packed);
            let secret = GlweSecret::read(shape, &packed).unwrap();
            let (mut squares, mut of_lwes, mut count) = (0.0, 0.0, 0.0);
            for _ in 0..600 {
                let mut glwe = PartialGlwe::zero(shape, coefficients);
                random.fill_uniform(&mut glwe.mask);
                random.fill_uniform(&mut glwe.bodies);
                let mut bytes = Vec::new();
                glwe.write(shape, bits, &mut bytes);
                let cut = PartialGlwe::read(&bytes, shape, coefficients, bits).unwrap();
                for (before, after) in secret.phases(&glwe).iter().zip(secret.phases(&cut)) {
                    squares += (after.minus(before) / sigma).powi(2);
                    count += 1.0;
                    let mut lwe = Lwe::zero(shape.lwe_dimension());
                    random.fill_uniform(&mut lwe.mask);
                    let mut bytes = Vec::new();
                    lwe.write(bits, &mut bytes);
                    let cut = Lwe::read(&bytes, shape.lwe_dimension(), bits).unwrap();
                    of_lwes += (secret.phase(&cut).minus(&secret.phase(&lwe)) / sigma).powi(2);
                }
            }
            for ratio in [squares / count, of_lwes / count] {
                // Coefficients of a ciphertext share their errors, so there are as few as 600 independent samples.
                assert!((ratio - 1.0).abs() < 5.0 * (2.0f64 / 600.0).sqrt(), "{ones} ones: {ratio}");
            }
        }
    }
}
