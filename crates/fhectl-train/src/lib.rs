//! Models into fhectl: tables and images, trainers, and models that other tools trained.
//!
//! Modules, each using only those above it in this list:
//!
//! 1. [`data`]: tables, images, splits and the datasets that come with the project.
//! 2. [`train`]: trainers, each ending in a quantized model of [`fhectl_core::model`].
//! 3. [`import`]: models of other tools, read from files of ONNX, XGBoost, LightGBM and CatBoost.

pub mod data;
pub mod import;
pub mod train;
