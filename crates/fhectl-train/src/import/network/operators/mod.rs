//! What each operator does to tensors.

pub(super) mod image;
pub(super) mod linear;
pub(super) mod scalar;
pub(super) mod shape;
mod window;
