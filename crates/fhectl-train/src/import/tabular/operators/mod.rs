//! What operators do to values.

pub(super) mod arithmetic;
mod broadcast;
pub(super) mod encoders;
pub(super) mod functions;
pub(super) mod labels;
pub(super) mod linear;
pub(super) mod logic;
pub(super) mod neighbors;
pub(super) mod reduce;
pub(super) mod select;
pub(super) mod shape;
mod squares;
pub(super) mod svm;
pub(super) mod texts;
pub(super) mod trees;
