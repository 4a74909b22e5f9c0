//! Models that users already have: ONNX files and XGBoost's JSON and UBJSON.
//!
//! Files come from anywhere: every size, index and shape is checked before it is used. Nothing here prints.

pub mod network;
pub mod onnx;
