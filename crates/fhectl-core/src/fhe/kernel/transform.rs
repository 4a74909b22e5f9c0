//! Negacyclic Fourier transforms of `N` real coefficients, as evaluation of `M = N / 2` complex ones modulo `X^M - i`.
//!
//! Splitting down to linear factors needs no twist before and no reordering after: results stay where their factor is. A
//! polynomial of 256 complex numbers takes two passes of sixteen-point butterflies: the first across sixteen rows of sixteen
//! numbers, with scalars for twiddles; the second within the rows, which are transposed before, so that a lane is a row and
//! has its own twiddles. Shorter polynomials have fewer rows. Longer ones are split once more before.
//!
//! The order of a spectrum depends on the vector unit. All that is multiplied must come from the same one.

use super::backward::Backward;
use super::block::{Block, LANES};
use super::butterfly::{Eight, Four, One, Sixteen, Two};
use super::digits::Word;
use super::forward::{Forward, Input};
use super::passes::{Buffers, Sizes};
use super::twiddles::Twiddles;
use super::unit::vectorize;
use super::vector::Vector;

/// Calls a macro with the butterflies of a size: those before, where there are several parts, and those across rows.
macro_rules! of_size {
    ($numbers:expr, $transform:ident) => {
        match $numbers {
            32 => $transform!(One, Two),
            64 => $transform!(One, Four),
            128 => $transform!(One, Eight),
            256 => $transform!(One, Sixteen),
            512 => $transform!(Two, Sixteen),
            1024 => $transform!(Four, Sixteen),
            2048 => $transform!(Eight, Sixteen),
            4096 => $transform!(Sixteen, Sixteen),
            numbers => unreachable!("no transform of {numbers} numbers"),
        }
    };
}

/// Writes the spectrum of `input` to `spectrum`. Meanwhile asks for the blocks `ahead`.
#[inline(always)]
pub fn forward<S: Vector, I: Input>(
    s: S,
    twiddles: &Twiddles,
    input: I,
    ahead: &[Block],
    buffers: &mut Buffers,
    spectrum: &mut [Block],
) {
    macro_rules! sized {
        ($top:ty, $rows:ty) => {
            vectorize(s, Forward::<I, $top, $rows> { twiddles, input, ahead, buffers, spectrum, _sizes: Sizes::NEW })
        };
    }
    of_size!(spectrum.len() * LANES, sized)
}

/// Adds the inverse transform of `spectrum`, times `N / 2`, to `words`, rounded. Meanwhile asks for the blocks `ahead`.
#[inline(always)]
pub fn add_back<S: Vector, W: Word>(
    s: S,
    twiddles: &Twiddles,
    spectrum: &[Block],
    ahead: &[Block],
    buffers: &mut Buffers,
    words: &mut [W],
) {
    macro_rules! sized {
        ($top:ty, $rows:ty) => {
            vectorize(s, Backward::<W, $top, $rows> { twiddles, spectrum, ahead, buffers, words, _sizes: Sizes::NEW })
        };
    }
    of_size!(spectrum.len() * LANES, sized)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::kernel::block::{ROW, ZERO};
    use crate::fhe::kernel::unit::{Task, Unit};
    use crate::fhe::random::{Random, Seed};

    /// A product of two polynomials by their spectra, against integers.
    struct Product {
        size: usize,
    }

    impl Task for Product {
        type Output = ();

        fn run<S: Vector>(self, s: S) {
            let Self { size } = self;
            let mut random = Random::new(Seed([size.ilog2() as u8; 16]));
            let digits: Vec<i32> = (0..size).map(|_| random.below(2001) as i32 - 1000).collect();
            let words: Vec<i64> = (0..size).map(|_| random.word() as u32 as i32 as i64).collect();
            let numbers: Vec<f64> = words.iter().map(|word| *word as f64 * 2.0 / size as f64).collect();
            let twiddles = Twiddles::new(size / 2 / ROW, S::F64_LANES);
            let mut buffers = Buffers::new(size);
            let mut spectra = [vec![ZERO; size / 2 / LANES], vec![ZERO; size / 2 / LANES]];
            let [left, right] = &mut spectra;
            forward(s, &twiddles, digits.as_slice(), &[], &mut buffers, left);
            forward(s, &twiddles, numbers.as_slice(), &[], &mut buffers, right);
            for (left, right) in left.iter_mut().zip(right) {
                for lane in 0..LANES {
                    let (a, b, c, d) = (left.re[lane], left.im[lane], right.re[lane], right.im[lane]);
                    (left.re[lane], left.im[lane]) = (a * c - b * d, a * d + b * c);
                }
            }
            let mut expected = vec![7i64; size];
            for (i, digit) in digits.iter().enumerate() {
                for (j, word) in words.iter().enumerate() {
                    let product = i64::from(*digit) * word;
                    expected[(i + j) % size] += if i + j < size { product } else { -product };
                }
            }
            let mut sums = vec![7u32; size];
            add_back(s, &twiddles, left, &[], &mut buffers, &mut sums);
            let narrow: Vec<u32> = expected.iter().map(|word| *word as u32).collect();
            assert_eq!(sums, narrow, "N={size}, {} lanes", S::F64_LANES);
            let mut sums = vec![7u64 << 32; size];
            add_back(s, &twiddles, left, &[], &mut buffers, &mut sums);
            for (sum, word) in sums.iter().zip(narrow) {
                assert!(sum.wrapping_sub(u64::from(word) << 32).wrapping_add(1 << 30) < 1 << 31, "{sum}, {word}");
            }
        }
    }

    #[test]
    fn products_are_negacyclic_in_every_size_and_on_every_unit() {
        for unit in Unit::all() {
            for log in 6..=13 {
                unit.at_most(1 << (log - 5)).run(Product { size: 1 << log });
            }
        }
    }
}
