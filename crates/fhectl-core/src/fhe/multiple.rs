//! Multiples of rows of 64-bit words.

#[cfg(feature = "evaluate")]
use super::kernel::unit::{Task, Unit};
#[cfg(feature = "evaluate")]
use super::kernel::vector::Vector;

/// `out += factor * words`, word by word. A vector unit adds or subtracts where the factor is one or minus one.
pub(super) fn add_multiple(words: &[u64], factor: u64, out: &mut [u64]) {
    #[cfg(feature = "evaluate")]
    Unit::chosen().compute(Multiple { words, factor, out });
    #[cfg(not(feature = "evaluate"))]
    add(words, factor, out);
}

#[inline(always)]
fn add(words: &[u64], factor: u64, out: &mut [u64]) {
    let pairs = out.iter_mut().zip(words);
    match factor {
        1 => pairs.for_each(|(out, word)| *out = out.wrapping_add(*word)),
        u64::MAX => pairs.for_each(|(out, word)| *out = out.wrapping_sub(*word)),
        _ => pairs.for_each(|(out, word)| *out = out.wrapping_add(word.wrapping_mul(factor))),
    }
}

#[cfg(feature = "evaluate")]
struct Multiple<'a> {
    words: &'a [u64],
    factor: u64,
    out: &'a mut [u64],
}

#[cfg(feature = "evaluate")]
impl Task for Multiple<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Vector>(self, _: S) {
        add(self.words, self.factor, self.out);
    }
}
