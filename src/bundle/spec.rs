//! The two halves of a bundle: what is public and what is the model owner's.

use super::{FORMAT, invalid};
use crate::circuit::{CircuitSpec, Reveal};
use crate::error::{Error, Result};
use crate::model::{Model, Quantizer};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// The identity of a bundle: a SHA-256 over both of its halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId(pub [u8; 32]);

impl ModelId {
    pub(super) fn of(client_json: &str, model_json: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"fhectl bundle\n");
        hash.update((client_json.len() as u64).to_le_bytes());
        hash.update(client_json);
        hash.update(model_json);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for ModelId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut id = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(invalid("a model id is 64 hexadecimal digits"));
        }
        for (byte, at) in id.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16)
                .map_err(|_| invalid("a model id is 64 hexadecimal digits"))?;
        }
        Ok(Self(id))
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

/// The public half.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientSpec {
    pub format: u32,
    pub name: String,
    /// `tree`, `logreg`, ...
    pub kind: String,
    pub features: Vec<String>,
    pub target: String,
    pub classes: Vec<String>,
    pub quantizer: Quantizer,
    pub circuit: CircuitSpec,
    pub reveal: Reveal,
    /// log2 of the chance that one inference differs from the clear integer model; `None` for networks, whose answers
    /// carry noise.
    pub p_fail_log2: Option<f64>,
    /// log2 of an answer's statistical distance from one whose noise does not depend on the model.
    pub flooding_log2: Option<f64>,
    pub security_bits: u32,
    /// What an integer score is worth as a logit; `None` where scores are classes.
    pub score_scale: Option<f64>,
    pub evaluation: Option<Evaluation>,
}

impl ClientSpec {
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
        self.quantizer.check()?;
        if self.features.len() != self.quantizer.features.len() {
            return Err(invalid(format!(
                "{} feature names for {} quantisers",
                self.features.len(),
                self.quantizer.features.len()
            )));
        }
        if self.classes.len() < 2 || self.classes.len() > 1 << 12 {
            return Err(invalid(format!("{} classes, want 2 to 4096", self.classes.len())));
        }
        self.circuit.check(&self.quantizer, self.classes.len())
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
    Err(Error::user("name_invalid", format!("`{}` is not a model name", name.escape_default()))
        .hint("use up to 100 letters, digits, `-`, `_` and `.`"))
}

/// How well the model did when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    pub train_rows: usize,
    pub test_rows: usize,
    /// Accuracy of the float model and of the integer model on the test rows.
    pub float_accuracy: f64,
    pub quantized_accuracy: f64,
    /// Accuracy of the integer model with its circuit's noise drawn in clear; `None` for exact circuits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated_accuracy: Option<f64>,
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
        self.model.check(&spec.quantizer, spec.classes.len())
    }
}
