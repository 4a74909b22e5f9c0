//! ONNX files: checked graphs of operators, and tables of who runs them.

mod errors;
mod external;
pub mod graph;
pub mod proto;
mod registry;
mod scan;
mod tensor;

pub use errors::{invalid, unsupported};
pub use graph::{Attribute, Graph, Input, Node};
pub use registry::Operator;
pub use tensor::{Tensor, TensorData};
