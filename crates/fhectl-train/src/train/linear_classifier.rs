//! What the fits of linear classifiers have in common.

use super::class_weights::ClassWeights;
use super::float_linear::FloatLinear;
use super::standardize::Standardized;
use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Quantizer;
use ndarray::Array2;

/// The largest slope of the mean loss at which a solution counts as found.
pub(super) const CONVERGED: f64 = 1e-3;

/// What controls the fit.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearClassifierParams {
    /// The weight of the penalty `alpha / 2 * |w|^2` on standardized features beside the summed loss; 1 is scikit-learn's
    /// default `C = 1`.
    pub alpha: f64,
    /// The most steps of L-BFGS.
    pub max_iterations: u64,
    /// How much rows of each class count.
    pub class_weights: ClassWeights,
}

impl Default for LinearClassifierParams {
    fn default() -> Self {
        Self { alpha: 1.0, max_iterations: 1000, class_weights: ClassWeights::default() }
    }
}

/// Weights, a row a score, and intercepts on standardized features.
pub(super) type Solution = (Vec<Vec<f64>>, Vec<f64>);

/// A kind of linear classifier: how it is solved, and how it says what went wrong.
pub(super) struct LinearClassifier {
    pub(super) params_code: ErrorCode,
    pub(super) trivial_code: ErrorCode,
    pub(super) diverged: fn(&str) -> Error,
    /// Whether there must be a penalty.
    pub(super) penalized: bool,
    pub(super) solve: fn(&Dataset, &Array2<f64>, &LinearClassifierParams) -> Result<Solution>,
}

impl LinearClassifier {
    /// Fits on the *quantized* values of `train`, each taken as a number.
    ///
    /// # Errors
    /// As [`LinearClassifier::plain`]; `row_shape`.
    pub(super) fn quantized(
        &self,
        train: &Dataset,
        quantizer: &Quantizer,
        params: &LinearClassifierParams,
    ) -> Result<FloatLinear> {
        self.fit(train, Standardized::quantized(train, quantizer)?, params)
    }

    /// Fits on the features as they are: the float reference.
    ///
    /// # Errors
    /// For parameters out of range, those of [`Dataset::check_trainable`], where the solver fails and where all weights
    /// vanish.
    pub(super) fn plain(&self, train: &Dataset, params: &LinearClassifierParams) -> Result<FloatLinear> {
        self.fit(train, Standardized::plain(train), params)
    }

    fn fit(&self, train: &Dataset, columns: Standardized, params: &LinearClassifierParams) -> Result<FloatLinear> {
        let LinearClassifierParams { alpha, max_iterations, .. } = *params;
        let too_low = if self.penalized { alpha <= 0.0 } else { alpha < 0.0 };
        if too_low || !alpha.is_finite() || max_iterations == 0 {
            let least = if self.penalized { "above 0" } else { "from 0 on" };
            return Err(Error::new(self.params_code, format!("alpha {alpha}, {max_iterations} iterations"))
                .hint(format!("alpha is a number {least}, and there is at least one iteration")));
        }
        train.check_trainable()?;
        let (weights, intercepts) = (self.solve)(train, &columns.matrix, params)?;
        let model = columns.fold(&weights, &intercepts);
        if !model.is_finite() {
            return Err((self.diverged)("a weight is not a finite number"));
        }
        if model.ignores_features() {
            return Err(Error::new(self.trivial_code, "the model ignores its features")
                .hint("lower `--alpha`, or check that the features say something about the target"));
        }
        Ok(model)
    }

    /// Checks that the largest slope of a solution is as good as none.
    ///
    /// # Errors
    /// That the solver diverged.
    pub(super) fn check_converged(&self, slope: f64, params: &LinearClassifierParams) -> Result<()> {
        if slope.is_nan() || slope > CONVERGED {
            let steps = params.max_iterations;
            return Err((self.diverged)(&format!("the loss still falls after {steps} steps ({slope:.1e})")));
        }
        Ok(())
    }
}

/// The largest magnitude; a NaN, which `f64::max` would drop, where there is one.
pub(super) fn largest_magnitude<'a>(slopes: impl IntoIterator<Item = &'a f64>) -> f64 {
    slopes.into_iter().fold(0.0, |top, slope| if slope.abs() > top || slope.is_nan() { slope.abs() } else { top })
}
