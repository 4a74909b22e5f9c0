//! What each operator does to tensors.

pub(super) mod folded;
pub(super) mod image;
pub(super) mod linear;
pub(super) mod quantized;
pub(super) mod scalar;
pub(super) mod shape;
mod window;
