//! Rows to ask, and what is right.

use fhectl_core::bundle::{ServerBundle, folder};
use fhectl_core::client::ClientModel;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_train::data::{self, Holdout};
use std::fs;
use std::path::Path;

/// The test rows of a model's built-in data, with the clear model's scores.
pub struct TestRows {
    pub model: ClientModel,
    pub server: ServerBundle,
    pub rows: Vec<Vec<u32>>,
    pub scores: Vec<Vec<i64>>,
}

impl TestRows {
    /// # Errors
    /// What is wrong with the model or its data.
    pub fn read(model: &Path, datasets: &Path) -> Result<Self> {
        let client = folder::read_client(model)?;
        let unreadable = |error| Error::new(ErrorCode::NotFound, format!("{}: {error}", model.display()));
        let server = ServerBundle::read(&fs::read(model.join("server.zip")).map_err(unreadable)?)?;
        let spec = &client.spec;
        let made_from = spec.evaluation.as_ref().ok_or_else(|| {
            Error::new(ErrorCode::DataMissing, format!("`{}` was not made from a built-in set", spec.name))
        })?;
        let holdout = Holdout::Share { test_size: made_from.test_size, seed: made_from.seed };
        let target = Some(spec.target.as_str());
        let test = match made_from.data.as_str() {
            // It brings its test rows in a file of their own; those for training need not be there.
            "mnist" => {
                let images = datasets.join("mnist/t10k-images-idx3-ubyte.gz");
                data::load(&images.to_string_lossy(), datasets, target, None)?
            }
            data => data::load_split(data, datasets, target, None, holdout)?.1,
        };
        let rows: Vec<Vec<u32>> = test.rows.iter().map(|row| spec.quantize(row)).collect::<Result<_>>()?;
        let scores = rows.iter().map(|row| server.server.model.scores(row)).collect();
        Ok(Self { model: ClientModel::accept(client, -128.0)?, server, rows, scores })
    }
}
