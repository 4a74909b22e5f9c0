//! Predictions as numpy's arrays.

use fhectl_core::bundle::{ClientSpec, Predicted};
use fhectl_core::client::Prediction;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;

/// What is predicted of rows: a class's index, or a number. A row without a prediction is NaN.
#[derive(Default)]
pub struct Answers {
    predicted: Vec<f64>,
    /// One number a class, row after row; empty where there are none to show.
    scores: Vec<f64>,
    /// Numbers a row.
    width: usize,
}

/// Predictions of shape (rows,), and scores of shape (rows, classes) or `None`.
pub type Arrays<'py> = (Bound<'py, PyArray1<f64>>, Option<Bound<'py, PyArray2<f64>>>);

impl Answers {
    /// Of a model's rows; `scored` says whether scores are shown.
    pub fn new(spec: &ClientSpec, scored: bool) -> Self {
        Self { width: if scored { spec.classes.len() } else { 0 }, ..Self::default() }
    }

    pub fn push(&mut self, predicted: Option<Predicted>, scores: Option<&[f64]>) {
        self.predicted.push(match predicted {
            Some(Predicted::Class(class)) => class as f64,
            Some(Predicted::Value(value)) => value,
            None => f64::NAN,
        });
        let scores = scores.unwrap_or_default();
        self.scores.extend((0..self.width).map(|class| scores.get(class).copied().unwrap_or(f64::NAN)));
    }

    pub fn push_prediction(&mut self, prediction: Option<&Prediction>) {
        let scores = prediction.and_then(Prediction::class_scores);
        self.push(prediction.map(Prediction::predicted), scores);
    }

    pub fn into_arrays(self, py: Python<'_>) -> PyResult<Arrays<'_>> {
        let rows = self.predicted.len();
        let scores = (self.width > 0).then(|| self.scores.into_pyarray(py).reshape([rows, self.width]));
        Ok((self.predicted.into_pyarray(py), scores.transpose()?))
    }
}
