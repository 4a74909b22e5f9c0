//! Four 32-bit words side by side: a vector of WebAssembly, or an array where there is none.

#[cfg(target_feature = "simd128")]
use core::arch::wasm32::{
    i32x4_add, i32x4_mul, i32x4_sub, u32x4_min, u32x4_shuffle, u32x4_splat, u64x2_extmul_high_u32x4,
    u64x2_extmul_low_u32x4,
};

/// Four words.
#[derive(Clone, Copy)]
pub struct Quad(Lanes);

#[cfg(target_feature = "simd128")]
type Lanes = core::arch::wasm32::v128;
#[cfg(not(target_feature = "simd128"))]
type Lanes = [u32; 4];

#[cfg(target_feature = "simd128")]
impl Quad {
    #[inline(always)]
    pub fn splat(word: u32) -> Self {
        Self(u32x4_splat(word))
    }

    #[inline(always)]
    pub fn of(words: [u32; 4]) -> Self {
        Self(bytemuck::cast(words))
    }

    #[inline(always)]
    pub fn words(self) -> [u32; 4] {
        bytemuck::cast(self.0)
    }

    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        Self(i32x4_add(self.0, other.0))
    }

    #[inline(always)]
    pub fn minus(self, other: Self) -> Self {
        Self(i32x4_sub(self.0, other.0))
    }

    #[inline(always)]
    pub fn min(self, other: Self) -> Self {
        Self(u32x4_min(self.0, other.0))
    }

    /// The low halves of the products.
    #[inline(always)]
    pub fn times(self, other: Self) -> Self {
        Self(i32x4_mul(self.0, other.0))
    }

    /// The high halves of the products.
    #[inline(always)]
    pub fn times_high(self, other: Self) -> Self {
        let (low, high) = (u64x2_extmul_low_u32x4(self.0, other.0), u64x2_extmul_high_u32x4(self.0, other.0));
        Self(u32x4_shuffle::<1, 3, 5, 7>(low, high))
    }

    /// The first halves of both, and the second halves.
    #[inline(always)]
    pub fn halves(self, other: Self) -> (Self, Self) {
        (Self(u32x4_shuffle::<0, 1, 4, 5>(self.0, other.0)), Self(u32x4_shuffle::<2, 3, 6, 7>(self.0, other.0)))
    }

    /// The words at even places of both, and those at odd places.
    #[inline(always)]
    pub fn evens_and_odds(self, other: Self) -> (Self, Self) {
        (Self(u32x4_shuffle::<0, 2, 4, 6>(self.0, other.0)), Self(u32x4_shuffle::<1, 3, 5, 7>(self.0, other.0)))
    }

    /// The inverse of [`Quad::evens_and_odds`].
    #[inline(always)]
    pub fn interleaved(self, other: Self) -> (Self, Self) {
        (Self(u32x4_shuffle::<0, 4, 1, 5>(self.0, other.0)), Self(u32x4_shuffle::<2, 6, 3, 7>(self.0, other.0)))
    }
}

#[cfg(not(target_feature = "simd128"))]
impl Quad {
    pub fn splat(word: u32) -> Self {
        Self([word; 4])
    }

    pub fn of(words: [u32; 4]) -> Self {
        Self(words)
    }

    pub fn words(self) -> [u32; 4] {
        self.0
    }

    #[inline(always)]
    fn zip(self, other: Self, of: impl Fn(u32, u32) -> u32) -> Self {
        Self(std::array::from_fn(|lane| of(self.0[lane], other.0[lane])))
    }

    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_add)
    }

    #[inline(always)]
    pub fn minus(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_sub)
    }

    #[inline(always)]
    pub fn min(self, other: Self) -> Self {
        self.zip(other, Ord::min)
    }

    /// The low halves of the products.
    #[inline(always)]
    pub fn times(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_mul)
    }

    /// The high halves of the products.
    #[inline(always)]
    pub fn times_high(self, other: Self) -> Self {
        self.zip(other, |a, b| ((u64::from(a) * u64::from(b)) >> 32) as u32)
    }

    /// The first halves of both, and the second halves.
    #[inline(always)]
    pub fn halves(self, other: Self) -> (Self, Self) {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        (Self([a, b, e, f]), Self([c, d, g, h]))
    }

    /// The words at even places of both, and those at odd places.
    #[inline(always)]
    pub fn evens_and_odds(self, other: Self) -> (Self, Self) {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        (Self([a, c, e, g]), Self([b, d, f, h]))
    }

    /// The inverse of [`Quad::evens_and_odds`].
    #[inline(always)]
    pub fn interleaved(self, other: Self) -> (Self, Self) {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        (Self([a, e, b, f]), Self([c, g, d, h]))
    }
}
