//! How well a model that was made tells the test rows.

use super::compiled_model::CompiledModel;
use fhectl_core::bundle::{Predicted, Quality};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_train::data::Dataset;
use fhectl_train::train::{self, ClassReport, Score, Simulated, SimulatedQuality};
use rayon::prelude::*;

/// The figures of the float model, of the integers and, of networks, of these with the noise of encryption.
///
/// # Errors
/// `one_value` where all rows have the same number to predict; those of [`train::score`].
pub fn measured(made: &CompiledModel, rows: &Dataset, simulated: Option<&Simulated>) -> Result<Quality> {
    if !rows.is_labeled() {
        return Ok(Quality::Unmeasured {});
    }
    explained(quality(made.float, quantized_score(made, rows)?, simulated)?, made, rows)
}

/// How well the integer model tells each class from the others; `None` where a number is predicted or there are no labels.
pub fn class_report(made: &CompiledModel, rows: &Dataset) -> Result<Option<ClassReport>> {
    let classes = rows.classes.len();
    if classes == 0 || rows.labels.is_empty() {
        return Ok(None);
    }
    let decoder = made.decoder(classes);
    let scores: Vec<Vec<i64>> =
        train::quantize_rows(&made.quantizer, rows)?.par_iter().map(|row| made.model.scores(row)).collect();
    let predicted = scores.iter().map(|scores| match decoder.predict(scores) {
        Predicted::Class(class) => class,
        Predicted::Value(_) => 0,
    });
    let report = ClassReport::of(classes, rows.labels.iter().map(|label| *label as usize).zip(predicted));
    // A model whose leaves are classes ranks no rows.
    if classes != 2 || made.score_scale.is_none() {
        return Ok(Some(report));
    }
    let ranked = rows.labels.iter().zip(&scores).map(|(label, scores)| (*label == 1, decoder.class_scores(scores)[1]));
    Ok(Some(report.with_scores(&ranked.collect::<Vec<_>>())))
}

/// The figures of both, beside each other.
fn quality(float: Score, quantized: Score, simulated: Option<&Simulated>) -> Result<Quality> {
    match (float, quantized) {
        (Score::Accuracy(float_accuracy), Score::Accuracy(quantized_accuracy)) => Ok(Quality::Accuracy {
            float_accuracy,
            quantized_accuracy,
            simulated_accuracy: simulated.and_then(|simulated| match simulated.quality {
                SimulatedQuality::Classes { accuracy, .. } => Some(accuracy),
                SimulatedQuality::Value { .. } => None,
            }),
        }),
        (Score::Fit(float), Score::Fit(quantized)) if !(float.r2.is_finite() && quantized.r2.is_finite()) => {
            Err(Error::new(ErrorCode::OneValue, "all test rows have the same number to predict: R2 says nothing")
                .hint("give more rows, or a larger --test-size"))
        }
        (Score::Fit(float), Score::Fit(quantized)) => Ok(Quality::Regression {
            float_r2: float.r2,
            quantized_r2: quantized.r2,
            float_rmse: float.rmse,
            quantized_rmse: quantized.rmse,
            quantized_mae: Some(quantized.mae),
            float_d2: None,
            quantized_d2: None,
            simulated_r2: simulated.and_then(|simulated| match simulated.quality {
                SimulatedQuality::Value { r2, .. } => Some(r2),
                SimulatedQuality::Classes { .. } => None,
            }),
        }),
        _ => Err(Error::new(ErrorCode::Internal, "a classifier and a regression were compared")),
    }
}

/// With the shares of the deviance that are explained, where the model is of a family.
fn explained(quality: Quality, made: &CompiledModel, rows: &Dataset) -> Result<Quality> {
    let (Some(deviance), Quality::Regression { .. }) = (made.deviance, quality) else { return Ok(quality) };
    let decoder = made.decoder(0);
    let value = |row: &Vec<u32>| match decoder.predict(&made.model.scores(row)) {
        Predicted::Value(value) => value,
        Predicted::Class(_) => f64::NAN,
    };
    let predicted: Vec<f64> = train::quantize_rows(&made.quantizer, rows)?.par_iter().map(value).collect();
    let known = |share: f64| Some(share).filter(|share| share.is_finite());
    Ok(match quality {
        Quality::Regression {
            float_r2, quantized_r2, float_rmse, quantized_rmse, simulated_r2, quantized_mae, ..
        } => Quality::Regression {
            float_r2,
            quantized_r2,
            float_rmse,
            quantized_rmse,
            simulated_r2,
            quantized_mae,
            float_d2: known(deviance.float),
            quantized_d2: known(deviance.family.d2(&predicted, &rows.values)),
        },
        other => other,
    })
}

/// The score of the integer model in clear.
pub fn quantized_score(made: &CompiledModel, rows: &Dataset) -> Result<Score> {
    train::score(&made.model, &made.quantizer, rows, &made.decoder(rows.classes.len()))
}
