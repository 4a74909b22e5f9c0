//! Generalized linear models (Nelder, Wedderburn 1972): counts, costs and positive numbers, by iteratively reweighted
//! least squares.

mod family;
mod newton;

pub use family::{Family, Link};

use super::float_linear::FloatLinear;
use super::quality::Fit;
use super::standardize::Standardized;
use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Quantizer;
use newton::Problem;

/// Weights below this, of standardized features, say nothing that would be seen.
const NOTHING: f64 = 1e-9;

/// What controls the fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GlmParams {
    pub family: Family,
    pub link: Link,
    /// The weight of the penalty `alpha / 2 * |w|^2` on standardized features beside half the mean deviance, as of
    /// scikit-learn's regressors behind a `StandardScaler`.
    pub alpha: f64,
}

/// A generalized linear model in floats: the mean is the link's inverse of the one score of `linear` plus `offset`.
#[derive(Debug, Clone, PartialEq)]
pub struct Glm {
    pub linear: FloatLinear,
    /// The link of the training rows' mean: kept apart, so that scores lie about zero.
    pub offset: f64,
    pub link: Link,
}

impl Glm {
    /// The numbers predicted of rows of plain features.
    pub fn predict(&self, data: &Dataset) -> Vec<f64> {
        data.rows.iter().map(|row| self.link.mean(self.linear.scores(row)[0] + self.offset)).collect()
    }

    /// How they fit.
    pub fn fit(&self, data: &Dataset) -> Fit {
        Fit::of(&self.predict(data), &data.values)
    }
}

/// Fits a model on the *quantized* values of `train`, each taken as a number.
///
/// # Errors
/// `glm_params`, `glm_target` for numbers that the family does not have, `row_shape`, those of
/// [`Dataset::check_trainable`], `glm_diverged`, and `glm_trivial` where all weights vanish.
pub fn train_glm(train: &Dataset, quantizer: &Quantizer, params: &GlmParams) -> Result<Glm> {
    fit(train, Standardized::quantized(train, quantizer)?, params)
}

/// Fits the same model on the features as they are: the float reference.
///
/// # Errors
/// As for [`train_glm`].
pub fn float_glm(train: &Dataset, params: &GlmParams) -> Result<Glm> {
    fit(train, Standardized::plain(train), params)
}

fn fit(train: &Dataset, columns: Standardized, params: &GlmParams) -> Result<Glm> {
    let GlmParams { family, link, alpha } = *params;
    if !(alpha >= 0.0 && alpha.is_finite()) {
        return Err(Error::new(ErrorCode::GlmParams, format!("alpha {alpha}")).hint("alpha is a number from 0 on"));
    }
    train.check_trainable()?;
    if let Some(row) = train.values.iter().position(|value| !family.allows(*value)) {
        let hint = match family.power() < 2.0 {
            true => "counts and costs are 0 or more; --family gaussian takes any numbers",
            false => {
                "this family is of positive numbers; --family poisson and tweedie take 0 as well, gaussian any numbers"
            }
        };
        let what =
            format!("`{}` is {} in a training row, for family {}", train.target, train.values[row], family.name());
        return Err(Error::new(ErrorCode::GlmTarget, what).hint(hint));
    }
    // In units of their mean, numbers of a family are numbers of it; so no step depends on the target's unit.
    let count = train.len() as f64;
    let mean = train.values.iter().map(|value| value / count).sum::<f64>();
    let unit = match link {
        Link::Log => mean,
        Link::Identity => train.values.iter().map(|value| value.abs() / count).sum(),
    };
    if !(unit.is_normal() && unit > 0.0 && (link == Link::Identity || mean > 0.0)) {
        return Err(Error::new(ErrorCode::GlmTarget, format!("the mean of `{}` is {mean}", train.target))
            .hint("the log link needs a positive mean, and no model numbers that cannot be averaged"));
    }
    let values: Vec<f64> = train.values.iter().map(|value| value / unit).collect();
    // Half the deviance scales as the unit to 2 - power; with the identity the weights do as well.
    let of_weights = if link == Link::Identity { 2.0 } else { 0.0 };
    let alpha = alpha * unit.powf(of_weights - (2.0 - family.power()));
    let start = link.sum(mean / unit);
    let problem = Problem { matrix: &columns.matrix, values: &values, family, link, alpha, start };
    let (weights, intercept) = problem.solve()?;
    // In units of features' deviations and of the target's mean.
    let flat = weights.iter().all(|weight| weight.abs() < NOTHING);
    let of_score = if link == Link::Identity { unit } else { 1.0 };
    let weights: Vec<f64> = weights.into_iter().map(|weight| weight * of_score).collect();
    let linear = columns.fold(&[weights], &[(intercept - start) * of_score]);
    if flat || linear.ignores_features() || !linear.is_finite() {
        return Err(Error::new(ErrorCode::GlmTrivial, "the model ignores its features")
            .hint("lower `--alpha`, or check that the features say something about the target"));
    }
    Ok(Glm { linear, offset: link.sum(mean), link })
}

#[cfg(test)]
mod tests;
