//! Rows on their way to encryption.

use crate::model::Model;
use crate::thrown::thrown;
use fhectl_core::error::{Error, ErrorCode};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

/// Quantized rows, and which of their features lie beyond what the model knows. Wiped when freed.
#[wasm_bindgen]
pub struct Rows {
    pub(crate) quantized: Zeroizing<Vec<Vec<u32>>>,
    /// For each row the indices of its features outside.
    pub(crate) outside: Vec<Vec<usize>>,
}

#[wasm_bindgen]
impl Rows {
    /// Rows of numbers, one after the other; a missing one is NaN.
    #[wasm_bindgen(js_name = ofNumbers)]
    pub fn of_numbers(model: &Model, numbers: Vec<f64>) -> Result<Rows, JsValue> {
        let numbers = Zeroizing::new(numbers);
        let width = model.spec().row_width();
        if numbers.is_empty() || !numbers.len().is_multiple_of(width) {
            let what = format!("{} values for rows of {width}", numbers.len());
            return Err(thrown(
                Error::new(ErrorCode::RowShape, what).hint("`model.info.features` lists the columns in their order"),
            ));
        }
        let mut rows = Self::empty();
        for (index, row) in numbers.chunks(width).enumerate() {
            rows.push(model, index, row).map_err(thrown)?;
        }
        Ok(rows)
    }

    /// Rows of cells as texts, one after the other; a missing one is empty.
    #[wasm_bindgen(js_name = ofTexts)]
    pub fn of_texts(model: &Model, cells: Vec<String>) -> Result<Rows, JsValue> {
        let cells = Zeroizing::new(cells);
        let schema = model.spec().schema();
        let width = schema.columns.len();
        if cells.is_empty() || !cells.len().is_multiple_of(width) {
            let what = format!("{} cells for rows of {width}", cells.len());
            return Err(thrown(
                Error::new(ErrorCode::RowShape, what).hint("`model.info.features` lists the columns in their order"),
            ));
        }
        let mut rows = Self::empty();
        for (index, row) in cells.chunks(width).enumerate() {
            let numbers = schema.encode(row).map(Zeroizing::new).map_err(|error| thrown(of_row(index, error)))?;
            rows.push(model, index, &numbers).map_err(thrown)?;
        }
        Ok(rows)
    }

    /// How many there are.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.quantized.len()
    }

    /// The integers of one row, as the model sees it.
    pub fn quantized(&self, row: usize) -> Vec<u32> {
        self.quantized.get(row).cloned().unwrap_or_default()
    }
}

impl Rows {
    fn empty() -> Self {
        Self { quantized: Zeroizing::default(), outside: Vec::new() }
    }

    fn push(&mut self, model: &Model, index: usize, row: &[f64]) -> Result<(), Error> {
        let spec = model.spec();
        let features = spec.preprocess(row).map_err(|error| of_row(index, error))?;
        self.quantized.push(spec.quantize_features(&features).map_err(|error| of_row(index, error))?);
        self.outside.push(spec.outside(&features));
        Ok(())
    }
}

fn of_row(index: usize, error: Error) -> Error {
    error.context(format!("row {}", index + 1))
}
