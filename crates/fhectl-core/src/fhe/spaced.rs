//! Encrypted bits at a fixed stride in polynomials, so that many answers share one ciphertext.
//!
//! Bit `i` is coefficient `stride * i` of a seeded list; the coefficients between are zero. So `X^(j - stride * i)` times the
//! ciphertext has the bit at coefficient `j` and only noise at the other coefficients below `stride`: the other bits are at
//! other multiples of the stride. The sums for `stride` answers therefore add up in one ciphertext, of which the mask and
//! these coefficients are kept.

use super::multiple::add_multiple;
use super::partial_glwe::PartialGlwe;
use super::random::Random;
use super::{GlweShape, SeededLayout};
use crate::error::Result;
use rayon::prelude::*;

/// Mask words that one task expands.
const TASK_WORDS: usize = 1 << 14;

/// Expanded ciphertexts of bits at a fixed stride.
pub struct SpacedList {
    shape: GlweShape,
    stride: usize,
    masks: Vec<u64>,
    bodies: Vec<u64>,
}

/// A sum of bits, each rotated to the constant coefficient: the whole mask, and the coefficients of the body that can reach
/// the first `stride` coefficients of an answer.
pub struct BitSum {
    size: usize,
    mask: Vec<u64>,
    /// Coefficients `1 - stride .. stride` of the body. Negative ones have wrapped around, with their sign changed.
    window: Vec<u64>,
}

impl SpacedList {
    /// Reads a list of whole ciphertexts. The stride divides the polynomial size.
    ///
    /// # Errors
    /// As [`SeededLayout::parse`].
    pub fn expand(layout: &SeededLayout, stride: usize, bytes: &[u8]) -> Result<Self> {
        debug_assert!(layout.bodies.is_multiple_of(layout.shape.size) && layout.shape.size.is_multiple_of(stride));
        let (seed, bodies) = layout.parse(bytes)?;
        let mut masks = vec![0; layout.ciphertexts() * layout.shape.lwe_dimension()];
        masks.par_chunks_mut(TASK_WORDS).enumerate().for_each(|(task, words)| {
            Random::at_word(&seed, (task * TASK_WORDS) as u64).fill_uniform(words);
        });
        Ok(Self { shape: layout.shape, stride, masks, bodies })
    }

    /// A sum of no bits.
    pub fn sum(&self) -> BitSum {
        BitSum {
            size: self.shape.size,
            mask: vec![0; self.shape.lwe_dimension()],
            window: vec![0; 2 * self.stride - 1],
        }
    }

    /// `sum += bit`, or `sum -= bit`. Noise: [`super::noise::seeded_variance`] in every coefficient.
    pub fn add_bit(&self, index: usize, negative: bool, sum: &mut BitSum) {
        let (size, dimension) = (self.shape.size, self.shape.lwe_dimension());
        let (ciphertext, at) = (index * self.stride / size, index * self.stride % size);
        let mask = &self.masks[ciphertext * dimension..][..dimension];
        for (a, out) in mask.chunks(size).zip(sum.mask.chunks_mut(size)) {
            // Times X^-at: coefficients below `at` wrap around to the top and change their sign.
            let (wrapped, straight) = a.split_at(at);
            let (low, high) = out.split_at_mut(size - at);
            add(straight, negative, low);
            add(wrapped, !negative, high);
        }
        let body = &self.bodies[ciphertext * size..][..size];
        let before = at.min(self.stride - 1);
        let (wrapped, straight) = sum.window.split_at_mut(self.stride - 1 - before);
        add(&body[size - wrapped.len()..], !negative, wrapped);
        add(&body[at - before..][..straight.len()], negative, straight);
    }
}

impl BitSum {
    /// Sets the sum to zero.
    pub fn clear(&mut self) {
        self.mask.fill(0);
        self.window.fill(0);
    }

    /// `out += factor * X^at * self`, in the coefficients that `out` holds. `at` is one of them.
    pub fn add_to(&self, factor: i64, at: usize, out: &mut PartialGlwe) {
        let factor = factor as u64;
        for (a, out) in self.mask.chunks(self.size).zip(out.mask.chunks_mut(self.size)) {
            let (straight, wrapped) = a.split_at(self.size - at);
            let (low, high) = out.split_at_mut(at);
            add_multiple(wrapped, factor.wrapping_neg(), low);
            add_multiple(straight, factor, high);
        }
        let middle = self.window.len() / 2;
        add_multiple(&self.window[middle - at..][..out.bodies.len()], factor, &mut out.bodies);
    }
}

fn add(words: &[u64], negative: bool, out: &mut [u64]) {
    add_multiple(words, if negative { u64::MAX } else { 1 }, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::GlweSecret;
    use crate::fhe::random::OsEntropy;

    #[test]
    fn answers_stand_side_by_side() {
        for (shape, stride, bits) in
            [(GlweShape::new(3, 512), 8, 150usize), (GlweShape::new(1, 1024), 1, 40), (GlweShape::new(40, 16), 16, 9)]
        {
            let secret = GlweSecret::generate(shape, &mut OsEntropy);
            let layout = SeededLayout { shape, bodies: (bits * stride).next_multiple_of(shape.size), bits: 60 };
            let step = 1u64 << 60;
            let set = |bit: usize| bit % 3 == 1;
            let mut messages = vec![0; layout.bodies];
            (0..bits).filter(|bit| set(*bit)).for_each(|bit| messages[bit * stride] = step);
            let request = layout.encrypt(&secret, &messages, &mut OsEntropy);
            let list = SpacedList::expand(&layout, stride, &request).unwrap();
            let mut out = PartialGlwe::zero(shape, stride);
            let mut wanted = vec![0i64; stride];
            let mut sum = list.sum();
            for (at, wanted) in wanted.iter_mut().enumerate() {
                // The first and the last bit of a polynomial are among them.
                let terms = [(at % bits, false), (bits - 1, true), ((at + shape.size / stride - 1) % bits, false)];
                let factor = at as i64 % 5 - 2;
                sum.clear();
                for (bit, negative) in terms {
                    list.add_bit(bit, negative, &mut sum);
                    *wanted += factor * i64::from(set(bit)) * if negative { -1 } else { 1 };
                }
                sum.add_to(factor, at, &mut out);
            }
            for (phase, wanted) in secret.phases(&out).into_iter().zip(wanted) {
                let error = phase.word().wrapping_sub(wanted as u64 * step) as i64;
                assert!(error.unsigned_abs() < 1 << 58, "{shape:?}: off by {error}");
            }
            assert!(SpacedList::expand(&layout, stride, &request[1..]).is_err());
        }
    }
}
