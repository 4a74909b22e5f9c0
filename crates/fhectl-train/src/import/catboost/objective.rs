//! What CatBoost makes of a row's scores, by its loss function.

use super::super::links::{each, link};
use super::super::model::{Imported, MAX_CLASSES, invalid, large};
use super::errors::unsupported;
use super::schema::ClassParams;
use fhectl_core::bundle::{Head, ScoreUnit};
use fhectl_core::error::Result;
use fhectl_core::model::Function;
use serde::Deserialize;
use serde_json::Value;

/// What is predicted of the scores.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objective {
    /// Names of classes; none where a number is predicted.
    pub classes: Vec<String>,
    pub unit: ScoreUnit,
    pub head: Option<Head>,
}

impl Objective {
    /// # Errors
    /// `catboost_unsupported` for losses of several numbers, `import_invalid` where classes and scores do not go together.
    pub(super) fn of(loss: &str, params: &ClassParams, scores: usize) -> Result<Self> {
        if scores == 0 || scores > MAX_CLASSES {
            return Err(large(format!("{scores} scores, want 1 to {MAX_CLASSES}")));
        }
        let named = |classes: usize| {
            let names: Vec<String> = match params.class_names.len() {
                0 => (0..classes).map(|class| class.to_string()).collect(),
                _ => params.class_names.iter().map(name).collect(),
            };
            match names.len() {
                count if count == classes => Ok(names),
                count => Err(invalid(format!("{count} classes for {scores} scores of {}", loss.escape_debug()))),
            }
        };
        let of = |classes, unit, head| Ok(Self { classes, unit, head });
        match (loss, scores) {
            ("Logloss" | "CrossEntropy" | "Focal", 1) => of(named(2)?, ScoreUnit::Logit, None),
            ("MultiClass", 2..) => of(named(scores)?, ScoreUnit::Logit, None),
            ("MultiClassOneVsAll", 2..) => of(named(scores)?, ScoreUnit::Margin, one_vs_all(scores)),
            ("Poisson" | "Tweedie", 1) => of(Vec::new(), ScoreUnit::Logit, Some(link(Function::Exp))),
            (
                "RMSE" | "MAE" | "Quantile" | "LogLinQuantile" | "MAPE" | "Lq" | "Huber" | "LogCosh" | "Expectile"
                | "RMSPE" | "GroupQuantile" | "QueryRMSE" | "QuerySoftMax" | "QueryCrossEntropy" | "PairLogit"
                | "PairLogitPairwise" | "YetiRank" | "YetiRankPairwise" | "LambdaMart" | "StochasticFilter"
                | "StochasticRank" | "SurvivalAft",
                1,
            ) => of(Vec::new(), ScoreUnit::Logit, None),
            _ => Err(unsupported(format!("{scores} scores of the loss `{}`", loss.escape_debug())).hint(
                "read are Logloss, CrossEntropy, MultiClass, MultiClassOneVsAll, Poisson, Tweedie, and losses of one \
                 number such as RMSE and Quantile",
            )),
        }
    }
}

fn one_vs_all(scores: usize) -> Option<Head> {
    Some(each(scores, Function::Sigmoid))
}

/// A class's name: CatBoost has whole numbers as 1 or as 1.0.
fn name(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(whole) if number.is_f64() && whole.fract() == 0.0 && whole.abs() < 1e15 => format!("{whole}"),
            _ => number.to_string(),
        },
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

/// The training parameters that CatBoost leaves in ONNX files.
#[derive(Debug, Deserialize)]
struct OnnxParams {
    loss_function: super::schema::Loss,
}

/// A model that CatBoost exported to ONNX with these training parameters: its graph does not say that one score a class
/// is a logit of its own, nor that a score is a logarithm.
pub fn of_onnx(imported: Imported, params: &str) -> Imported {
    let Ok(params) = serde_json::from_str::<OnnxParams>(params) else { return imported };
    let scores = imported.output().margins();
    let head = match (params.loss_function.name.as_str(), imported.classes.len()) {
        ("MultiClassOneVsAll", classes) if classes > 2 && scores == classes => one_vs_all(scores),
        ("Poisson" | "Tweedie", 0) => Some(link(Function::Exp)),
        _ => return imported,
    };
    if imported.head.is_some() {
        return imported;
    }
    Imported { head, unit: ScoreUnit::Margin, ..imported }
}
