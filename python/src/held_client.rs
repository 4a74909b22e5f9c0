//! A client whose requests and answers travel by other means, as in `fhectl.deployment`.

use crate::client::keyring;
use crate::columns::Given;
use crate::jobs;
use crate::model::Model;
use crate::predictions::{Answers, Arrays};
use fhectl::client::{Keyring, OpenedKeys};
use fhectl_core::client::{ClientModel, Detail, Pending};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::frame::{answers_len, most_items};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Keys for a model, and what is done with them.
#[pyclass(frozen, module = "fhectl._fhectl")]
pub struct HeldClient {
    own: Arc<Own>,
}

struct Own {
    model: Arc<ClientModel>,
    keyring: Keyring,
    keys: Mutex<Option<Arc<OpenedKeys>>>,
    detail: Detail,
}

impl Own {
    /// The keys in use; opened, or made, at the first call. They stay the same until [`HeldClient::renew`], because another
    /// hand has brought the evaluation key to a server.
    ///
    /// # Errors
    /// `key_used_up` where they must not be used any more; those of the keyring.
    fn keys(&self) -> Result<Arc<OpenedKeys>> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = &*keys {
            if self.keyring.are_retired(self.model.id(), keys)? {
                return Err(used_up());
            }
            return Ok(Arc::clone(keys));
        }
        let opened = Arc::new(self.keyring.keys_for(&self.model)?);
        *keys = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

#[pymethods]
impl HeldClient {
    #[new]
    #[pyo3(signature = (model, keys=None, passphrase=None, scores=false))]
    fn new(
        py: Python<'_>,
        model: &Model,
        keys: Option<PathBuf>,
        passphrase: Option<String>,
        scores: bool,
    ) -> PyResult<Self> {
        let model = Arc::clone(&model.client);
        let detail = if scores { Detail::Scores } else { Detail::Prediction };
        let own = jobs::run(py, None, move |_| {
            let keyring = keyring((keys, passphrase, None))?;
            Ok(Own { model, keyring, keys: Mutex::default(), detail })
        })?;
        Ok(Self { own: Arc::new(own) })
    }

    /// The evaluation key, as a server takes it; empty where the circuit needs none.
    fn evaluation_key<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let own = Arc::clone(&self.own);
        let keys = jobs::run(py, None, move |_| own.keys())?;
        Ok(PyBytes::new(py, keys.keys.evaluation()))
    }

    /// Makes new keys in the place of those that are there.
    fn renew(&self, py: Python<'_>) -> PyResult<()> {
        let own = Arc::clone(&self.own);
        jobs::run(py, None, move |_| {
            let mut keys = own.keys.lock().unwrap_or_else(PoisonError::into_inner);
            *keys = None;
            match own.keyring.rotate(&own.model) {
                // The next use makes the first ones.
                Err(error) if error.code != ErrorCode::KeyUnknown => Err(error),
                _ => Ok(()),
            }
        })
    }

    /// Encrypts rows into one request.
    fn encrypt<'py>(&self, py: Python<'py>, rows: Given<'_>) -> PyResult<Bound<'py, PyBytes>> {
        let (own, rows) = (Arc::clone(&self.own), rows.copied());
        let request = jobs::run(py, None, move |_| {
            let rows = rows.quantized(own.model.spec())?;
            let keys = own.keys()?;
            // Only answers tell something of the key, so they are charged; but rows that no answer may be read of are refused.
            if rows.len() > own.keyring.rows_left(&own.model, &keys, own.detail)? {
                return Err(used_up());
            }
            let encrypted = own.model.encrypt(&keys.keys, &rows, false, &mut OsEntropy)?;
            Ok(encrypted.into_parts().0)
        })?;
        Ok(PyBytes::new(py, &request))
    }

    /// Decrypts the answer to a request of this client's. Nothing here knows whether another answer to the same request was
    /// decrypted before, so each is charged for what it tells of a network's key.
    fn decrypt<'py>(&self, py: Python<'py>, answer: Vec<u8>) -> PyResult<Arrays<'py>> {
        let own = Arc::clone(&self.own);
        let answers = jobs::run(py, None, move |_| {
            let (spec, keys) = (own.model.spec(), own.keys()?);
            let rows = rows_of(&own.model, &answer)?;
            if !own.keyring.take_all_rows(&own.model, &keys, rows, own.detail)? {
                return Err(used_up());
            }
            let predictions = own.model.decrypt(&keys.keys, Pending::untagged(rows), &answer, own.detail);
            own.keyring.settle(own.model.id(), &keys, u32::from(predictions.distrust.is_some()))?;
            if let Some(error) = predictions.distrust {
                return Err(error);
            }
            let mut shown = Answers::new(spec, own.detail.shows_scores(&spec.circuit));
            predictions.rows.iter().for_each(|row| shown.push_prediction(row.as_ref()));
            Ok(shown)
        })?;
        answers.into_arrays(py)
    }

    /// The evaluation key's id.
    fn key_id(&self, py: Python<'_>) -> PyResult<String> {
        let own = Arc::clone(&self.own);
        jobs::run(py, None, move |_| own.keys().map(|keys| keys.keys.key_id()))
    }
}

/// How many rows an answer has, by its length.
fn rows_of(model: &ClientModel, answer: &[u8]) -> Result<usize> {
    let circuit = &model.spec().circuit;
    let (none, one) = (answers_len(circuit, 0), answers_len(circuit, 1));
    let each = (one - none).max(1);
    let rows = answer.len().saturating_sub(none) / each;
    if rows == 0 || rows > most_items(circuit) || answer.len() != none + rows * each {
        return Err(Error::new(ErrorCode::AnswersCount, format!("{} bytes are no answer of this model", answer.len()))
            .hint("give what the server returned, as it is"));
    }
    Ok(rows)
}

fn used_up() -> Error {
    let what = "these keys may not be used for so many rows, or not any more: as much as may be was told of a network's \
                answers under them, or too many answers were wrong, or others took their place";
    Error::new(ErrorCode::KeyUsedUp, what)
        .hint("make new keys with generate_private_and_evaluation_keys(force=True), and send the server the new evaluation key")
}
