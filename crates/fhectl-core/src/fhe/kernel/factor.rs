//! What is multiplied with a GGSW ciphertext.

use super::digits::{LINE, Line, Word};
use super::unit::Task;
use super::vector::Vector;
use crate::fhe::noise::Gadget;

/// The factor of a product, which may depend on the accumulator that the product is added to.
pub trait Factor<W: Word>: Copy {
    /// Words before the coefficients of each polynomial of an accumulator.
    const BORDER: usize;

    /// Whether this polynomial is known to be zero.
    fn is_zero(&self, polynomial: usize, size: usize) -> bool;

    /// Sixteen words of a polynomial of the factor, from coefficient `first` on. `own` is the accumulator's polynomial,
    /// with its border.
    fn line<'a>(&'a self, own: &'a [W], polynomial: usize, size: usize, first: usize) -> Line<'a, W>;

    /// Writes the border of an accumulator's polynomial that changed.
    fn border(own: &mut [W]);
}

/// A factor that does not depend on the accumulator: polynomials one after the other.
#[derive(Clone, Copy)]
pub struct Plain<'a, W>(pub &'a [W]);

impl<W: Word> Factor<W> for Plain<'_, W> {
    const BORDER: usize = 0;

    /// So are the masks of trivial ciphertexts, as at the leaves of a CMUX tree.
    fn is_zero(&self, polynomial: usize, size: usize) -> bool {
        self.0[polynomial * size..][..size].iter().all(|word| *word == W::default())
    }

    #[inline(always)]
    fn line<'a>(&'a self, _: &'a [W], polynomial: usize, size: usize, first: usize) -> Line<'a, W> {
        let from = self.0[polynomial * size + first..].first_chunk().expect("a line");
        Line { from, negative: false, less: None }
    }

    fn border(_: &mut [W]) {}
}

/// The accumulator times `X^degree - 1`, for degrees below `2N`: the product rotates it where the encrypted bit is one.
///
/// Before the coefficients stand the last ones, negated, so that sixteen coefficients of a rotation are sixteen words in a
/// row.
#[derive(Clone, Copy, Default)]
pub struct Turn {
    pub degree: usize,
}

impl<W: Word> Factor<W> for Turn {
    const BORDER: usize = LINE;

    fn is_zero(&self, _: usize, _: usize) -> bool {
        false
    }

    #[inline(always)]
    fn line<'a>(&'a self, own: &'a [W], _: usize, size: usize, first: usize) -> Line<'a, W> {
        // Sizes are powers of two.
        let (shift, odd) = (self.degree & (size - 1), self.degree & size != 0);
        let wraps = first + LINE <= shift;
        let from = if wraps { first + LINE + size - shift } else { first + LINE - shift };
        let from = own[from..].first_chunk().expect("a line");
        Line { from, negative: wraps != odd, less: own[LINE + first..].first_chunk() }
    }

    #[inline(always)]
    fn border(own: &mut [W]) {
        let (border, coefficients) = own.split_at_mut(LINE);
        let last = &coefficients[coefficients.len() - LINE..];
        for (before, word) in border.iter_mut().zip(last) {
            *before = word.negate();
        }
    }
}

/// Writes the digits of a polynomial of a factor, level by level.
pub struct Decompose<'a, W, F> {
    pub factor: F,
    /// The accumulator's polynomial, and which it is.
    pub own: &'a [W],
    pub polynomial: usize,
    pub gadget: Gadget,
    pub digits: &'a mut [i32],
}

impl<W: Word, F: Factor<W>> Task for Decompose<'_, W, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Vector>(self, s: S) {
        let Self { factor, own, polynomial, gadget, digits } = self;
        let size = own.len() - F::BORDER;
        macro_rules! lines {
            ($levels:expr) => {
                for first in (0..size).step_by(LINE) {
                    let gadget = Gadget { levels: $levels, ..gadget };
                    W::decompose(s, factor.line(own, polynomial, size, first), gadget, size, first, digits);
                }
            };
        }
        // With a known number of levels its loop is none.
        match gadget.levels {
            1 => lines!(1),
            levels => lines!(levels),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::polynomial::rotate_and_subtract;

    #[test]
    fn turns_rotate_and_subtract() {
        for size in [64usize, 128] {
            let polynomial: Vec<u64> = (1..=size as u64).map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            let mut own = [vec![0; LINE], polynomial.clone()].concat();
            <Turn as Factor<u64>>::border(&mut own);
            let mut expected = vec![0; size];
            for degree in 0..2 * size {
                rotate_and_subtract(&polynomial, degree, &mut expected);
                for (index, expected) in expected.as_chunks::<LINE>().0.iter().enumerate() {
                    let turn = Turn { degree };
                    let line = turn.line(&own, 0, size, index * LINE);
                    for (i, expected) in expected.iter().enumerate() {
                        let from = if line.negative { line.from[i].negate() } else { line.from[i] };
                        assert_eq!(from.wrapping_sub(line.less.unwrap()[i]), *expected, "X^{degree}");
                    }
                }
            }
        }
    }
}
