//! Words of the torus, and their digits.

use super::vector::Vector;
use crate::fhe::noise::Gadget;
use pulp::bytemuck;

/// Words that are decomposed together, a cache line of 32-bit ones.
pub const LINE: usize = 16;

/// A word of an accumulator: a fraction of a turn of 32 or 64 bits.
pub trait Word: Copy + Default + PartialEq + Send + Sync + 'static {
    /// The word of 64 bits that is closest.
    fn wide(self) -> u64;

    fn negate(self) -> Self;

    /// Gadget decomposition of each word of a line, rounded to `levels * base_log` bits, fewer than the word has: `levels`
    /// balanced digits, the level of the smallest factor first, as in the wire form of a GGSW ciphertext. Digits lie in
    /// `[-B/2, B/2]`. Those of level `l` and word `i` go to `digits[l * size + first + i]`.
    ///
    /// The digits of a uniform word have mean zero: words that are each other's negatives have digits that are. What is half
    /// way between two roundings goes away from zero; `-B/2` and `B/2` are the same up to a carry, and each is used for half
    /// of the words. If the mean were `-1/2`, the noise would have a mean that depends on the computation (the noise of the
    /// key, rotated), and averaging many answers would disclose it.
    fn decompose<S: Vector>(s: S, line: Line<'_, Self>, gadget: Gadget, size: usize, first: usize, digits: &mut [i32]);

    /// Adds the nearest words to numbers in units of 2^-32, a vector of them.
    fn add_rounded<S: Vector>(s: S, values: S::f64s, words: &mut [Self]);
}

/// Sixteen words of a factor: `from`, or its negative, less `less`.
#[derive(Clone, Copy)]
pub struct Line<'a, W> {
    pub from: &'a [W; LINE],
    pub negative: bool,
    pub less: Option<&'a [W; LINE]>,
}

impl Word for u32 {
    #[inline(always)]
    fn wide(self) -> u64 {
        u64::from(self) << 32
    }

    #[inline(always)]
    fn negate(self) -> Self {
        self.wrapping_neg()
    }

    /// With vectors by name: compilers read arrays of words piece by piece.
    #[inline(always)]
    fn decompose<S: Vector>(s: S, line: Line<'_, Self>, gadget: Gadget, size: usize, first: usize, digits: &mut [i32]) {
        let Gadget { base_log, levels, .. } = gadget;
        let unused = Self::BITS - base_log * levels;
        let number = |number: u32| s.splat_u32s(number);
        let shift_right = |words: S::u32s, by: u32| s.wrapping_dyn_shr_u32s(words, number(by));
        // Shifts of signed words are those of words that are half a turn more.
        let divide = |words: S::u32s, by: u32| {
            let shifted = shift_right(s.add_u32s(words, number(1 << 31)), by);
            s.sub_u32s(shifted, number(1 << (31 - by)))
        };
        let sign = number(if line.negative { u32::MAX } else { 0 });
        for vector in 0..LINE / S::U32_LANES {
            let mut word = S::as_simd_u32s(line.from).0[vector];
            word = s.sub_u32s(s.xor_u32s(word, sign), sign);
            if let Some(less) = line.less {
                word = s.sub_u32s(word, S::as_simd_u32s(less).0[vector]);
            }
            // Does not wrap around: a word next to half a turn keeps its sign.
            let below = s.and_u32s(word, number((1 << unused) - 1));
            let below = s.sub_u32s(s.add_u32s(below, number(1 << (unused - 1))), shift_right(word, 31));
            let mut rest = s.add_u32s(divide(word, unused), shift_right(below, unused));
            let mut put = |level: u32, digit: S::u32s| {
                let digits = &mut digits[level as usize * size + first..][..LINE];
                S::as_mut_simd_u32s(bytemuck::cast_slice_mut(digits)).0[vector] = digit;
            };
            for level in 0..levels - 1 {
                let (low, above) = (s.and_u32s(rest, number((1 << base_log) - 1)), divide(rest, base_log));
                // A digit above B/2 carries. B/2 itself carries where the next digit is in its own upper half.
                let upper = s.and_u32s(s.or_u32s(s.sub_u32s(low, number(1)), above), low);
                let carry = shift_right(s.and_u32s(upper, number(1 << (base_log - 1))), base_log - 1);
                put(level, s.sub_u32s(low, s.wrapping_dyn_shl_u32s(carry, number(base_log))));
                rest = s.add_u32s(above, carry);
            }
            put(levels - 1, rest);
        }
    }

    #[inline(always)]
    fn add_rounded<S: Vector>(s: S, values: S::f64s, words: &mut [Self]) {
        s.add_rounded(values, words);
    }
}

impl Word for u64 {
    #[inline(always)]
    fn wide(self) -> u64 {
        self
    }

    #[inline(always)]
    fn negate(self) -> Self {
        self.wrapping_neg()
    }

