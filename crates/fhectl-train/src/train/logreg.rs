//! Logistic regression by linfa-logistic; by L-BFGS where rows do not count alike.

use super::float_linear::FloatLinear;
use super::lbfgs::minimum;
use super::linear_classifier::{CONVERGED, LinearClassifier, LinearClassifierParams, Solution, largest_magnitude};
use super::weighted_logistic::WeightedLogistic;
use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Quantizer;
use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, Array2};

const LOGREG: LinearClassifier = LinearClassifier {
    params_code: ErrorCode::LogregParams,
    trivial_code: ErrorCode::LogregTrivial,
    diverged,
    penalized: false,
    solve,
};

/// Fits a classifier on the *quantized* values of `train`, each taken as a number.
///
/// # Errors
/// `logreg_params`, `row_shape`, those of [`Dataset::check_trainable`], `logreg_diverged` where the
/// solver fails and `logreg_trivial` where all weights vanish.
pub fn train_logreg(train: &Dataset, quantizer: &Quantizer, params: &LinearClassifierParams) -> Result<FloatLinear> {
    LOGREG.quantized(train, quantizer, params)
}

/// Fits the same classifier on the features as they are: the float reference.
///
/// # Errors
/// As for [`train_logreg`].
pub fn float_logreg(train: &Dataset, params: &LinearClassifierParams) -> Result<FloatLinear> {
    LOGREG.plain(train, params)
}

fn solve(train: &Dataset, matrix: &Array2<f64>, params: &LinearClassifierParams) -> Result<Solution> {
    if !params.class_weights.is_even() {
        return weighted(train, matrix, params);
    }
    let (weights, intercepts) = minimize(train, matrix, params)?;
    LOGREG.check_converged(steepest(train, matrix, &weights, &intercepts, params.alpha), params)?;
    Ok((weights, intercepts))
}

/// What L-BFGS finds where rows do not count alike.
fn weighted(train: &Dataset, matrix: &Array2<f64>, params: &LinearClassifierParams) -> Result<Solution> {
    let counts = Array1::from(params.class_weights.rows(&train.labels));
    let scores = if train.classes.len() == 2 { 1 } else { train.classes.len() };
    let loss = WeightedLogistic { matrix, labels: &train.labels, counts, scores, alpha: params.alpha };
    let start = Array1::zeros(loss.unknowns());
    let (best, slopes) =
        minimum(loss, start, CONVERGED / 10.0, params.max_iterations).map_err(|what| diverged(&what))?;
    LOGREG.check_converged(largest_magnitude(&slopes), params)?;
    let rows = best.as_slice().unwrap_or(&[]).chunks(matrix.ncols() + 1);
    Ok(rows.map(|row| (row[..matrix.ncols()].to_vec(), row[matrix.ncols()])).unzip())
}

/// What linfa finds.
fn minimize(train: &Dataset, matrix: &Array2<f64>, params: &LinearClassifierParams) -> Result<Solution> {
    let labels: Array1<usize> = train.labels.iter().map(|label| *label as usize).collect();
    let rows = train.len() as f64;
    let data = DatasetBase::new(matrix.view(), labels);
    let mut failure = String::new();
    // The line search can fail for lack of digits just short of a fine tolerance (on the gradient of the
    // summed loss); a coarser one then ends before it does.
    for tolerance in [1e-6, 1e-5, 1e-4, 1e-3].map(|each| each * rows) {
        let solved = if train.classes.len() == 2 {
            (LogisticRegression::default().alpha(params.alpha).max_iterations(params.max_iterations))
                .gradient_tolerance(tolerance)
                .check()
                .and_then(|checked| checked.fit(&data))
                .map(|model| {
                    // linfa calls either class positive, by their order and counts in the rows.
                    let sign = if model.labels().pos.class == 1 { 1.0 } else { -1.0 };
                    (vec![model.params().iter().map(|w| w * sign).collect()], vec![model.intercept() * sign])
                })
        } else {
            (MultiLogisticRegression::default().alpha(params.alpha).max_iterations(params.max_iterations))
                .gradient_tolerance(tolerance)
                .check()
                .and_then(|checked| checked.fit(&data))
                .map(|model| {
                    (model.params().columns().into_iter().map(|c| c.to_vec()).collect(), model.intercept().to_vec())
                })
        };
        match solved {
            Ok(solved) => return Ok(solved),
            Err(error) => failure = error.to_string(),
        }
    }
    Err(diverged(&failure))
}

/// The largest entry of the gradient of the mean loss: linfa does not tell whether it converged.
fn steepest(train: &Dataset, matrix: &Array2<f64>, weights: &[Vec<f64>], intercepts: &[f64], alpha: f64) -> f64 {
    let mut gradient: Vec<Vec<f64>> = weights.iter().map(|row| row.iter().map(|w| w * alpha).collect()).collect();
    let mut offsets = vec![0.0; weights.len()];
    for (row, label) in matrix.rows().into_iter().zip(&train.labels) {
        let dot = |weights: &Vec<f64>| weights.iter().zip(row).map(|(w, x)| w * x).sum::<f64>();
        let mut errors: Vec<f64> = weights.iter().zip(intercepts).map(|(w, b)| dot(w) + b).collect();
        if let [margin] = errors[..] {
            errors[0] = 1.0 / (1.0 + (-margin).exp()) - f64::from(*label);
        } else {
            let top = errors.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = errors.iter().map(|logit| (logit - top).exp()).sum();
            errors.iter_mut().for_each(|logit| *logit = (*logit - top).exp() / sum);
            errors[*label as usize] -= 1.0;
        }
        for ((error, slopes), offset) in errors.iter().zip(&mut gradient).zip(&mut offsets) {
            slopes.iter_mut().zip(row).for_each(|(slope, x)| *slope += error * x);
            *offset += error;
        }
    }
    largest_magnitude(gradient.iter().flatten().chain(&offsets)) / train.len() as f64
}

fn diverged(what: &str) -> Error {
    Error::new(ErrorCode::LogregDiverged, format!("logistic regression found no solution: {what}"))
        .hint("raise `--alpha` or the number of iterations, and look for features of extreme values")
}
