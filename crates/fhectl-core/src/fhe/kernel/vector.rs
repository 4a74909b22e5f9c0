//! What a vector unit must do beyond [`pulp::Simd`]: transpose, and go between words and numbers.

use pulp::{Scalar, Simd, bytemuck};

/// Numbers that are added to force rounding: nearest multiples of one, in the low bits of the sum.
const MAGIC: f64 = 1.5 * (1u64 << 52) as f64;
/// Units of a 32-bit word in a turn of the torus.
const TURN: f64 = (1u64 << 32) as f64;

pub trait Vector: Simd {
    /// Transposes the square of as many vectors as a vector has lanes: `read(i)`, to `write(j, _)`.
    fn transpose(self, read: impl Fn(usize) -> Self::f64s, write: impl FnMut(usize, Self::f64s));

    /// A vector of integers, one a lane.
    fn integers(self, digits: &[i32]) -> Self::f64s;

    /// `a * b + c`, fused where the unit can.
    #[inline(always)]
    fn fma(self, a: Self::f64s, b: Self::f64s, c: Self::f64s) -> Self::f64s {
        self.mul_add_f64s(a, b, c)
    }

    /// `c - a * b`, fused where the unit can.
    #[inline(always)]
    fn fnma(self, a: Self::f64s, b: Self::f64s, c: Self::f64s) -> Self::f64s {
        self.negate_mul_add_f64s(a, b, c)
    }

    /// Values without whole turns of 2^32, at most half a turn in magnitude. For values below 2^62.
    #[inline(always)]
    fn within_a_turn(self, values: Self::f64s) -> Self::f64s {
        let magic = self.splat_f64s(MAGIC);
        let turns = self.sub_f64s(self.fma(values, self.splat_f64s(1.0 / TURN), magic), magic);
        self.fnma(turns, self.splat_f64s(TURN), values)
    }

    /// Adds the nearest integers, modulo 2^32, to a word a lane. For values below 2^62.
    #[inline(always)]
    fn add_rounded(self, values: Self::f64s, words: &mut [u32]) {
        let rounded = self.add_f64s(self.within_a_turn(values), self.splat_f64s(MAGIC));
        let rounded: &[u64] = bytemuck::cast_slice(std::slice::from_ref(&rounded));
        for (word, rounded) in words.iter_mut().zip(rounded) {
            *word = word.wrapping_add(*rounded as u32);
        }
    }

    /// As [`Vector::add_rounded`], to words of 64 bits that count 2^-32: with what 32 bits round away.
    #[inline(always)]
    fn add_rounded_wide(self, values: Self::f64s, words: &mut [u64]) {
        let (magic, rest) = (self.splat_f64s(MAGIC), self.within_a_turn(values));
        let high = self.add_f64s(rest, magic);
        let low = self.sub_f64s(rest, self.sub_f64s(high, magic));
        let low = self.fma(low, self.splat_f64s(TURN), magic);
        let high: &[u64] = bytemuck::cast_slice(std::slice::from_ref(&high));
        let low: &[u64] = bytemuck::cast_slice(std::slice::from_ref(&low));
        for ((word, high), low) in words.iter_mut().zip(high).zip(low) {
            *word = word.wrapping_add(high << 32).wrapping_add(low.wrapping_sub(MAGIC.to_bits()));
        }
    }
}

impl Vector for Scalar {
    #[inline(always)]
    fn transpose(self, read: impl Fn(usize) -> f64, mut write: impl FnMut(usize, f64)) {
        write(0, read(0));
    }

    #[inline(always)]
    fn integers(self, digits: &[i32]) -> f64 {
        f64::from(digits[0])
    }

    /// Fused, it would be a call of a function: machines with an instruction for it have vectors too.
    #[inline(always)]
    fn fma(self, a: f64, b: f64, c: f64) -> f64 {
        a * b + c
    }

    #[inline(always)]
    fn fnma(self, a: f64, b: f64, c: f64) -> f64 {
        c - a * b
    }
}

#[cfg(target_arch = "aarch64")]
impl Vector for pulp::aarch64::Neon {
    #[inline(always)]
    fn transpose(self, read: impl Fn(usize) -> Self::f64s, mut write: impl FnMut(usize, Self::f64s)) {
        let ([a, b], [c, d]): ([f64; 2], [f64; 2]) = (pulp::cast(read(0)), pulp::cast(read(1)));
        write(0, pulp::cast([a, c]));
        write(1, pulp::cast([b, d]));
    }

    #[inline(always)]
    fn integers(self, digits: &[i32]) -> Self::f64s {
        pulp::cast([f64::from(digits[0]), f64::from(digits[1])])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::kernel::unit::{Task, Unit};

    struct Check;

    impl Task for Check {
        type Output = ();

        fn run<S: Vector>(self, s: S) {
            let lanes = S::F64_LANES;
            let numbers: Vec<f64> = (0..lanes * lanes).map(|i| i as f64).collect();
            let rows = S::as_simd_f64s(&numbers).0;
            let mut out = vec![s.splat_f64s(0.0); lanes];
            s.transpose(|i| rows[i], |j, column| out[j] = column);
            for (j, column) in out.iter().enumerate() {
                let column: &[f64] = bytemuck::cast_slice(std::slice::from_ref(column));
                assert!(column.iter().enumerate().all(|(i, number)| *number == (i * lanes + j) as f64));
            }
            for (value, wide) in [
                (0.25, 1 << 30),
                (-0.75, 3u64.wrapping_neg() << 30),
                (4_294_967_297.0, 1 << 32),
                (-2_147_483_648.0, 1 << 63),
                (2_147_483_648.0, 1 << 63),
                (3e18, (3_000_000_000_000_000_000u64 as u32 as u64) << 32),
                (2.0 + TURN.recip(), (2 << 32) + 1),
            ] {
                let (mut words, mut wides) = (vec![5u32; lanes], vec![5u64; lanes]);
                s.add_rounded(s.splat_f64s(value), &mut words);
                s.add_rounded_wide(s.splat_f64s(value), &mut wides);
                let narrow = (wide.wrapping_add(1 << 31) >> 32) as u32;
                assert!(words.iter().all(|word| *word == narrow.wrapping_add(5)), "{value}: {words:?}");
                assert!(wides.iter().all(|word| *word == wide.wrapping_add(5)), "{value}: {wides:?}");
            }
            let digits: Vec<i32> = (0..lanes as i32).map(|i| i - 3).collect();
            let numbers = s.integers(&digits);
            let numbers: &[f64] = bytemuck::cast_slice(std::slice::from_ref(&numbers));
            assert!(numbers.iter().zip(digits).all(|(number, digit)| *number == f64::from(digit)));
        }
    }

    #[test]
    fn units_transpose_convert_and_round() {
        Unit::all().into_iter().for_each(|unit| unit.run(Check));
    }
}
