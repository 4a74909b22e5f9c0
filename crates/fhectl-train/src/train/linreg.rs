//! Linear regression: least squares by linfa-linear, with an L1 penalty by linfa-elasticnet.

use super::float_linear::FloatLinear;
use super::linear_classifier::largest_magnitude;
use super::quality::Fit;
use super::standardize::Standardized;
use super::target::StandardTarget;
use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Quantizer;
use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_elasticnet::ElasticNet;
use linfa_linear::LinearRegression as LeastSquares;
use ndarray::{Array1, Array2, Axis};

/// The largest slope of the mean squared loss, in units of the target's deviation, at which a solution counts as found.
const CONVERGED: f64 = 1e-6;
/// The least penalty: too little to be seen, but where features depend on each other the smallest weights win.
const MIN_L2: f64 = 1e-12;
/// The largest weight in units of standardized features and target; beyond it features cancel each other.
const LARGEST: f64 = 1e6;

/// What controls the fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinregParams {
    /// The weight `alpha` of the penalty `alpha * (l1_ratio * |w|_1 + (1 - l1_ratio) / 2 * |w|^2)` beside half the mean
    /// squared error; features are standardized, the target is in its own unit. 0 is ordinary least squares, by the smallest weights where
    /// there are several.
    pub alpha: f64,
    /// The share of the L1 penalty: 0 is ridge, 1 lasso.
    pub l1_ratio: f64,
}

impl Default for LinregParams {
    fn default() -> Self {
        Self { alpha: 0.0, l1_ratio: 0.0 }
    }
}

/// A linear regression in floats: a number is the one score of `linear` plus `offset`.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearRegression {
    pub linear: FloatLinear,
    /// The mean of the training rows' numbers: kept apart, so that scores lie about zero.
    pub offset: f64,
}

impl LinearRegression {
    /// How the regression fits rows of plain features.
    pub fn fit(&self, data: &Dataset) -> Fit {
        let predicted: Vec<f64> = data.rows.iter().map(|row| self.linear.scores(row)[0] + self.offset).collect();
        Fit::of(&predicted, &data.values)
    }
}

/// Fits a regression on the *quantized* values of `train`, each taken as a number.
///
/// # Errors
/// `linreg_params`, `row_shape`, those of [`Dataset::check_trainable`], `target_range`, `linreg_singular` where features
/// all but cancel each other, `linreg_diverged`, and `linreg_trivial` where all weights vanish.
pub fn train_linreg(train: &Dataset, quantizer: &Quantizer, params: &LinregParams) -> Result<LinearRegression> {
    fit(train, Standardized::quantized(train, quantizer)?, params)
}

/// Fits the same regression on the features as they are: the float reference.
///
/// # Errors
/// As for [`train_linreg`].
pub fn float_linreg(train: &Dataset, params: &LinregParams) -> Result<LinearRegression> {
    fit(train, Standardized::plain(train), params)
}

fn fit(train: &Dataset, columns: Standardized, params: &LinregParams) -> Result<LinearRegression> {
    let LinregParams { alpha, l1_ratio } = *params;
    if !(alpha >= 0.0 && alpha.is_finite() && (0.0..=1.0).contains(&l1_ratio)) {
        return Err(Error::new(ErrorCode::LinregParams, format!("alpha {alpha}, L1 ratio {l1_ratio}"))
            .hint("alpha is a number from 0 on, the L1 ratio lies between 0 and 1"));
    }
    let target = StandardTarget::of(train)?;
    let varying = columns.varying();
    let matrix = columns.matrix.select(Axis(1), &varying);
    let wanted = Array1::from(target.values);
    // A target of another unit scales the weights: their L1 norm once, their squares twice, as it does the error.
    let l1 = alpha * l1_ratio / target.deviation;
    let l2 = (alpha * (1.0 - l1_ratio)).max(MIN_L2);
    let solved = if l1 > 0.0 { elastic(&matrix, &wanted, l1, l2)? } else { least_squares(&matrix, &wanted, l2)? };
    if solved.iter().any(|weight| !weight.is_finite() || weight.abs() > LARGEST) {
        return Err(singular());
    }
    let slope = steepest(&matrix, &wanted, &solved, l1, l2);
    if slope.is_nan() || slope > CONVERGED {
        return Err(Error::new(
            ErrorCode::LinregDiverged,
            format!("no solution was found: the error still falls ({slope:.1e})"),
        )
        .hint("raise `--alpha`, or leave out features that repeat others"));
    }
    let mut weights = vec![0.0; train.features.len()];
    varying.iter().zip(&solved).for_each(|(feature, weight)| weights[*feature] = weight * target.deviation);
    let linear = columns.fold(&[weights], &[0.0]);
    if linear.ignores_features() {
        return Err(Error::new(ErrorCode::LinregTrivial, "the model ignores its features")
            .hint("lower `--alpha`, or check that the features say something about the target"));
    }
    Ok(LinearRegression { linear, offset: target.mean })
}

/// Least squares with the penalty `l2 / 2 * |w|^2` beside half the mean squared error, by a QR decomposition of the
/// rows and, below them, those of a penalty: `sqrt(rows * l2)` times the unit matrix, with wanted values of zero.
fn least_squares(matrix: &Array2<f64>, wanted: &Array1<f64>, l2: f64) -> Result<Array1<f64>> {
    let (rows, features) = matrix.dim();
    let root = (rows as f64 * l2).sqrt();
    let records = Array2::from_shape_fn((rows + features, features), |(row, feature)| match row.checked_sub(rows) {
        None => matrix[[row, feature]],
        Some(at) if at == feature => root,
        Some(_) => 0.0,
    });
    let targets = Array1::from_shape_fn(rows + features, |row| wanted.get(row).copied().unwrap_or(0.0));
    let solver = LeastSquares::new().with_intercept(false);
    solver.fit(&DatasetBase::new(records, targets)).map(|model| model.params().clone()).map_err(|_| singular())
}

/// Coordinate descent. The columns and the target have mean 0, so there is no intercept.
fn elastic(matrix: &Array2<f64>, wanted: &Array1<f64>, l1: f64, l2: f64) -> Result<Array1<f64>> {
    let penalty = l1 + l2;
    let model = ElasticNet::params()
        .penalty(penalty)
        .l1_ratio(l1 / penalty)
        .with_intercept(false)
        .tolerance(1e-10)
        .max_iterations(20_000)
        .fit(&DatasetBase::new(matrix.view(), wanted.view()))
        .map_err(|error| {
            Error::new(ErrorCode::LinregDiverged, format!("no solution was found: {error}")).hint("raise `--alpha`")
        })?;
    Ok(model.hyperplane().clone())
}

/// How far the solution is from one: the largest entry of the loss's subgradient nearest zero.
fn steepest(matrix: &Array2<f64>, wanted: &Array1<f64>, weights: &Array1<f64>, l1: f64, l2: f64) -> f64 {
    let errors = matrix.dot(weights) - wanted;
    let slopes = matrix.t().dot(&errors) / matrix.nrows() as f64 + weights * l2;
    let subgradient: Vec<f64> = (slopes.iter().zip(weights))
        .map(|(slope, weight)| match *weight {
            0.0 => (slope.abs() - l1).max(0.0),
            weight => slope + l1 * weight.signum(),
        })
        .collect();
    largest_magnitude(&subgradient)
}

fn singular() -> Error {
    Error::new(ErrorCode::LinregSingular, "features all but cancel each other: least squares has no sound solution")
        .hint("give a small penalty, such as `--alpha 0.01`, or leave out features that repeat others")
}
