//! The two halves of a bundle: what is public and what is the model owner's.

use super::format::{FORMAT, invalid};
use crate::circuit::{CircuitSpec, Reveal};
use crate::digest::{self, Sha256};
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::noise::SECURITY_BITS;
use crate::model::{ClearStep, InputSchema, Model, Output, Quantizer};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The identity of a bundle: a SHA-256 over both of its halves, written as 64 hexadecimal digits.
///
/// ```
/// use fhectl_core::bundle::ModelId;
///
/// let id = ModelId([0xab; 32]);
/// assert_eq!(id.to_string(), "ab".repeat(32));
/// assert_eq!(id.to_string().parse::<ModelId>()?, id);
/// # Ok::<(), fhectl_core::error::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId(pub [u8; 32]);

impl ModelId {
    pub(super) fn of(client_json: &str, model_json: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"fhectl bundle\n");
        hash.update((client_json.len() as u64).to_le_bytes());
        hash.update(client_json);
        hash.update(model_json);
        Self(hash.finish())
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&digest::to_hex(&self.0))
    }
}

impl FromStr for ModelId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        digest::from_hex(text).map(Self).ok_or_else(|| invalid("a model id is 64 hexadecimal digits"))
    }
}

impl Serialize for ModelId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ModelId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Which rows a model was measured on, where they are a built-in set: `play` finds them again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// A built-in data set's name.
    pub data: String,
    pub test_size: f64,
    pub seed: u64,
}

/// What the scores of classes are, times their scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreUnit {
    /// Logits: their softmax are probabilities. One score is the second class's, the first's is nought.
    #[default]
    Logit,
    /// Shares of votes, 1 in all. One score is how much larger the second class's is.
    Share,
    /// Distances from a boundary, which are no probabilities. One score is the second class's, the first's is its
    /// negative.
    Margin,
}

impl ScoreUnit {
    fn is_logit(&self) -> bool {
        *self == Self::Logit
    }
}

/// The public half.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientSpec {
    pub format: u32,
    pub name: String,
    /// `tree`, `logreg`, ...
    pub kind: String,
    /// How a table's cells become numbers; `None` where its columns are the features, and numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<InputSchema>,
    /// Names of what is quantized: a row after `preprocessing`.
    pub features: Vec<String>,
    pub target: String,
    /// Names of the classes; none where the output is a number.
    pub classes: Vec<String>,
    /// What is done to a row before it is quantized.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preprocessing: Vec<ClearStep>,
    pub quantizer: Quantizer,
    pub circuit: CircuitSpec,
    pub reveal: Reveal,
    /// log2 of the chance that one inference differs from the clear integer model; `None` for networks, whose answers
    /// carry noise.
    pub p_fail_log2: Option<f64>,
    /// log2 of an answer's statistical distance from one whose noise does not depend on the model.
    #[serde(rename = "statistical_distance_log2")]
    pub flooding_log2: Option<f64>,
    pub security_bits: u32,
    /// What an integer score is worth as a logit or in the target's unit; `None` where scores are classes.
    pub score_scale: Option<f64>,
    /// A predicted number is `score * score_scale` and this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score_offset: Option<f64>,
    /// What `score * score_scale` is for classes.
    #[serde(default, skip_serializing_if = "ScoreUnit::is_logit")]
    pub score_unit: ScoreUnit,
    /// Where a client computes the prediction itself: what it does with the scores, times their scale and with their
    /// offset. It ends with one number a class, the largest of which wins, or with the number that is predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
    pub evaluation: Option<Evaluation>,
}

/// How a client makes a prediction of scores, in clear.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The number of scores that an answer has.
    pub scores: u32,
    pub steps: Vec<ClearStep>,
}

impl ClientSpec {
    /// What scores stand for.
    pub fn output(&self) -> Output {
        match &self.head {
            Some(head) => Output::Scores(head.scores as usize),
            None => self.predicts(),
        }
    }

    /// What is predicted: a class or a number.
    pub fn predicts(&self) -> Output {
        if self.classes.is_empty() { Output::Value } else { Output::Classes(self.classes.len()) }
    }

