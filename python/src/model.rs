//! A compiled model: what it is, and its predictions in clear, simulated and encrypted in this process.

use crate::columns::{Columns, Given};
use crate::errors::exception;
use crate::jobs::{self, Reporter};
use crate::predictions::{Answers, Arrays};
use fhectl::commands::embedded;
use fhectl::report::facts::facts;
use fhectl_core::bundle::{ClientBundle, ClientSpec, ScoreUnit, ServerBundle};
use fhectl_core::circuit::EvaluationKey;
use fhectl_core::client::{ClientModel, Detail, Prediction, policy};
use fhectl_core::digest::sha256;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::Random;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::frame::{answers_len, inputs_len, key_len};
use fhectl_core::server_model::ServerModel;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rayon::prelude::*;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Unpacked evaluation keys that are held for the next run, at most.
const HELD_KEYS: usize = 4;

/// Rows that are encrypted at once in this process, and how many such batches before progress is told.
const BATCH_ROWS: usize = 16;
const BATCHES: usize = 4;

/// A compiled model.
#[pyclass(frozen, module = "fhectl._fhectl")]
pub struct Model {
    pub(crate) client: Arc<ClientModel>,
    owner: Option<Arc<Owner>>,
}

struct Owner {
    bundle: ServerBundle,
    compiled: OnceLock<ServerModel>,
    /// Those of the last runs, by their digest.
    keys: Mutex<Vec<([u8; 32], Arc<EvaluationKey>)>>,
}

impl Owner {
    fn new(bundle: ServerBundle) -> Arc<Self> {
        Arc::new(Self { bundle, compiled: OnceLock::new(), keys: Mutex::default() })
    }

    fn compiled(&self) -> Result<&ServerModel> {
        if let Some(compiled) = self.compiled.get() {
            return Ok(compiled);
        }
        let made = ServerModel::new(self.bundle.clone())?;
        Ok(self.compiled.get_or_init(|| made))
    }

    /// A key that is ready to compute with.
    fn key(&self, framed: &[u8]) -> Result<Arc<EvaluationKey>> {
        let digest = sha256(framed);
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = keys.iter().find(|(held, _)| *held == digest) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(self.compiled()?.accept_key(framed, &mut Random::fresh(&mut OsEntropy))?);
        keys.truncate(HELD_KEYS - 1);
        keys.insert(0, (digest, Arc::clone(&key)));
        Ok(key)
    }
}

impl Model {
    fn of(client: ClientBundle, owner: Option<ServerBundle>) -> Result<Self> {
        let client = Arc::new(ClientModel::accept(client, policy::FAILURE_LOG2)?);
        Ok(Self { client, owner: owner.map(Owner::new) })
    }

    fn owner(&self) -> Result<Arc<Owner>> {
        self.owner.clone().ok_or_else(|| {
            Error::new(ErrorCode::OwnerMissing, "this needs the model itself: server.zip is not at hand")
                .hint("load the model's own folder, or ask a server that runs it with fhectl.Client")
        })
    }
}

#[pymethods]
impl Model {
    /// A model by the bytes of its files.
    #[staticmethod]
    #[pyo3(signature = (client_zip, server_zip=None))]
    fn read(py: Python<'_>, client_zip: &[u8], server_zip: Option<&[u8]>) -> PyResult<Self> {
        let read = || {
            let client = ClientBundle::read(client_zip)?;
            let owner = server_zip.map(ServerBundle::read).transpose()?;
            if owner.as_ref().is_some_and(|owner| owner.id != client.id) {
                return Err(Error::new(ErrorCode::BundleMixed, "client.zip and server.zip are of different models")
                    .hint("give both of one model"));
            }
            Self::of(client, owner)
        };
        py.detach(read).map_err(|error| exception(py, &error))
    }

