//! Polynomials modulo `X^N + 1` with torus words as coefficients: products with powers of `X`, and sample extraction.

use super::kernel::digits::Word;
use super::vectorized::{Loop, vectorized};
use super::{GlweShape, Lwe};

/// `out = polynomial * X^degree`, for degrees from 0 to `2N`.
pub(super) fn rotate(polynomial: &[u64], degree: usize, out: &mut [u64]) {
    let (shift, negated) = shift_and_sign(polynomial.len(), degree);
    let (head, tail) = polynomial.split_at(polynomial.len() - shift);
    let (wrapped, straight) = out.split_at_mut(shift);
    let copy = |out: &mut [u64], words: &[u64], negated: bool| {
        if negated {
            out.iter_mut().zip(words).for_each(|(out, word)| *out = word.wrapping_neg());
        } else {
            out.copy_from_slice(words);
        }
    };
    copy(straight, head, negated);
    copy(wrapped, tail, !negated);
}

/// `out = polynomial * (X^degree - 1)`, for degrees from 0 to `2N`: the factor of a CMUX that rotates its accumulator.
pub(super) fn rotate_and_subtract(polynomial: &[u64], degree: usize, out: &mut [u64]) {
    let (shift, negated) = shift_and_sign(polynomial.len(), degree);
    let (wrapped, straight) = out.split_at_mut(shift);
    let (minus_wrapped, minus_straight) = polynomial.split_at(shift);
    let (head, tail) = polynomial.split_at(polynomial.len() - shift);
    let part = |out: &mut [u64], words: &[u64], minus: &[u64], negated: bool| {
        let triples = out.iter_mut().zip(words).zip(minus);
        if negated {
            triples.for_each(|((out, word), minus)| *out = word.wrapping_add(*minus).wrapping_neg());
        } else {
            triples.for_each(|((out, word), minus)| *out = word.wrapping_sub(*minus));
        }
    };
    part(straight, head, minus_straight, negated);
    part(wrapped, tail, minus_wrapped, !negated);
}

/// `X^degree` as a shift below `N`, and whether coefficients that do not wrap around change their sign (`X^N = -1`).
fn shift_and_sign(size: usize, degree: usize) -> (usize, bool) {
    (degree % size, degree / size % 2 == 1)
}

/// The constant coefficient of a GLWE ciphertext (`k + 1` polynomials, the body last) as an LWE ciphertext.
pub(super) fn extract_constant(glwe: &[u64], shape: GlweShape) -> Lwe {
    let mut lwe = Lwe::zero(shape.lwe_dimension());
    for (polynomial, mask) in glwe.chunks(shape.size).zip(lwe.mask.chunks_mut(shape.size)) {
        extract_constant_mask(polynomial, mask, |out, word| *out = word);
    }
    lwe.body = glwe[shape.lwe_dimension()];
    lwe
}

/// The mask words of the constant coefficient, for one polynomial of the mask (TFHE, section 4.2): `a_0`, then `-a_{N-j}`.
/// `write` puts each into its place in `out`.
pub(super) fn extract_constant_mask<W: Word, T>(polynomial: &[W], out: &mut [T], write: impl Fn(&mut T, W)) {
    write(&mut out[0], polynomial[0]);
    for (out, word) in out[1..].iter_mut().zip(polynomial[1..].iter().rev()) {
        write(out, word.negate());
    }
}

/// The constant coefficient of `left * right`.
pub(super) fn constant_of_product(left: &[u64], right: &[u64]) -> u64 {
    vectorized(ConstantOfProduct { left, right })
}

struct ConstantOfProduct<'a> {
    left: &'a [u64],
    right: &'a [u64],
}

impl Loop for ConstantOfProduct<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let Self { left, right } = self;
        let wrapped = left[1..].iter().zip(right[1..].iter().rev());
        wrapped.fold(left[0].wrapping_mul(right[0]), |sum, (l, r)| sum.wrapping_sub(l.wrapping_mul(*r)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn times_x(polynomial: &[u64]) -> Vec<u64> {
        let (last, rest) = polynomial.split_last().unwrap();
        [&[last.wrapping_neg()], rest].concat()
    }

    proptest! {
        #[test]
        fn powers_of_x_are_repeated_products_with_x(polynomial: [u64; 8], degree in 0usize..=16) {
            let wanted = (0..degree).fold(polynomial.to_vec(), |polynomial, _| times_x(&polynomial));
            let mut out = vec![1; 8];
            rotate(&polynomial, degree, &mut out);
            prop_assert_eq!(&out, &wanted);
            rotate_and_subtract(&polynomial, degree, &mut out);
            let wanted: Vec<u64> = wanted.iter().zip(polynomial).map(|(a, b)| a.wrapping_sub(b)).collect();
            prop_assert_eq!(&out, &wanted);
        }
    }
}
