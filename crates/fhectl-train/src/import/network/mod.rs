//! Neural networks of other tools: from an ONNX graph over floats to integers.
//!
//! [`lower`] turns operators into a [`FloatGraph`] of sums and scalar functions; [`quantize`] puts that in a chain of
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
mod ptq_params;
mod quantize;
mod registry;
mod scores;
mod tail;
mod tensor;
mod value;

pub use float_graph::{Affine, Block, FloatGraph};
pub use function::{Curve, Function, Side};
pub use lower::{Lowered, lower};
pub use ptq_params::PtqParams;
pub use quantize::{QuantizedNetwork, quantize};
