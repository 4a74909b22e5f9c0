//! A model for JavaScript.

use crate::decrypted::to_json;
use crate::entropy::WebEntropy;
use crate::info;
use crate::keys::{EvaluationKey, KeyFile, Keys, SecretKey};
use crate::talk::Talk;
use crate::thrown::thrown;
use fhectl_core::bundle::{ClientSpec, Predicted};
use fhectl_core::client::policy::FAILURE_LOG2;
use fhectl_core::client::{ClientModel, Detail};
use serde::Serialize;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

/// All of `client.zip`, and how much is shown of its answers.
#[wasm_bindgen]
#[derive(Clone)]
pub struct Model {
    pub(crate) own: Rc<ClientModel>,
    pub(crate) detail: Detail,
}

impl Model {
    pub(crate) fn new(own: ClientModel, scores: bool) -> Self {
        Self { own: Rc::new(own), detail: if scores { Detail::Scores } else { Detail::Prediction } }
    }

    pub(crate) fn spec(&self) -> &ClientSpec {
        self.own.spec()
    }
}

/// log2 of a failure rate, or the usual one.
pub(crate) fn failure_log2(accepted: Option<f64>) -> f64 {
    accepted.map_or(FAILURE_LOG2, f64::log2)
}

#[wasm_bindgen]
impl Model {
    /// Reads the bytes of a `client.zip` from anywhere. `scores` has a network's scores shown, `accept_p_fail` is the failure
    /// rate that is accepted.
    #[wasm_bindgen(constructor)]
    pub fn read(client_zip: &[u8], scores: bool, accept_p_fail: Option<f64>) -> Result<Model, JsValue> {
        let own = ClientModel::read_accepting(client_zip, failure_log2(accept_p_fail)).map_err(thrown)?;
        Ok(Self::new(own, scores))
    }

    /// Fetches it from a server, whose URL has no slash at its end.
    pub fn fetch(server: &str, name: &str, scores: bool, accept_p_fail: Option<f64>) -> Result<Talk, JsValue> {
        Talk::fetch(server, name, scores, failure_log2(accept_p_fail)).map_err(thrown)
    }

    /// JSON of `ModelInfo` in `api.ts`.
    pub fn info(&self) -> Result<String, JsValue> {
        info::info(&self.own, self.detail).map(|info| to_json(&info)).map_err(thrown)
    }

    /// The bits of a row that are told at most; `undefined` where there is no limit.
    #[wasm_bindgen(js_name = disclosedBits)]
    pub fn disclosed_bits(&self) -> Result<Option<u32>, JsValue> {
        self.own.disclosed_bits(self.detail).map_err(thrown)
    }

    /// Draws a secret key.
    #[wasm_bindgen(js_name = generateSecret)]
    pub fn generate_secret(&self) -> SecretKey {
        SecretKey(self.own.generate_secret(&mut WebEntropy))
    }

    /// The secret key's file; `made` is now, in seconds since 1970.
    #[wasm_bindgen(js_name = writeKeyFile)]
    pub fn write_key_file(&self, secret: &SecretKey, made: f64) -> Result<KeyFile, JsValue> {
        let (header, bytes) = self.own.write_key_file(&secret.0, made as u64, None, &mut WebEntropy).map_err(thrown)?;
        Ok(KeyFile { header, bytes })
    }

    /// Reads what [`Model::write_key_file`] wrote for this model, or the command line without a passphrase.
    #[wasm_bindgen(js_name = readKeyFile)]
    pub fn read_key_file(&self, bytes: Vec<u8>) -> Result<SecretKey, JsValue> {
        let bytes = Zeroizing::new(bytes);
        self.own.read_key_file(&bytes, None).map(|(_, secret)| SecretKey(secret)).map_err(thrown)
    }

    /// Makes an evaluation key, another one each time.
    #[wasm_bindgen(js_name = generateEvaluation)]
    pub fn generate_evaluation(&self, secret: &SecretKey) -> EvaluationKey {
        EvaluationKey(self.own.generate_evaluation_key(&secret.0, &mut WebEntropy))
    }

    /// Joins a secret key and its evaluation key, of which `sha256` is the digest where the caller knows it.
    pub fn keys(&self, secret: SecretKey, evaluation: EvaluationKey, sha256: Option<Vec<u8>>) -> Result<Keys, JsValue> {
        let digest = sha256.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let keys = match digest {
            Some(digest) => self.own.keys_of_digest(secret.0, evaluation.0, digest),
            None => self.own.keys(secret.0, evaluation.0),
        };
        Ok(Keys::new(self.clone(), keys.map_err(thrown)?))
    }

    /// What an answer is under a key drawn just now: JSON of `WrongKeyView` in `api.ts`.
    #[wasm_bindgen(js_name = decryptWithWrongKey)]
    pub fn decrypt_with_wrong_key(&self, answer: &[u8]) -> Result<String, JsValue> {
        let seen = self.own.decrypt_with_wrong_key(answer, &mut WebEntropy).map_err(thrown)?;
        let (class, value) = match seen.as_ref().map(|seen| seen.predicted) {
            Some(Predicted::Class(class)) => (Some(self.spec().classes[class].as_str()), None),
            Some(Predicted::Value(value)) => (None, Some(value)),
            None => (None, None),
        };
        let scores = seen.as_ref().map_or(&[][..], |seen| seen.scores.values());
        Ok(to_json(&WrongKeyView { decrypts: seen.is_some(), scores, class, value }))
    }
}

#[derive(Serialize)]
struct WrongKeyView<'a> {
    decrypts: bool,
    scores: &'a [i64],
    class: Option<&'a str>,
    value: Option<f64>,
}
