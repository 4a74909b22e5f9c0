//! Fresh encryptions of zero, which make the noise of bootstraps and CMUX trees new in every evaluation.
//!
//! The noise of an external product is the digits of its factor times the noise of the client's own key or input. Equal
//! ciphertexts would give equal noise: a client that sends the same row twice could tell what the model computed from each
//! input. The tables of bootstraps and the leaves of CMUX trees are trivial ciphertexts. Adding an encryption of zero under
//! the client's public key makes their masks computationally uniform and new in every evaluation, and with them the digits
//! of every product that follows.

use super::polynomial::rotate;
use super::rerandomize::Rerandomizer;
use super::{GlweShape, Random, Seed};
use rayon::prelude::*;

/// Words of the stream that are reserved for one encryption, more than any key shape draws: encryption `i` begins at word
/// `WORDS_PER_ZERO * i` of the stream of [`Zeros::seed`].
pub const WORDS_PER_ZERO: u64 = 1 << 24;

/// Encryptions of zero for one evaluation. Each has a random stream of its own, so that threads can take them in any order.
pub struct Zeros<'a> {
    key: &'a Rerandomizer,
    seed: Seed,
}

impl<'a> Zeros<'a> {
    /// Encryptions under this public key, from a seed that is drawn from `random`.
    pub fn new(key: &'a Rerandomizer, random: &mut Random) -> Self {
        Self { key, seed: random.draw_seed() }
    }

    /// The seed of all of them, for a [`Backend`](super::backend::Backend) that makes them itself. It is secret: whoever has it
    /// can subtract the encryptions again.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// Adds encryption number `index` to a GLWE ciphertext, `k + 1` polynomials with the body last.
    ///
    /// Use each index for one ciphertext only. Noise and cost: [`Rerandomizer::add_zero`].
    pub fn add(&self, index: usize, glwe: &mut [u64]) {
        self.key.add_zero(glwe, &mut Random::at_word(&self.seed, WORDS_PER_ZERO * index as u64));
    }
}

/// A few encryptions of zero that many leaves share: each leaf gets a random one times a random power of `X`.
///
/// An encryption per leaf would cost several times as much as the CMUX that it goes into. Masks of leaves are
/// computationally uniform all the same. Two leaves get the same ciphertext with probability `1 / (2N * pool size)`. If
/// they get the same encryption with different powers, their noise has the joint mean and variance of independent
/// encryptions, because a power and its negative are equally likely.
pub struct ZeroPool {
    shape: GlweShape,
    zeros: Vec<u64>,
    /// A uniform word per leaf.
    choices: Vec<u64>,
}

impl ZeroPool {
    /// A pool for `leaves` leaves, of `encryptions` encryptions or fewer. Computed on all threads of the current rayon pool.
    pub fn new(key: &Rerandomizer, encryptions: usize, leaves: usize, random: &mut Random) -> Self {
        let shape = key.shape();
        let glwe = shape.lwe_dimension() + shape.size;
        let mut zeros = vec![0; glwe * encryptions.min(leaves).max(1)];
        let sources = Zeros::new(key, random);
        zeros.par_chunks_mut(glwe).enumerate().for_each(|(index, zero)| sources.add(index, zero));
        let mut choices = vec![0; leaves];
        random.fill_uniform(&mut choices);
        Self { shape, zeros, choices }
    }

    /// The encryptions: GLWE ciphertexts one after the other.
    pub fn zeros(&self) -> &[u64] {
        &self.zeros
    }

    /// The number of encryptions.
    pub fn encryptions(&self) -> usize {
        self.zeros.len() / (self.shape.lwe_dimension() + self.shape.size)
    }

    /// Writes the encryption of zero for `leaf` to a GLWE ciphertext.
    pub fn write(&self, leaf: usize, glwe: &mut [u64]) {
        self.write_derived(&self.zeros, leaf, glwe);
    }

