//! The parts of an evaluation key beside the public key.

use crate::fhe::part::PartParams;

/// One part of a circuit's evaluation key, from one of the client's secret keys to another. Both are indices into
/// [`super::Circuit::keys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPart {
    pub params: PartParams,
    pub from: usize,
    pub to: usize,
}
