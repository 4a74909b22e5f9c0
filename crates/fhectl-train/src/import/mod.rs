//! Models that users already have: ONNX files, XGBoost's JSON and UBJSON, LightGBM's text, CatBoost's JSON.
//!
//! Files come from anywhere: every size, index and shape is checked before it is used. Nothing here prints.

mod agreement;
pub mod catboost;
mod categories;
mod derived;
mod edge;
mod format;
pub mod lightgbm;
mod links;
mod missing;
mod model;
pub mod network;
pub mod onnx;
mod onnx_model;
mod quantize;
mod ranges;
mod tabular;
mod tree_builder;
pub mod xgboost;

pub use agreement::{Agreement, ScoreDistance};
pub use missing::Zeros;
pub use model::{FloatModel, Forest, Imported, Linear, Tree};
pub use onnx_model::read_onnx;
pub use quantize::{Levels, QuantizedImport, QuantizedModel, exact_levels, quantize};
pub use ranges::OutOfRange;

use fhectl_core::error::{Error, ErrorCode, Result};
use format::{Format, format};

/// The largest file that is read.
pub const MAX_FILE: u64 = 128 << 20;

/// Reads a model from a file's bytes; `name` is what messages call it. The format is told by the first bytes.
///
/// # Errors
/// `import_format` for a file of another format, and those of [`read_onnx`], [`xgboost::read_json`],
/// [`xgboost::read_ubjson`], [`lightgbm::read`] and [`catboost::read`].
pub fn read(bytes: &[u8], name: &str) -> Result<Imported> {
    let imported = match format(bytes) {
        _ if bytes.len() as u64 > MAX_FILE => {
            Err(model::large(format!("{} bytes, at most {MAX_FILE} are read", bytes.len())))
        }
        Format::XgboostJson => xgboost::read_json(bytes),
        Format::XgboostUbjson => xgboost::read_ubjson(bytes),
        Format::Lightgbm => lightgbm::read(bytes),
        Format::CatboostJson => catboost::read(bytes),
        Format::Onnx => read_onnx(bytes),
        Format::Other(what, line) => Err(Error::new(ErrorCode::ImportFormat, format!("this is {what}")).hint(line)),
    };
    imported.map_err(|error| error.context(name))
}
