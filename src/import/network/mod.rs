//! Neural networks of other tools: from an ONNX graph over floats to integers.
//!
//! [`lower`] turns operators into a [`FloatGraph`] of sums and scalar functions.

mod builder;
mod call;
mod float_graph;
mod function;
mod gates;
mod lower;
mod operators;
mod tail;
mod tensor;

pub use float_graph::{Affine, Block, FloatGraph};
pub use function::{Curve, Function, Side};
pub use lower::{Lowered, lower};
