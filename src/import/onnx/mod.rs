//! Models in ONNX files.

pub mod proto;
