//! Limits on networks that are read: far above what bootstraps can carry, far below what would exhaust memory.

pub(super) const MAX_LAYERS: usize = 16;
pub(super) const MAX_WIDTH: usize = 1 << 20;
pub(super) const MAX_WEIGHTS: usize = 1 << 24;
pub(super) const MAX_TERMS: usize = 1 << 25;
pub(super) const MAX_MODULUS: u64 = 1 << 40;
pub(super) const MAX_OUTPUTS: usize = 1 << 10;
