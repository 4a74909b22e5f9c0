//! Models that users already have: ONNX files, XGBoost's JSON and UBJSON, LightGBM's text, CatBoost's JSON.
//!
//! Files come from anywhere: every size, index and shape is checked before it is used. Nothing here prints.

mod agreement;
pub mod catboost;
mod categories;
mod derived;
mod edge;
mod folder;
mod format;
mod knn;
pub mod lightgbm;
mod links;
mod missing;
mod model;
mod names;
pub mod network;
pub mod onnx;
mod onnx_model;
mod placed;
mod quantize;
mod ranges;
mod tabular;
mod tree_builder;
pub mod xgboost;

pub use agreement::{Agreement, ScoreDistance};
pub use knn::{KnnParams, nearest_neighbors, squared_length};
pub use missing::Zeros;
pub use model::{FloatModel, Forest, Imported, Linear, Tree};
pub use names::Renamed;
pub use onnx_model::{read_onnx, read_onnx_in};
pub use quantize::{Levels, QuantizedImport, QuantizedModel, exact_levels, quantize};
pub use ranges::OutOfRange;

use fhectl_core::error::{Error, ErrorCode, Result};
use format::{Format, format};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The largest file that is read.
pub const MAX_FILE: u64 = 128 << 20;

/// Reads a model from a file's bytes; `name` is what messages call it. The format is told by the first bytes.
///
/// # Errors
/// `import_format` for a file of another format, and those of [`read_onnx`], [`xgboost::read_json`],
/// [`xgboost::read_ubjson`], [`lightgbm::read`] and [`catboost::read`].
pub fn read(bytes: &[u8], name: &str) -> Result<Imported> {
    read_with(bytes, name, read_onnx)
}

/// As [`read`], of a file in this folder: ONNX files may have their weights beside them.
///
/// # Errors
/// As [`read`]; those of [`read_onnx_in`].
pub fn read_in(bytes: &[u8], name: &str, folder: &Path) -> Result<Imported> {
    read_with(bytes, name, |bytes| read_onnx_in(bytes, folder, MAX_FILE))
}

/// Reads the model in a file, with what lies beside it.
///
/// # Errors
/// `import_read`; `import_large`; as [`read_in`].
pub fn read_file(path: &Path) -> Result<Imported> {
    let bytes = read_bytes(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    read_in(&bytes, &name, folder_of(path))
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file's bytes, no more than a model may have.
///
/// # Errors
/// `import_read`; `import_large`; `import_format` for a folder, which says what it holds.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        return Err(folder::refused(path));
    }
    let shown = path.display();
    let failed = |error: std::io::Error| {
        Error::new(ErrorCode::ImportRead, format!("{shown}: {error}")).hint("name a model's file, e.g. model.onnx")
    };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::new(ErrorCode::ImportLarge, format!("{shown} is larger than {} MiB", MAX_FILE >> 20))
            .hint("a model of this size cannot be computed on encrypted data"));
    }
    Ok(bytes)
}

fn read_with(bytes: &[u8], name: &str, onnx: impl Fn(&[u8]) -> Result<Imported>) -> Result<Imported> {
    let imported = match format(bytes) {
        _ if bytes.len() as u64 > MAX_FILE => {
            Err(model::large(format!("{} bytes, at most {MAX_FILE} are read", bytes.len())))
        }
        Format::XgboostJson => xgboost::read_json(bytes),
        Format::XgboostUbjson => xgboost::read_ubjson(bytes),
        Format::Lightgbm => lightgbm::read(bytes),
        Format::CatboostJson => catboost::read(bytes),
        Format::Onnx => onnx(bytes),
        Format::Other(what, line) => Err(Error::new(ErrorCode::ImportFormat, format!("this is {what}")).hint(line)),
    };
    imported.map_err(|error| error.context(name))
}
