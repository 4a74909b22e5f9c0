//! What the passes of a transform, forward and backward, have in common: how many parts and rows a size has, and buffers.

use super::block::{Block, LANES, ROW, ZERO};
use super::butterfly::Radix;
use super::vector::Vector;
use std::marker::PhantomData;

/// What transforms of one size work in.
pub struct Buffers {
    /// A polynomial between two passes.
    pub between: Vec<Block>,
    /// As many of its rows as a vector has lanes, on cache lines of their own.
    pub tile: Vec<Block>,
}

impl Buffers {
    pub fn new(size: usize) -> Self {
        Self { between: vec![ZERO; size / 2 / LANES], tile: vec![ZERO; ROW] }
    }
}

/// A transform of `T * R` rows: `T` parts (a butterfly of `T` points before, where there are several) of `R` rows each.
pub struct Sizes<T, R>(PhantomData<(T, R)>);

impl<T: Radix, R: Radix> Sizes<T, R> {
    pub const NEW: Self = Self(PhantomData);
    /// Numbers and blocks of a part.
    pub const PART: usize = R::POINTS * ROW;
    pub const BLOCKS: usize = Self::PART / LANES;
    /// Numbers of the polynomial.
    pub const NUMBERS: usize = T::POINTS * Self::PART;

    /// As many pieces of `ahead` as there are butterflies over a vector's columns or rows.
    #[inline(always)]
    pub fn pieces<S: Vector>(ahead: &[Block]) -> std::slice::Chunks<'_, Block> {
        let butterflies = T::POINTS * (ROW + R::POINTS) / S::F64_LANES;
        ahead.chunks(ahead.len().div_ceil(butterflies).max(1))
    }
}
