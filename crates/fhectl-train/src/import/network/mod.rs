//! Neural networks of other tools: from an ONNX graph over floats to integers.
//!
//! [`lower`] turns operators into a [`FloatGraph`] of sums and scalar functions; [`quantize`] puts that in a chain of
//! layers and cuts it into steps, by what calibration rows show of its values.

mod builder;
mod call;
mod compile;
mod float_graph;
mod function;
mod gates;
mod layer;
mod levels;
mod lower;
mod offer;
mod operators;
mod ptq_params;
mod quantize;
mod registry;
mod scores;
mod search;
mod tail;
mod tensor;
mod tune;
mod value;

pub use compile::{CompileRequest, Compiled, compile};
pub use float_graph::{Affine, Block, FloatGraph};
pub use function::{Curve, Function, Side};
pub use lower::{Lowered, lower};
pub use offer::{Offer, announcement};
pub use ptq_params::PtqParams;
pub use quantize::{QuantizedNetwork, quantize};
pub use search::{Candidate, Fixed, LEAST_R2, LEAST_SAME};