    /// As [`ZeroPool::write`], from `derived` in place of the encryptions: a ciphertext for each, computed from it by a map
    /// that commutes with rotation.
    pub fn write_derived(&self, derived: &[u64], leaf: usize, glwe: &mut [u64]) {
        let (zero, degree) = self.choice(leaf);
        let derived = &derived[zero * glwe.len()..][..glwe.len()];
        for (polynomial, out) in derived.chunks(self.shape.size).zip(glwe.chunks_mut(self.shape.size)) {
            rotate(polynomial, degree, out);
        }
    }

    /// Writes only the body of the encryption of zero for `leaf`.
    pub fn write_body(&self, leaf: usize, body: &mut [u64]) {
        let (zero, degree) = self.choice(leaf);
        let mask = self.shape.lwe_dimension();
        rotate(&self.zeros[zero * (mask + self.shape.size) + mask..][..self.shape.size], degree, body);
    }

    /// The index of the encryption for a leaf, and the power of `X`.
    fn choice(&self, leaf: usize) -> (usize, usize) {
        let choice = self.choices[leaf];
        // For a pool size that is no power of two, the bias of the remainder is below 2^-20.
        ((choice as u32) as usize % self.encryptions(), (choice >> 32) as usize % (2 * self.shape.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::OsEntropy;
    use crate::fhe::{GlweSecret, PartialGlwe, encrypt, public_key};

    /// The mean square of the noise of whole ciphertexts, divided by the variance that the formula predicts.
    fn ratio(secret: &GlweSecret, ciphertexts: &[Vec<u64>]) -> f64 {
        let shape = secret.shape();
        let phases = ciphertexts.iter().flat_map(|glwe| {
            let (mask, bodies) = glwe.split_at(shape.lwe_dimension());
            secret.phases(&PartialGlwe { mask: mask.to_vec(), bodies: bodies.to_vec() })
        });
        let squares = phases.map(|phase| (phase.word() as i64 as f64 / 2f64.powi(64)).powi(2));
        let count = ciphertexts.len() * shape.size;
        squares.sum::<f64>() / count as f64 / public_key::zero_variance(shape)
    }

    #[test]
    fn zeros_are_fresh_encryptions_of_zero_in_every_order() {
        let shape = GlweShape::new(3, 512);
        let secret = GlweSecret::generate(shape, &mut OsEntropy);
        let key = Rerandomizer::unpack(shape, &encrypt::public_key(&secret, &mut OsEntropy)).unwrap();
        let mut random = Random::fresh(&mut OsEntropy);
        let glwe = shape.lwe_dimension() + shape.size;
        let zeros = Zeros::new(&key, &mut random);
        let draw = |index: usize| {
            let mut out = vec![0; glwe];
            zeros.add(index, &mut out);
            out
        };
        let drawn: Vec<Vec<u64>> = (0..12).map(draw).collect();
        assert_eq!(drawn[7], draw(7));
        assert_ne!(drawn[7], drawn[8]);
        assert_ne!(drawn[0], {
            let mut out = vec![0; glwe];
            Zeros::new(&key, &mut random).add(0, &mut out);
            out
        });
        // The pool rotates such encryptions. Their noise would be wrong if the rotation did not match the ring.
        let pool = ZeroPool::new(&key, 8, 40, &mut random);
        let leaf = |leaf: usize| {
            let mut out = vec![1; glwe];
            pool.write(leaf, &mut out);
            out
        };
        let leaves: Vec<Vec<u64>> = (0..40).map(leaf).collect();
        let distinct: std::collections::HashSet<&Vec<u64>> = leaves.iter().collect();
        // Of 780 pairs each is alike once in 8,192 times: five are once in two million runs.
        assert!(distinct.len() > 35);
        // One key's mean square is within a factor of four of the mean, 1/1.4 of the formula: as in `rerandomize`.
        for ratio in [ratio(&secret, &drawn), ratio(&secret, &leaves)] {
            assert!((0.15..3.0).contains(&ratio), "measured/predicted variance {ratio}");
        }
    }
}
