//! The row on its way to a model: chosen and scaled columns.

use super::sum::ScoreSum;
use crate::import::edge::Precision;
use crate::import::model::{MAX_VALUES, large};
use crate::import::onnx::{invalid, unsupported};
use fhectl_core::error::Result;
use fhectl_core::model::{ClearStep, Norm};

/// A part of the row, prepared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// The number of values of the whole row.
    pub features: usize,
    /// What is done to the whole row before columns are taken of it.
    pub preprocessing: Vec<ClearStep>,
    pub columns: Vec<Column>,
    /// In how many bits it is compared.
    pub precision: Precision,
}

/// One column: `(x[feature] - offset) * scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Column {
    pub feature: usize,
    pub offset: f64,
    pub scale: f64,
}

impl Row {
    /// Columns minus a number each.
    pub fn minus(&self, offsets: &[f64]) -> Result<Self> {
        self.each(offsets, |column, offset| {
            if column.scale == 0.0 {
                return Err(unsupported("a column that was multiplied by zero"));
            }
            // (x - o) * s - b = (x - (o + b / s)) * s
            Ok(Column { offset: column.offset + offset / column.scale, ..column })
        })
    }

    /// Columns times a number each.
    pub fn times(&self, scales: &[f64]) -> Result<Self> {
        self.each(scales, |column, scale| Ok(Column { scale: column.scale * scale, ..column }))
    }

    fn each(&self, numbers: &[f64], change: impl Fn(Column, f64) -> Result<Column>) -> Result<Self> {
        let columns = self.columns.iter().zip(numbers).map(|(column, number)| change(*column, *number));
        let columns: Vec<Column> = columns.collect::<Result<_>>()?;
        if columns.iter().any(|column| !column.offset.is_finite() || !column.scale.is_finite()) {
            return Err(invalid("a scaler's value is not a finite number"));
        }
        Ok(Self { columns, ..self.clone() })
    }

    /// The columns at `indices`.
    pub fn select(&self, indices: &[usize]) -> Result<Self> {
        let column = |index: &usize| self.columns.get(*index).copied();
        let columns: Option<Vec<Column>> = indices.iter().map(column).collect();
        let columns = columns.ok_or_else(|| invalid(format!("a column beyond {}", self.columns.len())))?;
        Ok(Self { columns, ..self.clone() })
    }

    /// These columns and then those of `other`.
    pub fn concat(&self, other: &Self) -> Result<Self> {
        if self.preprocessing != other.preprocessing {
            return Err(unsupported("columns of rows that were normalized differently"));
        }
        if self.columns.len() + other.columns.len() > MAX_VALUES {
            return Err(large("too many columns"));
        }
        let columns = self.columns.iter().chain(&other.columns).copied().collect();
        let precision = if other.precision == Precision::Single { Precision::Single } else { self.precision };
        Ok(Self { columns, precision, ..self.clone() })
    }

    /// The row divided by its norm: only of the whole row can a client compute one.
    pub fn normalized(&self, norm: Norm) -> Result<Self> {
        let whole = self.columns.len() == self.features
            && self.columns.iter().enumerate().all(|(index, column)| column.feature == index);
        if !whole {
            return Err(unsupported("a normalizer of some of the columns").hint("normalize whole rows"));
        }
        let mut preprocessing = self.preprocessing.clone();
        if self.columns.iter().any(|column| column.offset != 0.0 || column.scale != 1.0) {
            preprocessing.push(ClearStep::Scale {
                offsets: self.columns.iter().map(|column| column.offset).collect(),
                scales: self.columns.iter().map(|column| column.scale).collect(),
            });
        }
        preprocessing.push(ClearStep::Normalize { norm });
        let columns = (0..self.features).map(|feature| Column { feature, offset: 0.0, scale: 1.0 }).collect();
        Ok(Self { preprocessing, columns, ..self.clone() })
    }

    /// Linear scores of the columns: scalings go into weights and biases.
    pub fn weighted(&self, weights: &[Vec<f64>], biases: Vec<f64>) -> Result<ScoreSum> {
        if weights.len() != biases.len() || weights.iter().any(|row| row.len() != self.columns.len()) {
            return Err(invalid(format!("{} rows of weights for {} columns", weights.len(), self.columns.len())));
        }
        if weights.len().saturating_mul(self.features) > MAX_VALUES {
            return Err(large(format!("{} scores of {} features", weights.len(), self.features)));
        }
        let mut sum =
            ScoreSum { preprocessing: self.preprocessing.clone(), weights: Vec::new(), trees: Vec::new(), biases };
        for (row, bias) in weights.iter().zip(&mut sum.biases) {
            let mut folded = vec![0.0; self.features];
            for (weight, column) in row.iter().zip(&self.columns) {
                folded[column.feature] += weight * column.scale;
                *bias -= weight * column.scale * column.offset;
            }
            sum.weights.push(folded);
        }
        Ok(sum)
    }
}