    /// The names of a table's columns that the model takes, in their order.
    pub fn columns(&self) -> Vec<&str> {
        match &self.input {
            Some(input) => input.columns.iter().map(|column| column.name.as_str()).collect(),
            None => self.features.iter().map(String::as_str).collect(),
        }
    }

    /// How a table's cells become a row's numbers.
    pub fn schema(&self) -> Cow<'_, InputSchema> {
        InputSchema::or_numbers(self.input.as_ref(), &self.features)
    }

    /// How many numbers a row has before preprocessing.
    pub fn row_width(&self) -> usize {
        self.input.as_ref().map_or(self.features.len(), InputSchema::width)
    }

    /// A row of numbers after preprocessing: one number a feature.
    ///
    /// # Errors
    /// `row_shape` for another number of values.
    pub fn preprocess(&self, row: &[f64]) -> Result<Zeroizing<Vec<f64>>> {
        if row.len() != self.row_width() {
            let what = format!("the row has {} values, the model takes {}", row.len(), self.row_width());
            return Err(Error::new(ErrorCode::RowShape, what).hint("`fhectl inspect` lists the columns in their order"));
        }
        Ok(Zeroizing::new(ClearStep::apply_all(&self.preprocessing, row.to_vec())))
    }

    /// Preprocesses and quantizes one row of numbers: those that [`InputSchema::encode`] makes of a table's cells, or one
    /// a feature where there is no schema. Missing ones are NaN.
    ///
    /// # Errors
    /// `row_shape` for another number of values, `row_value` where a feature is missing after preprocessing.
    pub fn quantize(&self, row: &[f64]) -> Result<Vec<u32>> {
        self.quantize_features(&self.preprocess(row)?)
    }

    /// As [`ClientSpec::quantize`], of a row that [`ClientSpec::preprocess`] gave.
    ///
    /// # Errors
    /// `row_shape` for another number of features, `row_value` for one that is missing or not finite.
    pub fn quantize_features(&self, features: &[f64]) -> Result<Vec<u32>> {
        // One of another length is refused below.
        let mut known = features.iter().take(self.features.len());
        if let Some(at) = known.position(|value| !value.is_finite()) {
            let name: String = self.features[at].chars().take(40).flat_map(char::escape_debug).collect();
            let what = if features[at].is_nan() { "is missing" } else { "is not finite" };
            return Err(Error::new(ErrorCode::RowValue, format!("`{name}` {what}"))
                .hint("the model has no rule for it: fill it in, or leave the row out (`predict --on-error skip`)"));
        }
        self.quantizer.quantize(features)
    }

    /// The features of a preprocessed row that lie outside of the grid that they are quantized to, so that the model sees
    /// the nearest end of it. Bins have no ends: trees decide by them as they would without.
    pub fn outside(&self, features: &[f64]) -> Vec<usize> {
        let rules = features.iter().zip(&self.quantizer.features);
        rules.enumerate().filter(|(_, (value, rule))| rule.is_outside(**value)).map(|(index, _)| index).collect()
    }

    /// Checks that answers are wrong no more often than a client accepts: wrong ones, seen by others, give its secret key away.
    ///
    /// `accepted` is log2 of the chance an inference, -128 unless the client says otherwise. The bundle's `p_fail` is its
    /// author's word, so what the public parameters have at least is counted too.
    ///
    /// # Errors
    /// `failure_rate`.
    pub fn check_failure(&self, accepted: f64) -> Result<()> {
        // Networks have none; whether a bundle states one does not decide.
        let Some(least) = self.circuit.least_failure_log2() else { return Ok(()) };
        let stated = self.p_fail_log2.unwrap_or(0.0);
        let failure = stated.max(least);
        // Beyond the digits that rounding a figure on its way here may have cost.
        if failure <= accepted + 0.01 {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::FailureRate,
            format!(
                "one of 2^{:.0} answers of this model may be wrong ({}), one of 2^{:.0} is accepted",
                -failure,
                if least > stated { "by its parameters, not by its own word" } else { "so it says itself" },
                -accepted
            ),
        )
        .hint("wrong answers that others see give the secret key away; where nobody sees them, accept it with --accept-p-fail"))
    }

    /// Checks all that later code relies on.
    ///
    /// # Errors
    /// `bundle_invalid`, `model_invalid` or `parameters_invalid`.
    pub fn check(&self) -> Result<()> {
        if self.format != FORMAT {
            return Err(invalid(format!("format {}", self.format)));
        }
        check_name(&self.name)?;
        let texts = [&self.kind, &self.target].into_iter().chain(&self.features).chain(&self.classes);
        if let Some(text) = texts.into_iter().find(|text| text.chars().any(char::is_control)) {
            return Err(invalid(format!("the name `{}` holds control characters", text.escape_debug())));
        }
        if self.security_bits > SECURITY_BITS {
            return Err(invalid(format!("{} bits of security, want at most {SECURITY_BITS}", self.security_bits)));
        }
        self.quantizer.check()?;
        if self.features.len() != self.quantizer.features.len() {
            return Err(invalid(format!(
                "{} feature names for {} quantizers",
                self.features.len(),
                self.quantizer.features.len()
            )));
        }
        if let Some(input) = &self.input {
            input.check()?;
        }
        let width = ClearStep::check_all(&self.preprocessing, self.row_width())?;
        if width != self.features.len() {
            return Err(invalid(format!(
                "preprocessing ends with {width} numbers for {} features",
                self.features.len()
            )));
        }
        if let Some(head) = &self.head {
            let (made, want) = (ClearStep::check_all(&head.steps, head.scores as usize)?, self.classes.len().max(1));
            if made != want {
                return Err(invalid(format!("the head ends with {made} numbers, want {want}")));
            }
        }
        if self.classes.len() == 1 || self.classes.len() > 1 << 12 {
            return Err(invalid(format!("{} classes, want 2 to 4096, or none for a number", self.classes.len())));
        }
        let wrong = |number: Option<f64>| number.is_some_and(|number| !number.is_finite());
        if wrong(self.score_scale) || wrong(self.score_offset) {
            return Err(invalid("the worth of a score is not a finite number"));
        }
        let exact = self.circuit.least_failure_log2().is_some();
        if exact != self.p_fail_log2.is_some() || wrong(self.p_fail_log2) {
            return Err(invalid("exact circuits state a failure rate, and networks none"));
        }
        self.circuit.check(&self.quantizer, self.output())
    }
}

