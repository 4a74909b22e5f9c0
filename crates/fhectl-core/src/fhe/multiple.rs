//! Multiples of rows of 64-bit words.

use super::vectorized::{Loop, vectorized};

/// `out += factor * words`, word by word. A vector unit adds or subtracts where the factor is one or minus one.
pub(super) fn add_multiple(words: &[u64], factor: u64, out: &mut [u64]) {
    vectorized(Multiple { words, factor, out });
}

struct Multiple<'a> {
    words: &'a [u64],
    factor: u64,
    out: &'a mut [u64],
}

impl Loop for Multiple<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let pairs = self.out.iter_mut().zip(self.words);
        match self.factor {
            1 => pairs.for_each(|(out, word)| *out = out.wrapping_add(*word)),
            u64::MAX => pairs.for_each(|(out, word)| *out = out.wrapping_sub(*word)),
            factor => pairs.for_each(|(out, word)| *out = out.wrapping_add(word.wrapping_mul(factor))),
        }
    }
}
