//! A client of one model on one server.

use crate::columns::Given;
use crate::jobs;
use crate::model::Model;
use crate::predictions::{Answers, Arrays};
use fhectl::client::http::read_authorities;
use fhectl::client::session::fetch_client;
use fhectl::client::{
    Encrypted, HeldKeys, Http, Keyring, Passphrase, RowRunner, UntrustedAnswers, check_trusted, infer_in_order,
};
use fhectl_core::client::{ClientModel, Detail, policy};
use fhectl_core::error::Result;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Encrypts rows, has a server compute them and decrypts its answers.
#[pyclass(frozen, module = "fhectl._fhectl")]
pub struct Client {
    own: Arc<Own>,
}

struct Own {
    http: Http,
    model: Arc<ClientModel>,
    keyring: Keyring,
    held: HeldKeys,
    detail: Detail,
}

impl Own {
    fn runner(&self) -> RowRunner<'_> {
        RowRunner {
            http: &self.http,
            model: &self.model,
            keyring: &self.keyring,
            held: &self.held,
            detail: self.detail,
        }
    }

    fn answers(&self) -> Answers {
        let spec = self.model.spec();
        Answers::new(spec, self.detail.shows_scores(&spec.circuit))
    }
}

/// Rows that were encrypted.
#[pyclass(frozen, module = "fhectl._fhectl")]
pub struct Request {
    encrypted: Arc<Encrypted>,
}

#[pymethods]
impl Request {
    /// The bytes to send, a batch each.
    fn batches<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.encrypted.batches().map(|batch| PyBytes::new(py, batch)).collect()
    }

    /// The ids of the evaluation keys that the batches are under.
    fn key_ids(&self) -> Vec<String> {
        self.encrypted.key_ids().collect()
    }

    fn __len__(&self) -> usize {
        self.encrypted.rows()
    }
}

/// How keys are kept: the folder, a passphrase, and the age in seconds beyond which a key is replaced.
type KeyOptions = (Option<PathBuf>, Option<String>, Option<f64>);

#[pymethods]
impl Client {
    /// `model` is a name that the server knows, or a model that is at hand; `scores` says whether a network's scores are
    /// shown.
    #[new]
    #[pyo3(signature = (url, model, *, token=None, ca_cert=None, keys=(None, None, None), scores=false, accept_p_fail=None))]
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn new(
        py: Python<'_>,
        url: String,
        model: NameOrModel<'_>,
        token: Option<String>,
        ca_cert: Option<PathBuf>,
        keys: KeyOptions,
        scores: bool,
        accept_p_fail: Option<f64>,
    ) -> PyResult<Self> {
        let accepted = accept_p_fail.map_or(policy::FAILURE_LOG2, f64::log2);
        let model = model.wanted();
        let own = jobs::run(py, None, move |_| {
            let authorities = ca_cert.as_deref().map(read_authorities).transpose()?.unwrap_or_default();
            let http = Http::new(&url, token, authorities)?;
            let model = match model {
                Wanted::Model(model) => model,
                Wanted::Named(name) => Arc::new(fetch_client(&http, &name, accepted)?),
            };
            let keyring = keyring(keys)?;
            let detail = if scores { Detail::Scores } else { Detail::Prediction };
            Ok(Own { http, model, keyring, held: HeldKeys::default(), detail })
        })?;
        Ok(Self { own: Arc::new(own) })
    }

    /// What the client knows of the model.
    fn model(&self) -> Model {
        Model::public(Arc::clone(&self.own.model))
    }

    /// Predictions of rows; up to `jobs` batches are under way at once.
    #[pyo3(signature = (rows, jobs=4, heard=None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        rows: Given<'_>,
        jobs: usize,
        heard: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Arrays<'py>> {
        let (own, rows) = (Arc::clone(&self.own), rows.copied());
        let answers = jobs::run(py, heard, move |reporter| {
            let rows = rows.quantized(own.model.spec())?;
            let mut answers = own.answers();
            let (outcome, untrusted) = own.runner().run(
                rows.len(),
                |_| (),
                |session, range| {
                    infer_in_order(session, &rows[range], session.batch_rows(), jobs, |_, exchange| {
                        exchange.predictions.iter().for_each(|row| answers.push_prediction(row.as_ref()));
                        reporter.rows(exchange.predictions.len())
                    })
                },
            );
            check_trusted(untrusted, outcome)?;
            Ok(answers)
        })?;
        answers.into_arrays(py)
    }

    /// Encrypts rows; no server is asked.
    fn encrypt(&self, py: Python<'_>, rows: Given<'_>) -> PyResult<Request> {
        let (own, rows) = (Arc::clone(&self.own), rows.copied());
        let encrypted = jobs::run(py, None, move |_| {
            let rows = rows.quantized(own.model.spec())?;
            own.runner().encrypt(&rows)
        })?;
        Ok(Request { encrypted: Arc::new(encrypted) })
    }

    /// Has the server compute encrypted rows, and returns its answers, one a batch.
    fn send<'py>(&self, py: Python<'py>, request: &Request) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let (own, encrypted) = (Arc::clone(&self.own), Arc::clone(&request.encrypted));
        let answers = jobs::run(py, None, move |_| own.runner().send(&encrypted))?;
        Ok(answers.iter().map(|answer| PyBytes::new(py, answer)).collect())
    }

    /// Decrypts the answers to a request, once.
    fn decrypt<'py>(&self, py: Python<'py>, request: &Request, answers: Vec<Vec<u8>>) -> PyResult<Arrays<'py>> {
        let (own, encrypted) = (Arc::clone(&self.own), Arc::clone(&request.encrypted));
        let answers = jobs::run(py, None, move |_| {
            let (rows, untrusted): (_, UntrustedAnswers) = own.runner().decrypt(&encrypted, &answers)?;
            check_trusted(untrusted, Ok(()))?;
            let mut shown = own.answers();
            rows.iter().for_each(|row| shown.push_prediction(row.as_ref()));
            Ok(shown)
        })?;
        answers.into_arrays(py)
    }
}

/// The keyring that is asked for.
///
/// # Errors
/// Those of the keyring, and of a passphrase.
pub fn keyring((folder, passphrase, max_age): KeyOptions) -> Result<Keyring> {
    let passphrase = passphrase.map(|text| Passphrase::new(Zeroizing::new(text.into_bytes()))).transpose()?;
    let max_age = max_age.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    Ok(Keyring::open(folder.as_deref())?.with_passphrase(passphrase).with_max_age(max_age))
}

/// A model's name, or the model.
#[derive(FromPyObject)]
enum NameOrModel<'py> {
    Name(String),
    Model(PyRef<'py, Model>),
}

enum Wanted {
    Named(String),
    Model(Arc<ClientModel>),
}

impl NameOrModel<'_> {
    fn wanted(self) -> Wanted {
        match self {
            Self::Name(name) => Wanted::Named(name),
            Self::Model(model) => Wanted::Model(Arc::clone(&model.client)),
        }
    }
}
