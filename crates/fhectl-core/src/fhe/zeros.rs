//! Fresh encryptions of zero, where bootstraps and trees of CMUXes begin.
//!
//! An external product's noise is the digits of its factor times the noise of a client's own key or input, so from equal
//! ciphertexts comes equal noise: who asks twice sees what the model did with each of its inputs. A look-up table and a leaf are
//! trivial ciphertexts. With an encryption of zero under the public key of the *answer* added, their masks are as good as
//! uniform in every bit and new in every evaluation, and so are the digits of every product after them.

use super::rerandomize::Rerandomizer;
use super::{GlweShape, Random, Seed};
use rayon::prelude::*;

/// Words of a stream that belong to one zero: more than any key's encryption draws.
const WORDS_EACH: u64 = 1 << 24;

/// Encryptions of zero for one evaluation, each a stream of its own, so that threads may take them in any order.
pub struct Zeros<'a> {
    key: &'a Rerandomizer,
    seed: Seed,
}

impl<'a> Zeros<'a> {
    pub fn new(key: &'a Rerandomizer, random: &mut Random) -> Self {
        Self { key, seed: random.draw_seed() }
    }

    /// Adds the `index`-th zero to a GLWE ciphertext, `k + 1` polynomials, the body last.
    ///
    /// Each index is for one ciphertext. Noise and cost: [`Rerandomizer::add_zero`].
    pub fn add(&self, index: usize, glwe: &mut [u64]) {
        self.key.add_zero(glwe, &mut Random::at_word(&self.seed, WORDS_EACH * index as u64));
    }
}

/// A few encryptions of zero that many leaves share, each leaf a random one times a random power of `X`.
///
/// One for each would cost several times the CMUX that it goes into. The masks that a leaf gets are as good as uniform
/// all the same. Two leaves have the same with a chance of one in `2N` times the pool's size; where their zeros are one,
/// rotated by different powers, the mean and the mean square of their noise together are those of independent
/// ones, because a power and its negative are as likely.
pub struct ZeroPool {
    shape: GlweShape,
    zeros: Vec<u64>,
    /// For each leaf a uniform word.
    choices: Vec<u64>,
}

impl ZeroPool {
    /// A pool of so many encryptions for so many leaves, made on all threads of the current pool.
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

    /// The encryptions, GLWE ciphertexts one after the other.
    pub fn zeros(&self) -> &[u64] {
        &self.zeros
    }

    /// How many encryptions there are.
    pub fn encryptions(&self) -> usize {
        self.zeros.len() / (self.shape.lwe_dimension() + self.shape.size)
    }

    /// Writes the zero of leaf `leaf` to a GLWE ciphertext.
    pub fn write(&self, leaf: usize, glwe: &mut [u64]) {
        self.write_of(&self.zeros, leaf, glwe);
    }

    /// Writes what was made of the zero of a leaf, as it is rotated: of as many ciphertexts as there are zeros.
    pub fn write_of(&self, made: &[u64], leaf: usize, glwe: &mut [u64]) {
        let (zero, degree) = self.choice(leaf);
        let made = &made[zero * glwe.len()..][..glwe.len()];
        for (polynomial, out) in made.chunks(self.shape.size).zip(glwe.chunks_mut(self.shape.size)) {
            rotate(polynomial, degree, out);
        }
    }

    /// Writes the body alone of the zero of a leaf.
    pub fn write_body(&self, leaf: usize, body: &mut [u64]) {
        let (zero, degree) = self.choice(leaf);
        let mask = self.shape.lwe_dimension();
        rotate(&self.zeros[zero * (mask + self.shape.size) + mask..][..self.shape.size], degree, body);
    }

    /// Which zero a leaf has, and times which power of `X`.
    fn choice(&self, leaf: usize) -> (usize, usize) {
        let choice = self.choices[leaf];
        // The bias of a remainder that is no power of two is below 2^-20.
        ((choice as u32) as usize % self.encryptions(), (choice >> 32) as usize % (2 * self.shape.size))
    }
}

/// `polynomial * X^degree` modulo `X^N + 1`, for degrees below `2N`.
fn rotate(polynomial: &[u64], degree: usize, out: &mut [u64]) {
    let shift = degree % polynomial.len();
    let (head, tail) = polynomial.split_at(polynomial.len() - shift);
    let (wrapped, straight) = out.split_at_mut(shift);
    let copy = |out: &mut [u64], words: &[u64], negated: bool| {
        if negated {
            out.iter_mut().zip(words).for_each(|(out, word)| *out = word.wrapping_neg());
        } else {
            out.copy_from_slice(words);
        }
    };
    let negated = degree >= polynomial.len();
    copy(straight, head, negated);
    copy(wrapped, tail, !negated);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::OsEntropy;
    use crate::fhe::{GlweSecret, PartialGlwe, public_key};

    /// Mean squares of the noise of whole ciphertexts, in parts of what the formula has for a key of mean weight.
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
        let key = Rerandomizer::unpack(shape, &public_key::generate(&secret, &mut OsEntropy)).unwrap();
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
        // The pool's are those, rotated: noise shows that rotation is one of the ring.
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
