//! Predictions as JavaScript sees them.

use crate::thrown::thrown;
use fhectl_core::bundle::ClientSpec;
use fhectl_core::client::{Predicted, Prediction, Predictions};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// What came of a batch of answers.
#[wasm_bindgen]
pub struct Decrypted {
    predictions: String,
    distrust: Option<fhectl_core::error::Error>,
}

#[wasm_bindgen]
impl Decrypted {
    /// One prediction a row, `null` for those that cannot be trusted: JSON of `Prediction` in `api.ts`, but for its exchange.
    #[wasm_bindgen(getter)]
    pub fn predictions(&self) -> String {
        self.predictions.clone()
    }

    /// Why rows have none, as an `Error`; `undefined` where all have one.
    #[wasm_bindgen(getter)]
    pub fn distrust(&self) -> Option<js_sys::Object> {
        self.distrust.clone().map(|error| thrown(error).into())
    }
}

impl Decrypted {
    pub(crate) fn new(spec: &ClientSpec, predictions: Predictions, outside: &[Vec<usize>]) -> Self {
        let rows = predictions.rows.iter().zip(outside);
        let rows: Vec<Option<Shown<'_>>> =
            rows.map(|(row, outside)| row.as_ref().map(|row| Shown::new(spec, row, outside))).collect();
        Self { predictions: to_json(&rows), distrust: predictions.distrust }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    class: Option<&'a str>,
    class_index: Option<usize>,
    value: Option<f64>,
    scores: Option<&'a [i64]>,
    class_scores: Option<&'a [f64]>,
    outside: Vec<&'a str>,
}

impl<'a> Shown<'a> {
    fn new(spec: &'a ClientSpec, prediction: &'a Prediction, outside: &[usize]) -> Self {
        let (class_index, value) = match prediction.predicted() {
            Predicted::Class(class) => (Some(class), None),
            Predicted::Value(value) => (None, Some(value)),
        };
        Self {
            class: class_index.map(|class| spec.classes[class].as_str()),
            class_index,
            value,
            scores: prediction.scores().map(|scores| scores.values()),
            class_scores: prediction.class_scores().filter(|scores| !scores.is_empty()),
            outside: outside.iter().map(|feature| spec.features[*feature].as_str()).collect(),
        }
    }
}

/// JSON of what cannot fail to be JSON.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("numbers, texts and lists of them")
}
