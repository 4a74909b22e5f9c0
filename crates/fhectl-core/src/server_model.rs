//! A model as its server runs it.

use crate::bundle::{ClientSpec, ModelId, ServerBundle};
use crate::circuit::{EvaluationKey, Evaluator};
use crate::digest::sha256;
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::Random;
use crate::model::Model;
use crate::protocol::api::{ModelInfo, Sizes};
use crate::protocol::frame::{self, AnswersWriter, INPUTS_HEADER, Lengths, NO_KEY};

/// A model as its server runs it: all of `server.zip`, compiled for its circuit.
///
/// It never sees a secret key, a row or a score. Computing runs on the threads of the current rayon pool.
///
/// ```
/// use fhectl_core::fhe::{Random, random::OsEntropy};
/// use fhectl_core::server_model::ServerModel;
/// # use fhectl_core::client::ClientModel;
///
/// let server = ServerModel::read(&std::fs::read("../../compiled_model/tree-spam/server.zip")?)?;
/// # let client = ClientModel::read(&server.client_zip())?;
/// # let keys = client.generate_keys(&mut OsEntropy);
/// # let request = client.encrypt(&keys, &[client.quantize(&[0.0; 57])?], false, &mut OsEntropy)?;
/// # let (uploaded, request) = (keys.evaluation(), request.bytes());
/// let mut random = Random::fresh(&mut OsEntropy);
/// // Once for each client, then for each of its requests.
/// let key = server.accept_key(uploaded, &mut random)?;
/// let answer = server.evaluate(&key, request, &mut random)?;
/// # assert_eq!(answer.len(), server.info().sizes.response);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ServerModel {
    bundle: ServerBundle,
    evaluator: Evaluator,
}

impl ServerModel {
    /// Reads the bytes of a `server.zip` and compiles the model.
    ///
    /// # Errors
    /// As [`ServerBundle::read`] and [`ServerModel::new`].
    pub fn read(server_zip: &[u8]) -> Result<Self> {
        Self::new(ServerBundle::read(server_zip)?)
    }

    /// Compiles a model.
    ///
    /// # Errors
    /// `model_invalid` where it does not fit its circuit, `failure_rate` where more of its answers may be wrong than its
    /// bundle says.
    pub fn new(bundle: ServerBundle) -> Result<Self> {
        let (spec, model) = (&bundle.spec, &bundle.server.model);
        let evaluator = Evaluator::new(&spec.circuit, model, &spec.quantizer)?;
        // A bundle of another's making may hold weights that its steps do not: answers would carry the noise of questions.
        let failure = spec.circuit.failure_log2(model, &spec.quantizer)?;
        if let Some((failure, stated)) = failure.zip(spec.p_fail_log2)
            && failure > stated + 0.01
        {
            return Err(Error::new(
                ErrorCode::FailureRate,
                format!(
                    "one of 2^{:.0} answers of this model may be wrong, its bundle says one of 2^{:.0}",
                    -failure, -stated
                ),
            )
            .hint("wrong answers give its clients' keys away; create the model again with `fhectl create`"));
        }
        Ok(Self { bundle, evaluator })
    }

    /// The model's id.
    pub fn id(&self) -> &ModelId {
        &self.bundle.id
    }

    /// The public half.
    pub fn spec(&self) -> &ClientSpec {
        &self.bundle.spec
    }

    /// The model in clear.
    pub fn model(&self) -> &Model {
        &self.bundle.server.model
    }

    /// The compiled model, for whoever computes piece by piece.
    pub fn evaluator(&self) -> &Evaluator {
        &self.evaluator
    }

    /// As [`ServerModel::evaluator`], without the bundle.
    pub fn into_evaluator(self) -> Evaluator {
        self.evaluator
    }

    /// The `client.zip` to hand out, the very bytes that `create` wrote.
    pub fn client_zip(&self) -> Vec<u8> {
        self.bundle.client_zip()
    }

    /// What clients are told of the model.
    pub fn info(&self) -> ModelInfo {
        let (spec, circuit) = (&self.bundle.spec, &self.bundle.spec.circuit);
        ModelInfo {
            name: spec.name.clone(),
            id: self.bundle.id,
            kind: spec.kind.clone(),
            classes: spec.classes.clone(),
            features: spec.features.len(),
            circuit: circuit.clone(),
            security_bits: spec.security_bits,
            p_fail_log2: spec.p_fail_log2,
            sizes: Sizes {
                key: frame::key_len(circuit),
                request: frame::inputs_len(circuit, 1),
                response: frame::answers_len(circuit, 1),
                tag_request: circuit.tag_request_bytes(),
                tag_response: circuit.tag_response_bytes(),
            },
            computed_on: Some("cpu".to_owned()),
        }
    }

