//! Re-randomization: adding an encryption of zero and flooding noise makes an answer independent of how it was computed.

use super::GlweShape;
use super::lwe::Lwe;
use super::noise::t_uniform_bound;
use super::ntt::{BinaryPoly, Ntt, WidePoly};
use super::partial_glwe::PartialGlwe;
use super::polynomial::{constant_of_product, extract_constant_mask};
use super::public_key;
use super::random::Random;
use crate::error::Result;

/// A client's public key, transformed for many encryptions of zero.
pub struct Rerandomizer {
    shape: GlweShape,
    noise_bound: u32,
    /// `masks[i * k + j]` is polynomial `j` of the mask of ciphertext `i`.
    masks: Vec<WidePoly>,
    /// The bodies, `k` polynomials. An encryption of a single coefficient takes inner products with them, no transform.
    bodies: Vec<u64>,
    /// The transforms of the bodies, for encryptions of more coefficients.
    wide_bodies: Vec<WidePoly>,
}

impl Rerandomizer {
    /// Reads the wire form of a public key of this shape and transforms it.
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
            wide_bodies: bodies.chunks(shape.size).map(|body| ntt.wide(body)).collect(),
            bodies,
        })
    }

    /// Adds a fresh encryption of zero and flooding noise, uniform over `[-flooding, flooding)` in units of 2^-64, to `lwe`.
    ///
    /// Adds `A^T rho + e1` to the mask and the constant coefficient of `<b, rho> + e2` to the body, with binary `rho` and
    /// TUniform `e1` and `e2`. Noise: [`public_key::zero_variance`] and
    /// [`flooding_variance`](super::noise::flooding_variance). Cost: `k` forward transforms and `2k` inverse ones.
    pub fn apply(&self, lwe: &mut Lwe, flooding: u64, random: &mut Random) {
        let size = self.shape.size;
        let (rho, transformed) = self.draw(random);
        let mut sum = Ntt::of_size(size).zero();
        for (column, out) in lwe.mask.chunks_mut(size).enumerate() {
            let mut mask = vec![0; size];
            self.add_zero_mask(column, &transformed, &mut sum, &mut mask, random);
            extract_constant_mask(&mask, out, |out, word| *out = out.wrapping_add(word));
        }

        let mut body = [0u64];
        random.add_t_uniform(&mut body, self.noise_bound);
        for (rho, b) in rho.chunks(size).zip(self.bodies.chunks(size)) {
            body[0] = body[0].wrapping_add(constant_of_product(rho, b));
        }
        lwe.body = lwe.body.wrapping_add(body[0]).wrapping_add(flooding_sample(flooding, random));
    }

    /// Adds one polynomial of the mask of a fresh encryption of zero, `sum_i A_i rho_i + e1`, to `mask`. `sum` is zero before
    /// and after.
    fn add_zero_mask(
        &self,
        column: usize,
        rho: &[BinaryPoly],
        sum: &mut WidePoly,
        mask: &mut [u64],
        random: &mut Random,
    ) {
        let ntt = Ntt::of_size(self.shape.size);
        random.add_t_uniform(mask, self.noise_bound);
        for (row, rho) in rho.iter().enumerate() {
            ntt.mul_add(sum, &self.masks[row * self.shape.dimension + column], rho);
        }
        ntt.add_to(sum, mask);
    }

    /// Adds a fresh encryption of zeros to `glwe`, and flooding noise to each of its coefficients.
    ///
    /// As [`Rerandomizer::apply`], with the same variances in each coefficient. Cost: `k` forward transforms and
    /// `2 (k + 1)` inverse ones.
    pub fn apply_partial(&self, glwe: &mut PartialGlwe, flooding: u64, random: &mut Random) {
        let (_, rho) = self.draw(random);
        self.add_zero_masks(&rho, &mut glwe.mask, random);
        let mut body = vec![0; self.shape.size];
        self.add_body_product(&rho, &mut body);
        random.add_t_uniform(&mut body[..glwe.bodies.len()], self.noise_bound);
        for (out, zero) in glwe.bodies.iter_mut().zip(&body) {
            *out = out.wrapping_add(*zero).wrapping_add(flooding_sample(flooding, random));
        }
    }

    /// Adds a fresh encryption of zeros to a whole GLWE ciphertext, `k + 1` polynomials with the body last.
    ///
    /// Noise of each coefficient: [`public_key::zero_variance`]. Cost: `k` forward transforms and `2 (k + 1)` inverse ones.
    pub fn add_zero(&self, glwe: &mut [u64], random: &mut Random) {
        let (_, rho) = self.draw(random);
        let (masks, body) = glwe.split_at_mut(self.shape.lwe_dimension());
        self.add_zero_masks(&rho, masks, random);
        self.add_body_product(&rho, body);
        random.add_t_uniform(body, self.noise_bound);
    }

    /// The shape of the key.
    pub fn shape(&self) -> GlweShape {
        self.shape
    }

    /// A fresh binary vector `rho`, its `k` polynomials one after the other, and the transform of each.
    fn draw(&self, random: &mut Random) -> (Vec<u64>, Vec<BinaryPoly>) {
        let ntt = Ntt::of_size(self.shape.size);
        let mut rho = vec![0; self.shape.lwe_dimension()];
        random.fill_light_binary(&mut rho);
        let transformed = rho.chunks(self.shape.size).map(|poly| ntt.binary(poly)).collect();
        (rho, transformed)
    }

    fn add_zero_masks(&self, rho: &[BinaryPoly], masks: &mut [u64], random: &mut Random) {
        let mut sum = Ntt::of_size(self.shape.size).zero();
        for (column, mask) in masks.chunks_mut(self.shape.size).enumerate() {
            self.add_zero_mask(column, rho, &mut sum, mask, random);
        }
    }

    /// Adds `<b, rho>`, with all its coefficients, to `body`.
    fn add_body_product(&self, rho: &[BinaryPoly], body: &mut [u64]) {
        let ntt = Ntt::of_size(self.shape.size);
        let mut sum = ntt.zero();
        for (wide, rho) in self.wide_bodies.iter().zip(rho) {
            ntt.mul_add(&mut sum, wide, rho);
        }
        ntt.add_to(&mut sum, body);
    }
}

