//! Neural networks of other tools: from an ONNX graph over floats to integers.
//!
//! [`lower`] turns operators into a [`FloatGraph`] of sums and scalar functions; [`quantise`] puts that in a chain of
//! layers and cuts it into steps, by what calibration rows show of its values.

mod builder;
mod call;
mod float_graph;
mod function;
mod gates;
mod layer;
mod levels;
mod lower;
mod operators;
mod quantise;
mod read;
mod scores;
mod tail;
mod tensor;

pub use float_graph::{Affine, Block, FloatGraph};
pub use function::{Curve, Function, Side};
pub use lower::{Lowered, lower};
pub use quantise::{PtqParams, Quantised, quantise};
pub use read::read;