    /// What is public of it.
    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let spec = self.client.spec();
        let schema = spec.schema();
        let columns: Vec<(String, &str)> =
            schema.columns.iter().map(|column| (column.name.clone(), column.kind.as_str())).collect();
        let told = PyDict::new(py);
        told.set_item("name", &spec.name)?;
        told.set_item("kind", &spec.kind)?;
        told.set_item("id", self.client.id().to_string())?;
        told.set_item("classes", &spec.classes)?;
        told.set_item("columns", columns)?;
        told.set_item("features", &spec.features)?;
        told.set_item("target", &spec.target)?;
        told.set_item("circuit", spec.circuit.kind().to_string())?;
        told.set_item("exact", spec.circuit.is_exact())?;
        told.set_item("score_unit", score_unit(spec))?;
        told.set_item("security_bits", spec.security_bits)?;
        told.set_item("p_fail_log2", spec.p_fail_log2)?;
        told.set_item("key_bytes", key_len(&spec.circuit))?;
        told.set_item("request_bytes", inputs_len(&spec.circuit, 1))?;
        told.set_item("response_bytes", answers_len(&spec.circuit, 1))?;
        told.set_item("facts", facts(spec))?;
        told.set_item("owned", self.owner.is_some())?;
        Ok(told)
    }

    /// Predicted seconds of an inference (server's computing, client's work, both with transfer); `None` without the owner's half.
    fn predicted_seconds(&self, py: Python<'_>) -> Option<(f64, f64, f64)> {
        let owner = self.owner.clone()?;
        py.detach(|| embedded::predicted_seconds(&owner.bundle))
    }

    /// How well it did when it was made; `None` without the owner's half.
    fn metrics(&self) -> Option<String> {
        self.owner.as_ref().map(|owner| embedded::metrics(&owner.bundle))
    }

    /// Predictions of the integer model.
    #[pyo3(signature = (rows, heard=None))]
    fn clear<'py>(&self, py: Python<'py>, rows: Given<'_>, heard: Option<&Bound<'_, PyAny>>) -> PyResult<Arrays<'py>> {
        self.run(py, rows, heard, |client, owner, rows, _| {
            let model = &owner.bundle.server.model;
            Ok(answers(client, rows.par_iter().map(|row| model.scores(row)).collect()))
        })
    }

    /// Predictions of the integer model with its circuit's noise drawn in clear; an exact circuit has none.
    #[pyo3(signature = (rows, heard=None))]
    fn simulate<'py>(
        &self,
        py: Python<'py>,
        rows: Given<'_>,
        heard: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Arrays<'py>> {
        self.run(py, rows, heard, |client, owner, rows, _| {
            let model = &owner.bundle.server.model;
            let simulator = client.spec().circuit.simulator(model)?;
            let scores = |(index, row): (usize, &Vec<u32>)| match &simulator {
                Some(simulator) => simulator.scores(row, index as u64),
                None => model.scores(row),
            };
            Ok(answers(client, rows.par_iter().enumerate().map(scores).collect()))
        })
    }

    /// Predictions on encrypted rows, under keys that are made for this call and dropped after it.
    #[pyo3(signature = (rows, heard=None))]
    fn execute<'py>(
        &self,
        py: Python<'py>,
        rows: Given<'_>,
        heard: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Arrays<'py>> {
        self.run(py, rows, heard, |client, owner, rows, reporter| {
            let server = owner.compiled()?;
            let keys = client.generate_keys(&mut OsEntropy);
            let key = server.accept_key(keys.evaluation(), &mut Random::fresh(&mut OsEntropy))?;
            // Nobody but this process sees rows, scores and answers, so noise in scores gives nothing away.
            let predictions = |batch: &[Vec<u32>]| -> Result<Vec<Prediction>> {
                let (request, pending) = client.encrypt(&keys, batch, false, &mut OsEntropy)?.into_parts();
                let answer = server.evaluate(&key, &request, &mut Random::fresh(&mut OsEntropy))?;
                client.decrypt(&keys, pending, &answer, Detail::Scores).trusted()
            };
            let batch_rows = client.batch_rows().min(BATCH_ROWS);
            let mut answers = Answers::new(client.spec(), true);
            // One batch is encrypted or decrypted while another is computed.
            for batches in rows.chunks(BATCHES * batch_rows) {
                let made: Vec<_> = batches.par_chunks(batch_rows).map(predictions).collect::<Result<_>>()?;
                made.iter().flatten().for_each(|prediction| answers.push_prediction(Some(prediction)));
                reporter.rows(batches.len())?;
            }
            Ok(answers)
        })
    }

    /// Computes an encrypted request with a client's evaluation key, as a server does, and returns the encrypted answer.
    fn answer<'py>(&self, py: Python<'py>, request: Vec<u8>, evaluation_key: Vec<u8>) -> PyResult<Bound<'py, PyBytes>> {
        let owner = self.owner().map_err(|error| exception(py, &error))?;
        let answer = jobs::run(py, None, move |_| {
            let key = owner.key(&evaluation_key)?;
            owner.compiled()?.evaluate(&key, &request, &mut Random::fresh(&mut OsEntropy))
        })?;
        Ok(PyBytes::new(py, &answer))
    }

    /// Checks that bytes are an evaluation key of this model.
    fn check_key(&self, py: Python<'_>, evaluation_key: Vec<u8>) -> PyResult<()> {
        let owner = self.owner().map_err(|error| exception(py, &error))?;
        jobs::run(py, None, move |_| owner.key(&evaluation_key).map(drop))
    }
}

impl Model {
    /// Without the owner's half.
    pub fn public(client: Arc<ClientModel>) -> Self {
        Self { client, owner: None }
    }

    /// Quantizes rows and has `work` predict them, on a thread of its own.
    fn run<'py>(
        &self,
        py: Python<'py>,
        rows: Given<'_>,
        heard: Option<&Bound<'_, PyAny>>,
        work: impl FnOnce(&ClientModel, &Owner, &[Vec<u32>], &Reporter) -> Result<Answers> + Send + 'static,
    ) -> PyResult<Arrays<'py>> {
        let owner = self.owner().map_err(|error| exception(py, &error))?;
        let client = Arc::clone(&self.client);
        let rows: Columns = rows.copied();
        let answers = jobs::run(py, heard, move |reporter| {
            let rows = rows.quantized(client.spec())?;
            work(&client, &owner, &rows, &reporter)
        })?;
        answers.into_arrays(py)
    }
}

/// What integer scores predict.
fn answers(client: &ClientModel, scores: Vec<Vec<i64>>) -> Answers {
    let spec = client.spec();
    let mut answers = Answers::new(spec, true);
    for scores in scores {
        let class_scores = if spec.classes.is_empty() { Vec::new() } else { spec.class_scores(&scores) };
        answers.push(Some(spec.predict(&scores)), Some(&class_scores));
    }
    answers
}

/// What scores of classes are, in a word: `none` where a number is predicted or scores are classes.
fn score_unit(spec: &ClientSpec) -> &'static str {
    match spec.score_unit {
        _ if spec.classes.is_empty() || (spec.score_scale.is_none() && spec.head.is_none()) => "none",
        ScoreUnit::Logit => "logit",
        ScoreUnit::Share => "share",
        ScoreUnit::Margin => "margin",
    }
}
