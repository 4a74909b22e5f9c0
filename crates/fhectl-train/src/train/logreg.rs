//! Logistic regression by linfa-logistic.

use super::float_linear::FloatLinear;
use super::standardise::Standardised;
use crate::data::Dataset;
use fhectl_core::error::{Error, Result};
use fhectl_core::model::Quantizer;
use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, Array2};

/// The largest slope of the mean loss at which a solution counts as found.
const CONVERGED: f64 = 1e-3;

/// What controls the fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogregParams {
    /// The weight of the L2 penalty `alpha / 2 * |w|^2` on standardised features beside the summed log
    /// loss; 1 is scikit-learn's default `C = 1`.
    pub alpha: f64,
    /// The most steps of L-BFGS.
    pub max_iterations: u64,
}

impl Default for LogregParams {
    fn default() -> Self {
        Self { alpha: 1.0, max_iterations: 1000 }
    }
}

/// Fits a classifier on the *quantised* values of `train`, each taken as a number.
///
/// # Errors
/// `logreg_params`, `row_shape`, those of [`Dataset::check_trainable`], `logreg_diverged` where the
/// solver fails and `logreg_trivial` where all weights vanish.
pub fn train_logreg(train: &Dataset, quantizer: &Quantizer, params: &LogregParams) -> Result<FloatLinear> {
    fit(train, Standardised::quantised(train, quantizer)?, params)
}

/// Fits the same classifier on the features as they are: the float reference.
///
/// # Errors
/// As for [`train_logreg`].
pub fn float_logreg(train: &Dataset, params: &LogregParams) -> Result<FloatLinear> {
    fit(train, Standardised::plain(train), params)
}

fn fit(train: &Dataset, columns: Standardised, params: &LogregParams) -> Result<FloatLinear> {
    if !(params.alpha >= 0.0 && params.alpha.is_finite()) || params.max_iterations == 0 {
        return Err(Error::user(
            "logreg_params",
            format!("alpha {}, {} iterations", params.alpha, params.max_iterations),
        )
        .hint("alpha is a number from 0 on, and there is at least one iteration"));
    }
    train.check_trainable()?;
    let (weights, intercepts) = solve(train, &columns.matrix, params)?;
    let slope = steepest(train, &columns.matrix, &weights, &intercepts, params.alpha);
    if slope.is_nan() || slope > CONVERGED {
        return Err(diverged(&format!("the loss still falls after {} steps ({slope:.1e})", params.max_iterations)));
    }
    let model = columns.fold(&weights, &intercepts);
    if !model.is_finite() {
        return Err(diverged("a weight is not a finite number"));
    }
    if model.ignores_features() {
        return Err(Error::user("logreg_trivial", "the model ignores its features")
            .hint("lower `--alpha`, or check that the features say something about the target"));
    }
    Ok(model)
}

/// Weights (a row a score) and intercepts on standardised features.
fn solve(train: &Dataset, matrix: &Array2<f64>, params: &LogregParams) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
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
    let rows = train.len() as f64;
    // `f64::max` would drop a NaN.
    gradient.iter().flatten().chain(&offsets).fold(0.0, |top, slope| {
        let slope = slope.abs() / rows;
        if slope > top || slope.is_nan() { slope } else { top }
    })
}

fn diverged(what: &str) -> Error {
    Error::user("logreg_diverged", format!("logistic regression found no solution: {what}"))
        .hint("raise `--alpha` or the number of iterations, and look for features of extreme values")
}