/// Names become folders and URLs: letters, digits, `-`, `_` and `.`, not starting with a dot.
///
/// # Errors
/// `name_invalid`.
pub fn check_name(name: &str) -> Result<()> {
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if fits && !name.is_empty() && name.len() <= 100 && !name.starts_with('.') {
        return Ok(());
    }
    Err(Error::new(ErrorCode::NameInvalid, format!("`{}` is not a model name", name.escape_default()))
        .hint("use up to 100 letters, digits, `-`, `_` and `.`"))
}

/// How well the model did when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    pub train_rows: usize,
    pub test_rows: usize,
    #[serde(flatten)]
    pub quality: Quality,
}

/// What the test rows say of a model: of the float model, of the integer model, and of the integer model with its
/// circuit's noise drawn in clear (`None` for exact circuits).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Quality {
    /// Shares of right classes.
    Accuracy {
        float_accuracy: f64,
        quantized_accuracy: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        simulated_accuracy: Option<f64>,
    },
    /// Coefficients of determination (R2), and root mean square errors in the target's unit.
    Regression {
        float_r2: f64,
        quantized_r2: f64,
        float_rmse: f64,
        quantized_rmse: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        simulated_r2: Option<f64>,
        /// The mean absolute error, in the target's unit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quantized_mae: Option<f64>,
        /// The shares of the deviance that are explained, of models of a family of distributions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        float_d2: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quantized_d2: Option<f64>,
    },
    /// Nothing was measured: the model was imported without rows. Last, for it fits whatever the others do not.
    Unmeasured {},
}

/// The owner's half.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerSpec {
    pub format: u32,
    /// SHA-256 of the training data, in hexadecimal: keeps the bundle's id from being a commitment to the model that
    /// a client could test guesses against.
    pub salt: String,
    pub model: Model,
    pub metrics: Metrics,
}

impl ServerSpec {
    /// # Errors
    /// `model_invalid` where the model does not fit the client's half.
    pub fn check(&self, spec: &ClientSpec) -> Result<()> {
        self.model.check(&spec.quantizer, spec.output())
    }
}
