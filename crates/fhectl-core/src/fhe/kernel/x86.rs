//! [`Vector`] with AVX2 and FMA, and with AVX-512.

use super::vector::Vector;
use pulp::cast;
use pulp::x86::{V3, V4};

impl Vector for V3 {
    #[inline(always)]
    fn transpose(self, read: impl Fn(usize) -> Self::f64s, mut write: impl FnMut(usize, Self::f64s)) {
        let avx = self.avx;
        let (r0, r1, r2, r3) = (cast(read(0)), cast(read(1)), cast(read(2)), cast(read(3)));
        let (even01, odd01) = (avx._mm256_unpacklo_pd(r0, r1), avx._mm256_unpackhi_pd(r0, r1));
        let (even23, odd23) = (avx._mm256_unpacklo_pd(r2, r3), avx._mm256_unpackhi_pd(r2, r3));
        write(0, cast(avx._mm256_permute2f128_pd::<0x20>(even01, even23)));
        write(1, cast(avx._mm256_permute2f128_pd::<0x20>(odd01, odd23)));
        write(2, cast(avx._mm256_permute2f128_pd::<0x31>(even01, even23)));
        write(3, cast(avx._mm256_permute2f128_pd::<0x31>(odd01, odd23)));
    }

    #[inline(always)]
    fn integers(self, digits: &[i32]) -> Self::f64s {
        let digits: [i32; 4] = digits.try_into().expect("a digit a lane");
        cast(self.avx._mm256_cvtepi32_pd(cast(digits)))
    }

    #[inline(always)]
    fn add_rounded(self, values: Self::f64s, words: &mut [u32]) {
        // Half a turn does not fit and becomes minus half a turn, as it must.
        let rounded: [u32; 4] = cast(self.avx._mm256_cvtpd_epi32(cast(self.within_a_turn(values))));
        let words: &mut [u32; 4] = words.try_into().expect("a word a lane");
        for (word, rounded) in words.iter_mut().zip(rounded) {
            *word = word.wrapping_add(rounded);
        }
    }
}

impl Vector for V4 {
    #[inline(always)]
    fn transpose(self, read: impl Fn(usize) -> Self::f64s, mut write: impl FnMut(usize, Self::f64s)) {
        let avx = self.avx512f;
        macro_rules! pair {
            ($row:literal) => {{
                let (a, b) = (cast(read($row)), cast(read($row + 1)));
                (avx._mm512_unpacklo_pd(a, b), avx._mm512_unpackhi_pd(a, b))
            }};
        }
        // In quarters of a vector: columns 0 2 4 6, and 1 3 5 7.
        let ((e01, o01), (e23, o23), (e45, o45), (e67, o67)) = (pair!(0), pair!(2), pair!(4), pair!(6));
        macro_rules! columns {
            ($first:literal, $a:ident, $b:ident, $c:ident, $d:ident) => {
                let (x, y) = (avx._mm512_shuffle_f64x2::<0x88>($a, $b), avx._mm512_shuffle_f64x2::<0x88>($c, $d));
                write($first, cast(avx._mm512_shuffle_f64x2::<0x88>(x, y)));
                write($first + 4, cast(avx._mm512_shuffle_f64x2::<0xdd>(x, y)));
                let (x, y) = (avx._mm512_shuffle_f64x2::<0xdd>($a, $b), avx._mm512_shuffle_f64x2::<0xdd>($c, $d));
                write($first + 2, cast(avx._mm512_shuffle_f64x2::<0x88>(x, y)));
                write($first + 6, cast(avx._mm512_shuffle_f64x2::<0xdd>(x, y)));
            };
        }
        columns!(0, e01, e23, e45, e67);
        columns!(1, o01, o23, o45, o67);
    }

    #[inline(always)]
    fn integers(self, digits: &[i32]) -> Self::f64s {
        let digits: [i32; 8] = digits.try_into().expect("a digit a lane");
        cast(self.avx512f._mm512_cvtepi32_pd(cast(digits)))
    }

    #[inline(always)]
    fn add_rounded(self, values: Self::f64s, words: &mut [u32]) {
        let rounded = self.avx512dq._mm512_cvtpd_epi64(cast(values));
        let rounded: [u32; 8] = cast(self.avx512f._mm512_cvtepi64_epi32(rounded));
        let words: &mut [u32; 8] = words.try_into().expect("a word a lane");
        for (word, rounded) in words.iter_mut().zip(rounded) {
            *word = word.wrapping_add(rounded);
        }
    }
}
