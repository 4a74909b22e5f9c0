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
        self.key.add_zero(glwe, &mut Random::at_word(self.seed, WORDS_EACH * index as u64));
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
    /// Encryptions in a pool, a power of two.
    const SIZE: usize = 8;

    /// A pool for so many leaves, made on all threads of the current pool.
    pub fn new(key: &Rerandomizer, leaves: usize, random: &mut Random) -> Self {
        let shape = key.shape();
        let glwe = shape.lwe_dimension() + shape.size;
        let mut zeros = vec![0; glwe * Self::SIZE.min(leaves.next_power_of_two())];
        let sources = Zeros::new(key, random);
        zeros.par_chunks_mut(glwe).enumerate().for_each(|(index, zero)| sources.add(index, zero));
        let mut choices = vec![0; leaves];
        random.fill_uniform(&mut choices);
        Self { shape, zeros, choices }
    }

    /// Writes the zero of leaf `leaf` to a GLWE ciphertext.
    pub fn write(&self, leaf: usize, glwe: &mut [u64]) {
        let GlweShape { size, .. } = self.shape;
        let choice = self.choices[leaf] as usize;
        let zero = choice % (self.zeros.len() / glwe.len());
        let degree = (choice >> 32) % (2 * size);
        let zero = &self.zeros[zero * glwe.len()..][..glwe.len()];
        for (polynomial, out) in zero.chunks(size).zip(glwe.chunks_mut(size)) {
            rotate(polynomial, degree, out);
        }
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
