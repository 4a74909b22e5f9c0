//! How well predictions fit: the share of right classes, or R2 and the root mean square error.

use super::quantize::quantize_rows;
use crate::data::Dataset;
use fhectl_core::bundle::{Predicted, ScoreDecoder};
use fhectl_core::error::Result;
use fhectl_core::model::{Model, Output, Quantizer, class_of_scores};
use serde::Serialize;

/// How predicted classes or numbers compare with the labels of some rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Score {
    /// The share of right classes, from 0 to 1.
    Accuracy(f64),
    Fit(Fit),
}

impl Score {
    /// The accuracy, or R2: 1 for what is always right.
    pub fn share(self) -> f64 {
        match self {
            Self::Accuracy(accuracy) => accuracy,
            Self::Fit(fit) => fit.r2,
        }
    }
}

/// How predicted numbers fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Fit {
    /// The coefficient of determination: 1 for a perfect fit, 0 for what the mean does. `NaN` where all wanted values are
    /// equal.
    pub r2: f64,
    /// The root mean square error, in the target's unit.
    pub rmse: f64,
    /// The mean absolute error, in the target's unit.
    pub mae: f64,
}

impl Fit {
    /// Compares predictions with what was wanted, one a row.
    pub fn of(predicted: &[f64], wanted: &[f64]) -> Self {
        let count = wanted.len().max(1) as f64;
        let mean = wanted.iter().sum::<f64>() / count;
        let spread: f64 = wanted.iter().map(|y| (y - mean).powi(2)).sum();
        let error: f64 = predicted.iter().zip(wanted).map(|(p, y)| (p - y).powi(2)).sum();
        let distance: f64 = predicted.iter().zip(wanted).map(|(p, y)| (p - y).abs()).sum();
        Self { r2: 1.0 - error / spread, rmse: (error / count).sqrt(), mae: distance / count }
    }
}

/// How real scores, one list a row, compare with the rows' labels: margins or scores of classes, or numbers.
pub(super) fn score_floats(scores: impl Iterator<Item = Vec<f64>>, data: &Dataset) -> Score {
    match data.output() {
        Output::Classes(_) => {
            let hits = scores.zip(&data.labels).filter(|(scores, label)| class_of_scores(scores) == **label as usize);
            Score::Accuracy(hits.count() as f64 / data.len().max(1) as f64)
        }
        Output::Value | Output::Scores(_) => {
            let predicted: Vec<f64> = scores.map(|scores| scores[0]).collect();
            Score::Fit(Fit::of(&predicted, &data.values))
        }
    }
}

/// The integer model's score on `data`, by what `decoder` makes of its scores.
///
/// # Errors
/// As for [`quantize_rows`].
pub fn score(model: &Model, quantizer: &Quantizer, data: &Dataset, decoder: &ScoreDecoder) -> Result<Score> {
    let rows = quantize_rows(quantizer, data)?;
    Ok(score_predictions(rows.iter().map(|row| decoder.predict(&model.scores(row))), data))
}

/// How predictions, one a row, compare with the rows' labels; nothing is right of rows without.
pub fn score_predictions(predicted: impl Iterator<Item = Predicted>, data: &Dataset) -> Score {
    let (mut hits, mut values) = (0, Vec::new());
    for (index, predicted) in predicted.enumerate() {
        match predicted {
            Predicted::Class(class) => {
                hits += usize::from(data.labels.get(index).is_some_and(|label| *label as usize == class))
            }
            Predicted::Value(value) => values.push(value),
        }
    }
    match data.output() {
        Output::Classes(_) => Score::Accuracy(hits as f64 / data.len().max(1) as f64),
        Output::Value | Output::Scores(_) => Score::Fit(Fit::of(&values, &data.values)),
    }
}

/// The share of rows of `data` whose class `model` predicts, from 0 to 1 (0 without rows).
///
/// # Errors
/// As for [`quantize_rows`].
pub fn accuracy(model: &Model, quantizer: &Quantizer, data: &Dataset) -> Result<f64> {
    let rows = quantize_rows(quantizer, data)?;
    let hits = rows.iter().zip(&data.labels).filter(|(row, label)| model.predict(row) == **label as usize).count();
    Ok(hits as f64 / data.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_is_one_for_perfect_and_zero_for_the_mean() {
        let wanted = [1.0, 2.0, 6.0];
        assert_eq!(Fit::of(&wanted, &wanted), Fit { r2: 1.0, rmse: 0.0, mae: 0.0 });
        let mean = Fit::of(&[3.0; 3], &wanted);
        assert_eq!(mean.r2, 0.0);
        assert!((mean.rmse - (14.0f64 / 3.0).sqrt()).abs() < 1e-12 && (mean.mae - 2.0).abs() < 1e-12);
    }
}