    /// Checks a framed evaluation key and unpacks it for use; no bytes where the circuit needs none. `random` orders what is
    /// computed with it.
    ///
    /// # Errors
    /// `key_invalid`, `format_version` or `wrong_model`.
    pub fn accept_key(&self, framed: &[u8], random: &mut Random) -> Result<EvaluationKey> {
        let keyless = self.bundle.spec.circuit.key_bytes() == 0;
        let (body, name) = match framed {
            [] if keyless => (framed, NO_KEY),
            _ => (frame::read_key(&self.bundle.id, framed)?, sha256(framed)),
        };
        Ok(self.evaluator.unpack_key(body, random)?.named(name))
    }

    /// Checks a framed request without computing anything.
    ///
    /// # Errors
    /// `ciphertext_invalid`, `format_version`, `wrong_model`, or `batch_too_large` for more rows than this model takes.
    pub fn check_request(&self, request: &[u8]) -> Result<CheckedRequest> {
        let circuit = &self.bundle.spec.circuit;
        let batch = frame::read_inputs(&self.bundle.id, Lengths::of_inputs(circuit), request)?;
        let (tag, rows) = (batch.tag.map_or(0, <[u8]>::len), batch.items.len());
        let most = frame::most_items(circuit);
        if rows > most {
            return Err(Error::new(
                ErrorCode::BatchTooLarge,
                format!("{rows} inputs in a batch, this model takes {most}"),
            )
            .hint("send several smaller batches"));
        }
        Ok(CheckedRequest { tag, rows })
    }

    /// Answers a framed request with a framed batch of answers.
    ///
    /// # Errors
    /// As [`ServerModel::check_request`].
    pub fn evaluate(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        let checked = self.check_request(request)?;
        let mut evaluation = self.begin(key, request, checked, random)?;
        evaluation.rows(self, key, request, checked.rows, random)?;
        Ok(evaluation.finish())
    }

    /// Begins an answer that is computed piece by piece, so that others may have their turn in between: answers the tag
    /// where the request has one.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the tag does not have its layout.
    pub fn begin(
        &self,
        key: &EvaluationKey,
        request: &[u8],
        checked: CheckedRequest,
        random: &mut Random,
    ) -> Result<Evaluation> {
        let tag = match checked.tag {
            0 => Vec::new(),
            tag => self.evaluator.answer_tag(key, &request[INPUTS_HEADER..INPUTS_HEADER + tag], random)?,
        };
        let items = (checked.rows, self.bundle.spec.circuit.response_bytes());
        let out = AnswersWriter::begin(&self.bundle.id, key.name(), items, &tag);
        Ok(Evaluation { checked, done: 0, out })
    }
}

/// The shape of a request that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedRequest {
    tag: usize,
    rows: usize,
}

impl CheckedRequest {
    /// Encrypted rows, at least one.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether there is a tag.
    pub fn is_tagged(&self) -> bool {
        self.tag > 0
    }
}

/// An answer in the making.
pub struct Evaluation {
    checked: CheckedRequest,
    done: usize,
    out: AnswersWriter,
}

impl Evaluation {
    /// Rows that are still to be computed.
    pub fn remaining(&self) -> usize {
        self.checked.rows - self.done
    }

    /// Computes up to `most` more rows; model, key and request are those that it began with.
    ///
    /// # Errors
    /// `ciphertext_invalid` naming the row where it does not have the circuit's layout.
    ///
    /// # Panics
    /// Where the request is shorter than the one that it began with.
    pub fn rows(
        &mut self,
        model: &ServerModel,
        key: &EvaluationKey,
        request: &[u8],
        most: usize,
        random: &mut Random,
    ) -> Result<()> {
        let each = model.bundle.spec.circuit.request_bytes();
        let end = self.checked.rows.min(self.done.saturating_add(most));
        let items = &request[INPUTS_HEADER + self.checked.tag..][self.done * each..end * each];
        let rows: Vec<&[u8]> = items.chunks(each).collect();
        let answers = model.evaluator.evaluate(key, &rows, random)?;
        answers.iter().for_each(|answer| self.out.push(answer));
        self.done = end;
        Ok(())
    }

    /// The framed answers, once all rows are computed.
    ///
    /// # Panics
    /// Where rows are left.
    pub fn finish(self) -> Vec<u8> {
        assert_eq!(self.done, self.checked.rows);
        self.out.finish()
    }
}
