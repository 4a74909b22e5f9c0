//! What LightGBM's objectives make of a row's scores.

use super::super::links::{each, link, signed_square};
use super::super::model::{MAX_CLASSES, invalid, large};
use super::errors::unsupported;
use fhectl_core::bundle::{Head, ScoreUnit};
use fhectl_core::error::Result;
use fhectl_core::model::Function;

/// What is predicted of the scores.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objective {
    pub name: String,
    /// The number of classes; 0 where a number is predicted.
    pub classes: usize,
    pub unit: ScoreUnit,
    pub head: Option<Head>,
    /// What scores are multiplied with before all else.
    pub factor: f64,
}

impl Objective {
    /// Of the header's line, e.g. `multiclassova num_class:3 sigmoid:1`; models of an objective that is a function of
    /// Python have none.
    ///
    /// # Errors
    /// `import_invalid` where the number of scores does not go with it, `lightgbm_unsupported`, `import_large`.
    pub(super) fn of(line: Option<&str>, classes: usize, scores: usize) -> Result<Self> {
        if scores == 0 || scores > MAX_CLASSES || scores != classes {
            return Err(large(format!("{scores} trees a round for {classes} scores, want 1 to {MAX_CLASSES}")));
        }
        let line = line.unwrap_or("custom");
        let mut parts = line.split_ascii_whitespace();
        let name = parts.next().unwrap_or("custom");
        let options: Vec<&str> = parts.collect();
        let sigmoid = || {
            let given = options.iter().find_map(|option| option.strip_prefix("sigmoid:"));
            match given.map_or(Ok(1.0), str::parse) {
                Ok(factor) if f64::is_finite(factor) => Ok(factor),
                _ => Err(invalid("the objective's sigmoid is no number")),
            }
        };
        let of =
            |classes, unit, head, factor| Self { name: name.escape_debug().to_string(), classes, unit, head, factor };
        let value = |head| of(0, ScoreUnit::Logit, head, 1.0);
        let objective = match name {
            "binary" => of(2, ScoreUnit::Logit, None, sigmoid()?),
            "multiclass" | "softmax" => of(scores, ScoreUnit::Logit, None, 1.0),
            "multiclassova" | "multiclass_ova" | "ova" | "ovr" => {
                of(scores, ScoreUnit::Margin, Some(each(scores, Function::Sigmoid)), sigmoid()?)
            }
            "custom" if scores > 1 => of(scores, ScoreUnit::Margin, None, 1.0),
            "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" if options.contains(&"sqrt") => {
                value(Some(signed_square()))
            }
            "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" | "lambdarank" | "rank_xendcg"
            | "custom" => value(None),
            "poisson" | "gamma" | "tweedie" => value(Some(link(Function::Exp))),
            "cross_entropy" | "xentropy" => value(Some(link(Function::Sigmoid))),
            "cross_entropy_lambda" | "xentlambda" => value(Some(link(Function::Softplus))),
            other => {
                return Err(unsupported(format!("the objective `{}`", other.escape_debug())).hint(
                    "read are binary, multiclass, multiclassova, those of regression, cross_entropy, lambdarank and \
                     rank_xendcg of LightGBM 4",
                ));
            }
        };
        let single = !(name.starts_with("multiclass") || ["softmax", "ova", "ovr", "custom"].contains(&name));
        if (single && scores != 1) || (objective.classes == 1) {
            return Err(invalid(format!("{scores} scores of the objective `{}`", name.escape_debug())));
        }
        Ok(objective)
    }
}
