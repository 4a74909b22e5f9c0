//! What XGBoost's objectives make of a row's scores.

use super::super::links::{link, probability_of_second};
use super::super::model::{MAX_CLASSES, invalid, large};
use super::errors::unsupported;
use super::schema::Learner;
use fhectl_core::bundle::{Head, ScoreUnit};
use fhectl_core::error::Result;
use fhectl_core::model::{ClearStep, Function};

/// What is predicted of the scores, and from which the trees begin to add.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objective {
    /// The number of classes; 0 where a number is predicted.
    pub classes: usize,
    /// The number of sums of trees.
    pub scores: usize,
    pub unit: ScoreUnit,
    pub head: Option<Head>,
    /// What the file's base score is.
    base: Base,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// A score.
    Score,
    /// A probability, whose logit is the score.
    Probability,
    /// A positive number, whose logarithm is the score.
    Mean,
}

impl Objective {
    /// # Errors
    /// `xgboost_unsupported` for an objective whose predictions are not known, `import_large` for too many classes.
    pub(super) fn of(learner: &Learner) -> Result<Self> {
        let params = &learner.learner_model_param;
        let name = learner.objective.name.as_str();
        if params.num_target.is_some_and(|targets| targets.0 > 1) {
            let what = if name == "reg:quantileerror" { "several quantiles" } else { "several targets" };
            return Err(unsupported(what).hint("train a model for each"));
        }
        let value = |head, base| Ok(Self { classes: 0, scores: 1, unit: ScoreUnit::Logit, head, base });
        let binary = |unit, head, base| Ok(Self { classes: 2, scores: 1, unit, head, base });
        let positive = ClearStep::Function { function: Function::Positive };
        match name {
            "binary:logistic" => binary(ScoreUnit::Logit, None, Base::Probability),
            // The scikit-learn interface takes the score for a probability.
            "binary:logitraw" => binary(ScoreUnit::Margin, Some(probability_of_second(Vec::new())), Base::Score),
            "binary:hinge" => binary(ScoreUnit::Margin, Some(probability_of_second(vec![positive])), Base::Score),
            "multi:softmax" | "multi:softprob" => match params.num_class.0 {
                classes @ 2..=MAX_CLASSES => {
                    Ok(Self { classes, scores: classes, unit: ScoreUnit::Logit, head: None, base: Base::Score })
                }
                classes => Err(large(format!("{classes} classes, want 2 to {MAX_CLASSES}"))),
            },
            "reg:logistic" => value(Some(link(Function::Sigmoid)), Base::Probability),
            "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
                value(Some(link(Function::Exp)), Base::Mean)
            }
            "reg:squarederror"
            | "reg:linear"
            | "reg:squaredlogerror"
            | "reg:pseudohubererror"
            | "reg:absoluteerror"
            | "reg:quantileerror"
            | "rank:pairwise"
            | "rank:ndcg"
            | "rank:map" => value(None, Base::Score),
            other => Err(unsupported(format!("the objective `{}`", other.escape_debug())).hint(
                "read are binary:*, multi:*, rank:*, reg:*, count:poisson, survival:cox and survival:aft of XGBoost 3; \
                 train with one of these, or ask for it",
            )),
        }
    }

    /// What the trees of each score begin to add to.
    ///
    /// # Errors
    /// `import_invalid` for a number of base scores that does not fit, and one that has no logit or logarithm.
    pub(super) fn base_scores(&self, learner: &Learner) -> Result<Vec<f64>> {
        let base = &learner.learner_model_param.base_score.0;
        let base = match base[..] {
            [one] => vec![one; self.scores],
            _ if base.len() == self.scores => base.clone(),
            _ => return Err(invalid(format!("{} base scores for {} scores", base.len(), self.scores))),
        };
        let score = |base: f64| match self.base {
            Base::Score => Ok(base),
            Base::Probability if base > 0.0 && base < 1.0 => Ok(-(1.0 / base - 1.0).ln()),
            Base::Probability => Err(invalid("the base score is no probability")),
            Base::Mean if base > 0.0 => Ok(base.ln()),
            Base::Mean => Err(invalid("the base score is not positive")),
        };
        base.into_iter().map(score).collect()
    }
}
