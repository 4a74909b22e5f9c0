//! Features of mean 0 and deviation 1, as solvers of linear models and their penalties want them.

use super::float_linear::FloatLinear;
use super::quantize::quantize_rows;
use crate::data::Dataset;
use fhectl_core::error::Result;
use fhectl_core::model::Quantizer;
use ndarray::Array2;

/// Training rows whose columns were standardized, and how.
pub(super) struct Standardized {
    /// Row by row; the column of a constant feature is zero.
    pub(super) matrix: Array2<f64>,
    means: Vec<f64>,
    deviations: Vec<f64>,
    /// 1 / deviation; 0 for a constant feature.
    inverses: Vec<f64>,
}

impl Standardized {
    /// Of the quantized values, each taken as a number.
    ///
    /// # Errors
    /// `row_shape` where the quantizer is for another number of features.
    pub(super) fn quantized(train: &Dataset, quantizer: &Quantizer) -> Result<Self> {
        let rows = quantize_rows(quantizer, train)?;
        let shape = (train.len(), train.features.len());
        Ok(Self::of(Array2::from_shape_fn(shape, |(row, feature)| f64::from(rows[row][feature]))))
    }

    /// Of the features as they are.
    pub(super) fn plain(train: &Dataset) -> Self {
        let shape = (train.len(), train.features.len());
        Self::of(Array2::from_shape_fn(shape, |(row, feature)| train.rows[row][feature]))
    }

    fn of(mut matrix: Array2<f64>) -> Self {
        let (mut means, mut deviations, mut inverses) = (Vec::new(), Vec::new(), Vec::new());
        for mut column in matrix.columns_mut() {
            let mean = column.sum() / column.len() as f64;
            let deviation = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / column.len() as f64).sqrt();
            // A column that is constant but for rounding says nothing: its weight is zero.
            let inverse = if deviation > mean.abs() * 1e-12 { deviation.recip() } else { 0.0 };
            column.mapv_inplace(|x| (x - mean) * inverse);
            means.push(mean);
            deviations.push(deviation);
            inverses.push(inverse);
        }
        Self { matrix, means, deviations, inverses }
    }

    /// The features that are not constant.
    pub(super) fn varying(&self) -> Vec<usize> {
        (0..self.inverses.len()).filter(|feature| self.inverses[*feature] != 0.0).collect()
    }

    /// The model of plain features that does what these weights (a row a score) and intercepts do on standardized ones.
    pub(super) fn fold(self, weights: &[Vec<f64>], intercepts: &[f64]) -> FloatLinear {
        let weights: Vec<Vec<f64>> = weights
            .iter()
            .map(|row| row.iter().zip(&self.inverses).map(|(w, inverse)| w * inverse).collect())
            .collect();
        let biases = (weights.iter().zip(intercepts))
            .map(|(row, bias)| bias - row.iter().zip(&self.means).map(|(w, mean)| w * mean).sum::<f64>())
            .collect();
        FloatLinear { weights, biases, means: self.means, deviations: self.deviations }
    }
}
