//! Rows from Python: one matrix of numbers, or a list of columns, each of numbers or texts.

use fhectl_core::bundle::ClientSpec;
use fhectl_core::error::{Error, ErrorCode, Result};

use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use zeroize::{Zeroize, Zeroizing};

/// Rows as Python gives them.
#[derive(FromPyObject)]
pub enum Given<'py> {
    Matrix(PyReadonlyArray2<'py, f64>),
    Columns(Vec<GivenColumn<'py>>),
}

#[derive(FromPyObject)]
pub enum GivenColumn<'py> {
    Numbers(PyReadonlyArray1<'py, f64>),
    Texts(Vec<String>),
}

/// The same, off the interpreter's hands. Wiped when dropped.
pub enum Columns {
    Matrix(Zeroizing<Vec<Vec<f64>>>),
    Columns(Vec<Column>),
}

pub enum Column {
    Numbers(Zeroizing<Vec<f64>>),
    Texts(Zeroizing<Vec<String>>),
}

impl Given<'_> {
    /// A copy, whatever the arrays' strides.
    pub fn copied(self) -> Columns {
        match self {
            Self::Matrix(matrix) => {
                let rows = matrix.as_array().rows().into_iter().map(|row| row.to_vec()).collect();
                Columns::Matrix(Zeroizing::new(rows))
            }
            Self::Columns(columns) => Columns::Columns(columns.into_iter().map(GivenColumn::copied).collect()),
        }
    }
}

impl GivenColumn<'_> {
    pub fn copied(self) -> Column {
        match self {
            Self::Numbers(numbers) => Column::Numbers(Zeroizing::new(numbers.as_array().to_vec())),
            Self::Texts(texts) => Column::Texts(Zeroizing::new(texts)),
        }
    }
}

impl Column {
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Texts(texts) => texts.len(),
        }
    }
}

impl Columns {
    /// The rows as a model quantizes them.
    ///
    /// # Errors
    /// `row_shape` for columns of another number or of different lengths, `row_value` for a cell that does not suit the
    /// model, with the row that it is in.
    pub fn quantized(self, spec: &ClientSpec) -> Result<Zeroizing<Vec<Vec<u32>>>> {
        let mut rows = match self {
            Self::Matrix(rows) => rows,
            Self::Columns(columns) => numbers(spec, &columns)?,
        };
        let quantized = rows.iter_mut().enumerate().map(|(index, row)| {
            let quantized = spec.quantize(row).map_err(|error| error.context(format!("row {index}")));
            row.zeroize();
            quantized
        });
        Ok(Zeroizing::new(quantized.collect::<Result<_>>()?))
    }
}

/// The rows of columns, as the model's schema reads them.
fn numbers(spec: &ClientSpec, columns: &[Column]) -> Result<Zeroizing<Vec<Vec<f64>>>> {
    let schema = spec.schema();
    let count = columns.first().map_or(0, Column::len);
    if columns.len() != schema.columns.len() || columns.iter().any(|column| column.len() != count) {
        let what = format!("{} columns of {count} rows, the model takes {}", columns.len(), schema.columns.len());
        return Err(Error::new(ErrorCode::RowShape, what).hint("give columns of one length, by name in a DataFrame"));
    }
    let mut rows = Zeroizing::new(Vec::with_capacity(count));
    for index in 0..count {
        // Wide enough from the start: growing would leave a copy behind.
        let mut row = Vec::with_capacity(spec.row_width());
        for (column, known) in columns.iter().zip(&schema.columns) {
            match column {
                Column::Numbers(numbers) => row.push(numbers[index]),
                Column::Texts(texts) => {
                    let encoded = schema.encode_cell(known, &texts[index], &mut row);
                    encoded.map_err(|error| error.context(format!("row {index}")))?;
                }
            }
        }
        rows.push(row);
    }
    Ok(rows)
}