    #[inline(always)]
    fn decompose<S: Vector>(_: S, line: Line<'_, Self>, gadget: Gadget, size: usize, first: usize, digits: &mut [i32]) {
        let Gadget { base_log, levels, .. } = gadget;
        let unused = Self::BITS - base_log * levels;
        let (below, half_way) = ((1i64 << unused) - 1, 1i64 << (unused - 1));
        let sign = if line.negative { u64::MAX } else { 0 };
        let mut rest = [0i64; LINE];
        for (index, rest) in rest.iter_mut().enumerate() {
            let less = line.less.map_or(0, |less| less[index]);
            let word = (line.from[index] ^ sign).wrapping_sub(sign).wrapping_sub(less) as i64;
            let negative = (word as u64 >> 63) as i64;
            *rest = (word >> unused) + (((word & below) + half_way - negative) >> unused);
        }
        let (mask, half) = ((1i64 << base_log) - 1, 1i64 << (base_log - 1));
        for level in 0..levels as usize - 1 {
            let digits = &mut digits[level * size + first..][..LINE];
            for (digit, rest) in digits.iter_mut().zip(&mut rest) {
                let (low, above) = (*rest & mask, *rest >> base_log);
                let carry = (((low - 1) | above) & low & half) >> (base_log - 1);
                *digit = (low - (carry << base_log)) as i32;
                *rest = above + carry;
            }
        }
        let top = &mut digits[(levels as usize - 1) * size + first..][..LINE];
        for (digit, rest) in top.iter_mut().zip(rest) {
            *digit = rest as i32;
        }
    }

    #[inline(always)]
    fn add_rounded<S: Vector>(s: S, values: S::f64s, words: &mut [Self]) {
        s.add_rounded_wide(values, words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::kernel::unit::{Task, Unit};
    use proptest::prelude::*;

    struct Digits<W>([W; LINE], Gadget);

    impl<W: Word> Task for Digits<W> {
        type Output = Vec<i32>;

        fn run<S: Vector>(self, s: S) -> Vec<i32> {
            let Self(words, gadget) = self;
            let mut digits = vec![0; LINE * gadget.levels as usize];
            let others = words.map(|word| word.negate());
            W::decompose(s, Line { from: &others, negative: true, less: None }, gadget, LINE, 0, &mut digits);
            digits
        }
    }

    fn digits<W: Word>(words: [W; LINE], base_log: u32, levels: u32) -> Vec<i32> {
        let mut of_units =
            Unit::all().into_iter().map(|unit| unit.run(Digits(words, Gadget { base_log, levels, key_bits: 64 })));
        let first = of_units.next().unwrap();
        assert!(of_units.all(|digits| digits == first), "units agree");
        first
    }

    fn check_sums<W: Word>(words: [W; LINE], base_log: u32, levels: u32) {
        let digits = digits(words, base_log, levels);
        for (index, word) in words.iter().enumerate() {
            let sum = (0..levels).fold(0u64, |sum, level| {
                let digit = i64::from(digits[level as usize * LINE + index]);
                let half = 1 << (base_log - 1);
                assert!((-half..=half).contains(&digit));
                sum.wrapping_add((digit as u64) << (64 - base_log * (levels - level)))
            });
            let error = (word.wide().wrapping_sub(sum) as i64).unsigned_abs();
            assert!(error <= 1 << (63 - base_log * levels), "{}: off by {error}", word.wide());
        }
    }

    fn check_negatives<W: Word>(words: [W; LINE], base_log: u32, levels: u32) {
        let opposite: Vec<i32> = digits(words.map(W::negate), base_log, levels).iter().map(|digit| -digit).collect();
        assert_eq!(digits(words, base_log, levels), opposite);
    }

    /// Digits of every word of few bits: the lowest digit is rounded, and each has mean zero. Half a turn is its own
    /// negative: its digits have no opposite.
    #[test]
    fn digits_of_all_words_have_no_mean() {
        for (base_log, levels) in [(3, 1), (3, 2), (2, 3), (6, 1)] {
            let words: Vec<u32> = (0..1u32 << 10).map(|word| word << 22).collect();
            let mut sums = vec![0i64; levels as usize];
            for line in words.as_chunks().0 {
                for (sum, digits) in sums.iter_mut().zip(digits(*line, base_log, levels).chunks(LINE)) {
                    *sum += digits.iter().map(|digit| i64::from(*digit)).sum::<i64>();
                }
            }
            let of_half_a_turn = digits([1u32 << 31; LINE], base_log, levels);
            for (level, sum) in sums.iter().enumerate() {
                assert_eq!(*sum, i64::from(of_half_a_turn[level * LINE]), "digit {level} of base 2^{base_log}");
            }
        }
    }

    proptest! {
        #[test]
        fn digits_are_balanced_and_add_up(words: [u32; LINE], base_log in 2u32..24, levels in 1u32..4) {
            let wide = words.map(|word| u64::from(word).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            if base_log * levels < 32 {
                check_sums(words, base_log, levels);
                // Every third word is half way between two roundings, or would be with one bit more.
                check_sums(words.map(|word| word << (word % 3 * 8)), base_log, levels);
            }
            if base_log * levels <= 52 {
                check_sums(wide, base_log, levels);
            }
        }

        #[test]
        fn negatives_have_negative_digits(words: [u32; LINE], base_log in 2u32..24, levels in 1u32..4) {
            let words = words.map(|word| if word == 1 << 31 { 1 } else { word });
            let wide = words.map(|word| u64::from(word).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            if base_log * levels < 32 {
                check_negatives(words, base_log, levels);
                let short = words.map(|word| word << 8).map(|word| if word == 1 << 31 { 0 } else { word });
                check_negatives(short, base_log, levels);
            }
            if base_log * levels <= 52 {
                check_negatives(wide, base_log, levels);
            }
        }
    }
}
