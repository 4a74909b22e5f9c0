//! Lists of LWE ciphertexts of 32-bit words, and linear maps on them.
//!
//! Between two bootstraps 32 bits of the torus are enough: the next bootstrap reads about ten bits of each mask word. Half the
//! width takes half the memory and fits twice as many words into a vector register.

use super::lwe::Lwe;
use super::stride::{BLOCK, stride};
use super::vectorized::{Loop, vectorized};
use rayon::prelude::*;
use std::ops::Range;

/// LWE ciphertexts of one dimension, one per row: mask, body, then zeros up to a multiple of the block size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LweList {
    dimension: usize,
    stride: usize,
    words: Vec<u32>,
}

/// One term of a sum: `weight` times row `input`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub input: u32,
    pub weight: i32,
}

impl LweList {
    /// `rows` trivial encryptions of zero.
    pub fn zero(rows: usize, dimension: usize) -> Self {
        let stride = stride(dimension);
        Self { dimension, stride, words: vec![0; rows * stride] }
    }

    /// Bytes that a list takes in memory.
    pub const fn bytes(rows: usize, dimension: usize) -> usize {
        4 * rows * stride(dimension)
    }

    /// The rows of all `lists` in order.
    ///
    /// # Panics
    /// Where the lists differ in dimension.
    pub fn concat(lists: impl IntoIterator<Item = Self>) -> Self {
        let joined = lists.into_iter().reduce(|mut all, list| {
            assert_eq!(all.dimension, list.dimension);
            all.words.extend(list.words);
            all
        });
        joined.unwrap_or_else(|| Self::zero(0, 0))
    }

    /// The dimension of each ciphertext: the words of its mask.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The number of ciphertexts.
    pub fn len(&self) -> usize {
        self.words.len() / self.stride
    }

    /// Whether there are no ciphertexts.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Mask and body of a ciphertext, `dimension + 1` words.
    pub fn row(&self, index: usize) -> &[u32] {
        &self.words[index * self.stride..][..=self.dimension]
    }

    /// Mask and body of every ciphertext, to be written.
    pub fn rows_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [u32]> {
        let dimension = self.dimension;
        self.words.par_chunks_mut(self.stride).map(move |row| &mut row[..=dimension])
    }

    /// A ciphertext with its words widened to 64 bits.
    pub fn lwe(&self, index: usize) -> Lwe {
        let wide = |word: &u32| u64::from(*word) << 32;
        let (body, mask) = self.row(index).split_last().expect("a row holds its body");
        Lwe { mask: mask.iter().map(wide).collect(), body: wide(body) }
    }

    /// Weighted sums of rows. For each offset in `firsts`, in order, the result has a row for each of `sums`: row `i` is
    /// `sum_t weight_t * self[first + input_t]` over the terms of `sums[i]`, with `constants[i]` added to its body.
    ///
    /// Cost: a multiply-add per word and term, in blocks that stay in vector registers. Noise: the sum of the variances
    /// times their squared weights.
    ///
    /// # Panics
    /// Where an input is no row of the list.
    pub fn combine<S: AsRef<[Term]> + Sync>(&self, firsts: &[usize], sums: &[S], constants: &[u32]) -> Self {
        assert_eq!(sums.len(), constants.len());
        self.in_shares(firsts.len() * sums.len(), usize::MAX, |first_row, rows| {
            self.add_sums(firsts, sums, constants, first_row, rows);
        })
    }

    /// So many weighted sums as [`LweList::combine`] makes them, whose terms and constants are made by `terms` where they are
    /// used: a thread has those of at most `at_once` of them.
    pub fn combine_with<F>(&self, count: usize, at_once: usize, terms: F) -> Self
    where
        F: Fn(Range<usize>) -> (Vec<Vec<Term>>, Vec<u32>) + Sync,
    {
        self.in_shares(count, at_once, |first_row, rows| {
            let (sums, constants) = terms(first_row..first_row + rows.len() / self.stride);
            self.add_sums(&[0], &sums, &constants, 0, rows);
        })
    }

    /// `count` ciphertexts of the same dimension. `add` is given a first one and the words of up to `at_once`, on some thread.
    fn in_shares(&self, count: usize, at_once: usize, add: impl Fn(usize, &mut [u32]) + Sync) -> Self {
        let mut out = Self::zero(count, self.dimension);
        let tasks = 4 * rayon::current_num_threads();
        let share = count.div_ceil(tasks).min(at_once).max(1);
        let shares = out.words.par_chunks_mut(share * self.stride).enumerate();
        shares.for_each(|(index, rows)| add(index * share, rows));
        out
    }

    /// Adds sums to `rows`, which are those from `first_row` on, on one thread.
    fn add_sums<S>(&self, firsts: &[usize], sums: &[S], constants: &[u32], first_row: usize, rows: &mut [u32])
    where
        S: AsRef<[Term]> + Sync,
    {
        vectorized(Combine { list: self, firsts, sums, first_row, rows });
        for (row, index) in rows.chunks_mut(self.stride).zip(first_row..) {
            row[self.dimension] = row[self.dimension].wrapping_add(constants[index % sums.len()]);
        }
    }

    /// Adds one block of columns of a sum to `out`.
    #[inline(always)]
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

/// Rows of sums of a list.
struct Combine<'a, S> {
    list: &'a LweList,
    firsts: &'a [usize],
    sums: &'a [S],
    first_row: usize,
    rows: &'a mut [u32],
}

impl<S: AsRef<[Term]>> Loop for Combine<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { list, firsts, sums, first_row, rows } = self;
        for block in (0..list.stride).step_by(BLOCK) {
            for (row, index) in rows.chunks_mut(list.stride).zip(first_row..) {
                let (first, sum) = (firsts[index / sums.len()], &sums[index % sums.len()]);
                list.add_block(first, sum.as_ref(), block, &mut row[block..block + BLOCK]);
            }
        }
    }
}

/// A torus word rounded to its 32 most significant bits.
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
            for at_once in [0, 1, 2, 100] {
                let terms = |rows: Range<usize>| (sums[rows.clone()].to_vec(), [1, 2, 3, 4, 5][rows].to_vec());
                let other = list.combine_with(5, at_once, terms);
                assert!((0..5).all(|index| other.row(index) == got.row(index)));
            }
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
