//! 128 bits side by side: a vector of WebAssembly, or an integer where there is none.

#[cfg(target_feature = "simd128")]
use core::arch::wasm32::{u64x2_shl, u64x2_shr, u64x2_splat, v128_and, v128_xor};

/// 128 bits. Byte `i` is in bits `8 i` to `8 i + 7`.
#[derive(Clone, Copy)]
pub struct Plane(Bits);

#[cfg(target_feature = "simd128")]
type Bits = core::arch::wasm32::v128;
#[cfg(not(target_feature = "simd128"))]
type Bits = u128;

/// Reorders bytes: byte `i` of what comes out is byte `$from[i]`.
macro_rules! shuffle {
    ($name:ident, $from:expr) => {
        impl Plane {
            #[cfg(target_feature = "simd128")]
            #[inline(always)]
            pub fn $name(self) -> Self {
                const F: [usize; 16] = $from;
                Self(core::arch::wasm32::i8x16_shuffle::<
                    { F[0] },
                    { F[1] },
                    { F[2] },
                    { F[3] },
                    { F[4] },
                    { F[5] },
                    { F[6] },
                    { F[7] },
                    { F[8] },
                    { F[9] },
                    { F[10] },
                    { F[11] },
                    { F[12] },
                    { F[13] },
                    { F[14] },
                    { F[15] },
                >(self.0, self.0))
            }

            #[cfg(not(target_feature = "simd128"))]
            pub fn $name(self) -> Self {
                const F: [usize; 16] = $from;
                let bytes = self.0.to_le_bytes();
                Self(u128::from_le_bytes(F.map(|from| bytes[from])))
            }
        }
    };
}

/// The byte of column `c + shift * row` and row `row + down`, for each column `c` and row of the state.
const fn moved(down: usize) -> [usize; 16] {
    let (mut from, mut index) = ([0; 16], 0);
    while index < 16 {
        let (column, row) = (index / 4, (index % 4 + down) % 4);
        from[index] = 4 * ((column + row) % 4) + row;
        index += 1;
    }
    from
}

shuffle!(shift_rows, moved(0));
shuffle!(shift_rows_down, moved(1));
// Two rows down, of what has its rows shifted.
shuffle!(two_down, [2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13]);

#[cfg(target_feature = "simd128")]
impl Plane {
    #[inline(always)]
    pub fn of(words: [u64; 2]) -> Self {
        Self(bytemuck::cast(words))
    }

    #[inline(always)]
    pub fn words(self) -> [u64; 2] {
        bytemuck::cast(self.0)
    }

    #[inline(always)]
    pub fn xor(self, other: Self) -> Self {
        Self(v128_xor(self.0, other.0))
    }

    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        Self(v128_and(self.0, other.0))
    }

    #[inline(always)]
    pub fn and_word(self, word: u64) -> Self {
        Self(v128_and(self.0, u64x2_splat(word)))
    }

    /// Bits that leave a half of 64 bits are lost.
    #[inline(always)]
    pub fn right(self, by: u32) -> Self {
        Self(u64x2_shr(self.0, by))
    }

    #[inline(always)]
    pub fn left(self, by: u32) -> Self {
        Self(u64x2_shl(self.0, by))
    }
}

#[cfg(not(target_feature = "simd128"))]
impl Plane {
    pub fn of([low, high]: [u64; 2]) -> Self {
        Self(u128::from(low) | u128::from(high) << 64)
    }

    pub fn words(self) -> [u64; 2] {
        [self.0 as u64, (self.0 >> 64) as u64]
    }

    pub fn xor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn and_word(self, word: u64) -> Self {
        self.and(Self::of([word, word]))
    }

    /// Bits that leave a half of 64 bits are lost.
    pub fn right(self, by: u32) -> Self {
        Self::of(self.words().map(|word| word >> by))
    }

    pub fn left(self, by: u32) -> Self {
        Self::of(self.words().map(|word| word << by))
    }
}
