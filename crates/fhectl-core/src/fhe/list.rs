//! Lists of LWE ciphertexts in 32-bit words, and linear maps on them.
//!
//! What a network computes between two bootstraps needs no more than 32 bits of the torus: the bootstrap that follows
//! reads some ten bits of every mask word. Half the width is half the memory and twice the lanes of a vector unit.

use super::lwe::Lwe;
use rayon::prelude::*;

/// Words that a sum is kept in registers for. Rows are padded to a multiple of it.
const BLOCK: usize = 128;

/// LWE ciphertexts of one dimension, one a row: the mask's words, the body, zeros up to a multiple of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LweList {
    dimension: usize,
    stride: usize,
    words: Vec<u32>,
}

/// One term of a sum: `weight * (row `input`)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub input: u32,
    pub weight: i32,
}

impl LweList {
    /// `rows` trivial encryptions of zero.
    pub fn zero(rows: usize, dimension: usize) -> Self {
        let stride = (dimension + 1).next_multiple_of(BLOCK);
        Self { dimension, stride, words: vec![0; rows * stride] }
    }

    /// Bytes of a list.
    pub const fn bytes(rows: usize, dimension: usize) -> usize {
        4 * rows * (dimension + 1).next_multiple_of(BLOCK)
    }

    /// The rows of all `lists`, which have one dimension, one after the other.
    pub fn concat(lists: impl IntoIterator<Item = Self>) -> Self {
        let joined = lists.into_iter().reduce(|mut all, list| {
            assert_eq!(all.dimension, list.dimension);
            all.words.extend(list.words);
            all
        });
        joined.unwrap_or_else(|| Self::zero(0, 0))
    }

    pub fn dimension(&self) -> usize {
        self.dimension
    }

    pub fn len(&self) -> usize {
        self.words.len() / self.stride
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Mask and body of a row, `dimension + 1` words.
    pub fn row(&self, index: usize) -> &[u32] {
        &self.words[index * self.stride..][..=self.dimension]
    }

    /// Mask and body of every row, to be written.
    pub fn rows_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [u32]> {
        let dimension = self.dimension;
        self.words.par_chunks_mut(self.stride).map(move |row| &mut row[..=dimension])
    }

    /// A row as a ciphertext of 64-bit words.
    pub fn lwe(&self, index: usize) -> Lwe {
        let wide = |word: &u32| u64::from(*word) << 32;
        let (body, mask) = self.row(index).split_last().expect("a row holds its body");
        Lwe { mask: mask.iter().map(wide).collect(), body: wide(body) }
    }

    /// The sums of weighted rows: row `i` of the result is `sum_t weight_t * self[first + input_t] + constants[i]`
    /// with `i`-th `sums`, for every `first` in `firsts`, one after the other.
    ///
    /// Cost: a multiply-add a word and term, in blocks that stay in vector registers. Noise: variances times squared
    /// weights add up.
    ///
    /// # Panics
    /// Where an input is no row of the list.
    pub fn combine<S: AsRef<[Term]> + Sync>(&self, firsts: &[usize], sums: &[S], constants: &[u32]) -> Self {
        assert_eq!(sums.len(), constants.len());
        let mut out = Self::zero(firsts.len() * sums.len(), self.dimension);
        if sums.is_empty() {
            return out;
        }
        let tasks = 4 * rayon::current_num_threads();
        let share = out.len().div_ceil(tasks).max(1);
        out.words.par_chunks_mut(share * self.stride).enumerate().for_each(|(task, rows)| {
            for block in (0..self.stride).step_by(BLOCK) {
                for (row, index) in rows.chunks_mut(self.stride).zip(task * share..) {
                    let (first, sum) = (firsts[index / sums.len()], &sums[index % sums.len()]);
                    self.add_block(first, sum.as_ref(), block, &mut row[block..block + BLOCK]);
                }
            }
            for (row, index) in rows.chunks_mut(self.stride).zip(task * share..) {
                row[self.dimension] = row[self.dimension].wrapping_add(constants[index % sums.len()]);
            }
        });
        out
    }

    /// One block of columns of one sum.
    fn add_block(&self, first: usize, sum: &[Term], block: usize, out: &mut [u32]) {
        let mut total = [0u32; BLOCK];
        for term in sum {
            let weight = term.weight as u32;
            let row = &self.words[(first + term.input as usize) * self.stride + block..][..BLOCK];
            for (total, word) in total.iter_mut().zip(row) {
                *total = total.wrapping_add(word.wrapping_mul(weight));
            }
        }
        for (out, total) in out.iter_mut().zip(total) {
            *out = out.wrapping_add(total);
        }
    }
}

/// A torus word in 32 bits, rounded.
pub const fn narrow(word: u64) -> u32 {
    (word.wrapping_add(1 << 31) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::{Random, Seed};

    #[test]
    fn sums_are_those_of_the_rows() {
        let mut random = Random::new(Seed([3; 16]));
        for dimension in [1, 127, 128, 700] {
            let mut list = LweList::zero(9, dimension);
            list.words.iter_mut().for_each(|word| *word = random.word() as u32);
            let sums: Vec<Vec<Term>> = (0..5)
                .map(|length| {
                    let term = |_| Term { input: (random.word() % 4) as u32, weight: random.word() as i32 % 100 };
                    (0..length).map(term).collect()
                })
                .collect();
            let got = list.combine(&[0, 5, 2], &sums, &[1, 2, 3, 4, 5]);
            assert_eq!(got.len(), 15);
            for (index, first) in [0, 5, 2].into_iter().enumerate() {
                for (o, sum) in sums.iter().enumerate() {
                    for word in 0..=dimension {
                        let terms =
                            sum.iter().map(|t| list.row(first + t.input as usize)[word].wrapping_mul(t.weight as u32));
                        let body = if word == dimension { o as u32 + 1 } else { 0 };
                        let expected = terms.fold(body, u32::wrapping_add);
                        assert_eq!(got.row(index * 5 + o)[word], expected);
                    }
                }
            }
        }
    }

    #[test]
    fn narrowing_rounds() {
        assert_eq!(narrow(0x1_8000_0000), 2);
        assert_eq!(narrow(0x1_7fff_ffff), 1);
        assert_eq!(narrow(u64::MAX), 0);
    }
}