/// A sample uniform over `[-flooding, flooding)`, 0 where that is empty.
fn flooding_sample(flooding: u64, random: &mut Random) -> u64 {
    if flooding == 0 {
        return 0;
    }
    random.below(2 * flooding).wrapping_sub(flooding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::OsEntropy;
    use crate::fhe::{GlweSecret, encrypt, noise};

    /// The noise of encryptions of zero has the variance that the flooding argument uses.
    #[test]
    fn encryptions_of_zero_have_the_predicted_noise() {
        for shape in [GlweShape::new(1, 2048), GlweShape::new(3, 512), GlweShape::new(1, 4096)] {
            let mut random = Random::fresh(&mut OsEntropy);
            let (keys, each) = (24, 50);
            let (mut squares, mut partial_squares) = (0.0, 0.0);
            let mut top_bits = 0;
            for _ in 0..keys {
                let secret = GlweSecret::generate(shape, &mut OsEntropy);
                let key = Rerandomizer::unpack(shape, &encrypt::public_key(&secret, &mut OsEntropy)).unwrap();
                for _ in 0..each {
                    let mut lwe = Lwe::zero(shape.lwe_dimension());
                    key.apply(&mut lwe, 1, &mut random);
                    let error = secret.phase(&lwe).word() as i64 as f64 / 2f64.powi(64);
                    squares += error * error;
                    top_bits += (lwe.mask[5] >> 63) as i64;
                    let mut glwe = PartialGlwe::zero(shape, 3);
                    key.apply_partial(&mut glwe, 1, &mut random);
                    for phase in secret.phases(&glwe) {
                        partial_squares += (phase.word() as i64 as f64 / 2f64.powi(64)).powi(2) / 3.0;
                    }
                }
            }
            // The bound counts a key eight deviations heavier than the mean; the mean is what is measured here.
            let dimension = shape.lwe_dimension();
            let mean =
                public_key::zero_variance(shape) * (dimension as f64 / 2.0) / noise::hamming_weight_bound(dimension);
            // Per key the mean square spreads by 0.35 (a quarter of it is <e, 1>^2, a chi-square of one degree), so
            // by 0.07 over 24 keys; 1,200 samples add 0.04. Four deviations:
            for squares in [squares, partial_squares] {
                let ratio = squares / f64::from(keys * each) / mean;
                assert!((ratio - 1.0).abs() < 0.33, "{shape:?}: measured/predicted variance {ratio}");
            }
            let half = i64::from(keys * each) / 2;
            assert!((top_bits - half).abs() < 100, "{shape:?}: a mask word's top bit was set {top_bits} times");
        }
    }
}
