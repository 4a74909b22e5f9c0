//! Making an answer independent of how it was computed: an encryption of zero and flooding noise are added.

use super::GlweShape;
use super::lwe::Lwe;
use super::noise::t_uniform_bound;
use super::ntt::{Ntt, WidePoly};
use super::public_key;
use super::random::Random;
use crate::error::Result;

/// A client's public key, transformed for many encryptions.
pub struct Rerandomizer {
    shape: GlweShape,
    noise_bound: u32,
    /// `masks[i * k + j]`: polynomial `j` of the mask of ciphertext `i`.
    masks: Vec<WidePoly>,
    /// The bodies, `k` polynomials; only one inner product an encryption is taken with them.
    bodies: Vec<u64>,
}

impl Rerandomizer {
    /// Reads a public key of this shape.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the key's layout.
    pub fn unpack(shape: GlweShape, bytes: &[u8]) -> Result<Self> {
        let (seed, bodies) = public_key::layout(shape).parse(bytes)?;
        let mut masks = vec![0; shape.dimension * shape.lwe_dimension()];
        Random::new(seed).fill_uniform(&mut masks);
        let ntt = Ntt::of_size(shape.size);
        Ok(Self {
            shape,
            noise_bound: t_uniform_bound(shape.lwe_dimension()),
            masks: masks.chunks(shape.size).map(|mask| ntt.wide(mask)).collect(),
            bodies,
        })
    }

    /// Adds a fresh encryption of zero, and noise uniform over `[-2^flood_log2, 2^flood_log2)`, to `lwe`.
    ///
    /// `A^T rho + e1` is added to the mask, the constant coefficient of `<b, rho> + e2` to the body, with binary
    /// `rho` and TUniform `e1`, `e2`. Noise: [`public_key::zero_variance`]. Cost: `k` transforms forward, `2k` back.
    pub fn apply(&self, lwe: &mut Lwe, flood_log2: u32, random: &mut Random) {
        let GlweShape { dimension, size } = self.shape;
        let ntt = Ntt::of_size(size);
        let mut rho = vec![0; self.shape.lwe_dimension()];
        random.fill_binary(&mut rho);
        let transformed: Vec<_> = rho.chunks(size).map(|poly| ntt.binary(poly)).collect();

        let mut mask = vec![0; size];
        for (column, out) in lwe.mask.chunks_mut(size).enumerate() {
            mask.fill(0);
            random.add_t_uniform(&mut mask, self.noise_bound);
            let mut sum = ntt.zero();
            for (row, rho) in transformed.iter().enumerate() {
                ntt.mul_add(&mut sum, &self.masks[row * dimension + column], rho);
            }
            ntt.add_to(sum, &mut mask);
            // The constant coefficient's extraction: a_0, then -a_{N-j}.
            out[0] = out[0].wrapping_add(mask[0]);
            for (out, a) in out[1..].iter_mut().zip(mask[1..].iter().rev()) {
                *out = out.wrapping_sub(*a);
            }
        }

        let mut body = [0u64];
        random.add_t_uniform(&mut body, self.noise_bound);
        for (rho, b) in rho.chunks(size).zip(self.bodies.chunks(size)) {
            body[0] = body[0].wrapping_add(rho[0].wrapping_mul(b[0]));
            for (rho, b) in rho[1..].iter().zip(b[1..].iter().rev()) {
                body[0] = body[0].wrapping_sub(rho.wrapping_mul(*b));
            }
        }
        let flood = random.word() & (u64::MAX >> (63 - flood_log2));
        let flood = flood.wrapping_sub(1 << flood_log2);
        lwe.body = lwe.body.wrapping_add(body[0]).wrapping_add(flood);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::OsEntropy;
    use crate::fhe::{GlweSecret, noise};

    /// The noise of encryptions of zero has the variance that the flooding argument uses.
    #[test]
    fn encryptions_of_zero_have_the_predicted_noise() {
        for shape in [GlweShape::new(1, 2048), GlweShape::new(3, 512), GlweShape::new(1, 4096)] {
            let mut random = Random::fresh(&mut OsEntropy);
            let (keys, each) = (24, 50);
            let mut squares = 0.0;
            let mut top_bits = 0;
            for _ in 0..keys {
                let secret = GlweSecret::generate(shape, &mut OsEntropy);
                let key = Rerandomizer::unpack(shape, &public_key::generate(&secret, &mut OsEntropy)).unwrap();
                for _ in 0..each {
                    let mut lwe = Lwe::zero(shape.lwe_dimension());
                    key.apply(&mut lwe, 0, &mut random);
                    let error = secret.phase(&lwe) as i64 as f64 / 2f64.powi(64);
                    squares += error * error;
                    top_bits += (lwe.mask[5] >> 63) as i64;
                }
            }
            // The bound counts a key eight deviations heavier than the mean; the mean is what is measured here.
            let dimension = shape.lwe_dimension();
            let mean = public_key::zero_variance(shape) * (dimension as f64 / 2.0) / noise::heavy_key(dimension);
            // Per key the mean square spreads by 0.35 (a quarter of it is <e, 1>^2, a chi-square of one degree), so
            // by 0.07 over 24 keys; 1,200 samples add 0.04. Four deviations:
            let ratio = squares / f64::from(keys * each) / mean;
            assert!((ratio - 1.0).abs() < 0.33, "{shape:?}: measured/predicted variance {ratio}");
            let half = i64::from(keys * each) / 2;
            assert!((top_bits - half).abs() < 100, "{shape:?}: a mask word's top bit was set {top_bits} times");
        }
    }
}
