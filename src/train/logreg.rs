//! Logistic regression by linfa-logistic, and its integer form.

use super::quantize_rows;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::model::{IntegerLinear, Quantizer};
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

/// A linear classifier in floats: logits `biases[c] + sum_f weights[c][f] * x[f]`.
///
/// Two classes have one row, the margin of class 1; more have a row a class.
#[derive(Debug, Clone, PartialEq)]
pub struct FloatLinear {
    pub weights: Vec<Vec<f64>>,
    pub biases: Vec<f64>,
    /// The features' means over the training rows: where rounded weights are made to agree.
    pub means: Vec<f64>,
    /// The features' standard deviations: how much a rounded weight matters.
    pub deviations: Vec<f64>,
}

/// Fits a classifier on the *quantised* values of `train`, each taken as a number.
///
/// # Errors
/// `logreg_params`, `row_shape`, those of [`Dataset::check_trainable`], `logreg_diverged` where the
/// solver fails and `logreg_trivial` where all weights vanish.
pub fn train_logreg(train: &Dataset, quantizer: &Quantizer, params: &LogregParams) -> Result<FloatLinear> {
    let rows = quantize_rows(quantizer, train)?;
    let matrix = Array2::from_shape_fn((train.len(), train.features.len()), |(r, f)| f64::from(rows[r][f]));
    drop(rows);
    fit(train, matrix, params)
}

/// Fits the same classifier on the features as they are: the float reference.
///
/// # Errors
/// As for [`train_logreg`].
pub fn float_logreg(train: &Dataset, params: &LogregParams) -> Result<FloatLinear> {
    let matrix = Array2::from_shape_fn((train.len(), train.features.len()), |(r, f)| train.rows[r][f]);
    fit(train, matrix, params)
}

impl FloatLinear {
    /// The logits of one row.
    pub fn logits(&self, row: &[f64]) -> Vec<f64> {
        let score = |weights: &Vec<f64>| weights.iter().zip(row).map(|(w, x)| w * x).sum::<f64>();
        self.weights.iter().zip(&self.biases).map(|(weights, bias)| bias + score(weights)).collect()
    }

    /// The share of rows of `data` that are classified right, from 0 to 1 (0 without rows). For a
    /// model of unquantised features, see [`float_logreg`].
    pub fn accuracy(&self, data: &Dataset) -> f64 {
        let hit = |(row, label): &(&Vec<f64>, &u32)| {
            let logits = self.logits(row);
            let class = match logits[..] {
                [margin] => usize::from(margin > 0.0),
                _ => (0..logits.len()).rev().max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap_or(0),
            };
            class == **label as usize
        };
        data.rows.iter().zip(&data.labels).filter(hit).count() as f64 / data.len().max(1) as f64
    }

    /// The integer model with signed weights of `weight_bits`: `|w| < 2^(weight_bits - 1)`.
    ///
    /// One scale serves all rows, for their scores are compared. It is the one with which scores vary
    /// the least from the float model's, so that a huge weight of a feature that hardly ever varies is
    /// clipped rather than the others lost. Biases take up what changes at the training rows' mean.
    ///
    /// # Errors
    /// `weight_bits` unless these are 2 to 31.
    pub fn to_integer(&self, weight_bits: u32) -> Result<IntegerLinear> {
        if !(2..=31).contains(&weight_bits) {
            return Err(Error::user("weight_bits", format!("weights of {weight_bits} bits, want 2 to 31")));
        }
        let top = f64::from((1u32 << (weight_bits - 1)) - 1);
        let scales = (1..=64).rev().map(|part| self.largest() / top * f64::from(part) / 64.0);
        let scale = scales.min_by(|a, b| self.error(*a, top).total_cmp(&self.error(*b, top))).unwrap_or(1.0);
        let weights: Vec<Vec<i32>> =
            self.weights.iter().map(|row| row.iter().map(|w| rounded(*w, scale, top) as i32).collect()).collect();
        let biases = (weights.iter().zip(&self.weights).zip(&self.biases))
            .map(|((integers, floats), bias)| {
                let lost =
                    integers.iter().zip(floats).zip(&self.means).map(|((i, f), m)| (f / scale - f64::from(*i)) * m);
                (bias / scale + lost.sum::<f64>()).round() as i64
            })
            .collect();
        Ok(IntegerLinear { weights, biases, scale })
    }

    /// The variance that weights rounded at `scale` add to the scores, were the features independent.
    fn error(&self, scale: f64, top: f64) -> f64 {
        let each = |row: &Vec<f64>| -> f64 {
            row.iter().zip(&self.deviations).map(|(w, d)| ((rounded(*w, scale, top) * scale - w) * d).powi(2)).sum()
        };
        self.weights.iter().map(each).sum()
    }

    fn largest(&self) -> f64 {
        self.weights.iter().flatten().fold(0.0, |largest, weight| weight.abs().max(largest))
    }
}

fn rounded(weight: f64, scale: f64, top: f64) -> f64 {
    (weight / scale).round().clamp(-top, top)
}

/// Standardises the columns of `matrix`, fits, and folds the standardisation into weights and biases.
fn fit(train: &Dataset, mut matrix: Array2<f64>, params: &LogregParams) -> Result<FloatLinear> {
    if !(params.alpha >= 0.0 && params.alpha.is_finite()) || params.max_iterations == 0 {
        return Err(Error::user(
            "logreg_params",
            format!("alpha {}, {} iterations", params.alpha, params.max_iterations),
        )
        .hint("alpha is a number from 0 on, and there is at least one iteration"));
    }
    train.check_trainable()?;
    let (mut means, mut deviations, mut inverses) = (Vec::new(), Vec::new(), Vec::new());
    for mut column in matrix.columns_mut() {
        let mean = column.sum() / column.len() as f64;
        let deviation = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / column.len() as f64).sqrt();
        // A column that is constant but for rounding says nothing: its weight is nought.
        let inverse = if deviation > mean.abs() * 1e-12 { deviation.recip() } else { 0.0 };
        column.mapv_inplace(|x| (x - mean) * inverse);
        means.push(mean);
        deviations.push(deviation);
        inverses.push(inverse);
    }
    let (weights, intercepts) = solve(train, &matrix, params)?;
    let slope = steepest(train, &matrix, &weights, &intercepts, params.alpha);
    if slope.is_nan() || slope > CONVERGED {
        return Err(diverged(&format!("the loss still falls after {} steps ({slope:.1e})", params.max_iterations)));
    }
    let weights: Vec<Vec<f64>> =
        weights.iter().map(|row| row.iter().zip(&inverses).map(|(w, inverse)| w * inverse).collect()).collect();
    let biases = (weights.iter().zip(intercepts))
        .map(|(row, bias)| bias - row.iter().zip(&means).map(|(w, mean)| w * mean).sum::<f64>())
        .collect();
    let model = FloatLinear { weights, biases, means, deviations };
    let largest = model.largest();
    if model.weights.iter().flatten().chain(&model.biases).any(|value| !value.is_finite()) {
        return Err(diverged("a weight is not a finite number"));
    }
    // Biases of 2^31 times the largest weight leave integers no room and the features no say.
    if largest == 0.0 || model.biases.iter().any(|bias| bias.abs() / largest > 2f64.powi(31)) {
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
