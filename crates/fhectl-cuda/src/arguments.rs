//! What kernels are launched with, as the functions of [`crate::kernels`] take it. Numbers of 64 bits are addresses on the
//! device.

use crate::variant::BlockShape;
use fhectl_core::fhe::GlweShape;
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::keyswitch::KeyswitchParams;

/// Rows on the device.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub pointer: u64,
    /// Words from one row to the next.
    pub stride: usize,
}

/// Inputs as they are uploaded.
#[derive(Clone, Copy)]
pub(crate) struct Inputs {
    pub reversed_masks: u64,
    pub bodies: u64,
    pub shape: GlweShape,
    /// Of each request.
    pub coefficients: usize,
    pub requests: usize,
}

/// Weights on the device.
#[derive(Clone, Copy)]
pub(crate) enum WeightPointers {
    Dense { weights: u64 },
    Sparse { starts: u64, terms: u64 },
}

/// Sums of the rows of each request.
#[derive(Clone, Copy)]
pub(crate) struct Sums {
    pub weights: WeightPointers,
    pub constants: u64,
    /// Rows of each request.
    pub inputs: usize,
    /// Sums of each request.
    pub outputs: usize,
    pub requests: usize,
    /// Words of a row that count.
    pub width: usize,
}

/// A keyswitch of `count` rows.
#[derive(Clone, Copy)]
pub(crate) struct Keyswitch<'a> {
    pub params: &'a KeyswitchParams,
    pub count: usize,
    pub rows: Rows,
    pub digits: u64,
    pub out: Rows,
    pub keys: u64,
    pub key_stride: usize,
    pub key_of: u64,
    pub slots: u64,
    /// Blocks of slots.
    pub blocks: usize,
}

/// Bootstraps of switched words.
#[derive(Clone, Copy)]
pub(crate) struct Bootstraps<'a> {
    pub params: &'a BootstrapParams,
    pub shape: BlockShape,
    pub keys: u64,
    pub key_of: u64,
    pub slots: u64,
    pub blocks: usize,
    pub switched: u64,
    pub tables: u64,
    pub table_of: u64,
    /// Null for none.
    pub zeros: u64,
    pub out: Rows,
}

/// Encryptions of zero, `count` of them.
#[derive(Clone, Copy)]
pub(crate) struct ZeroLaunch {
    /// Of the public keys.
    pub shape: GlweShape,
    pub count: usize,
    /// Spectra of public keys.
    pub keys: u64,
    pub key_of: u64,
    pub seeds: u64,
    /// The number of the seed and the index, of each.
    pub numbers: u64,
    pub out: u64,
}

/// A modulus switch of `count` rows.
#[derive(Clone, Copy)]
pub(crate) struct ModulusSwitch {
    pub rows: Rows,
    pub count: usize,
    pub dimension: usize,
    pub orders: u64,
    pub key_of: u64,
    pub log_modulus: u32,
    pub switched: u64,
}
