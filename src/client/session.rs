//! One session with one server: check the model, bring the key, ask.

use super::http::Http;
use super::keyring::OpenedKeys;
use super::untrusted_answers::{AnswerMonitor, UntrustedAnswers};
use fhectl_core::client::conversation::{
    Answer, CheckModel, FetchModel, ForgetKey, Inference, InferenceOutcome, KeyUpload, Part,
};
use fhectl_core::client::policy::TagSchedule;
use fhectl_core::client::{ClientKeys, ClientModel, Detail, Prediction};
use fhectl_core::error::Result;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::frame;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A model on a server, with the keys to use it.
pub struct Session<'a> {
    http: &'a Http,
    model: &'a ClientModel,
    keys: &'a ClientKeys,
    detail: Detail,
    /// Held while the key is brought again, so that of many jobs one does it.
    renewing: Mutex<()>,
    monitor: AnswerMonitor,
}

/// What happens until a server has a key.
pub enum Upload<'a> {
    /// The client's keys are about to be read, or made.
    Preparing,
    /// They are there.
    Prepared(&'a OpenedKeys),
    /// This part is about to be sent.
    Part(Part),
    /// The whole key is at the server under this id.
    Stored { key_id: &'a str },
}

/// One batch there and back: predictions a row, and where the time went, in seconds.
pub struct Exchange {
    /// `None` for a row whose answer cannot be trusted or does not decrypt; [`Session::untrusted`] says why.
    pub predictions: Vec<Option<Prediction>>,
    /// What the rows took. Tags, which go with few batches, are not counted.
    pub request_bytes: usize,
    pub response_bytes: usize,
    pub encrypt: f64,
    /// From the first byte sent to the last received, queue and compute included.
    pub roundtrip: f64,
    /// `None` where the server does not tell.
    pub queue: Option<f64>,
    /// `None` where the server does not tell.
    pub compute: Option<f64>,
    pub decrypt: f64,
}

/// Fetches a model's `client.zip`. `failure_log2` is how often its answers may be wrong.
///
/// # Errors
/// `no_server`, `model_unknown`, `failure_rate`, or what is wrong with the zip.
pub fn fetch_client(http: &Http, name: &str, failure_log2: f64) -> Result<ClientModel> {
    http.converse(FetchModel::new(name)?.accepting(failure_log2), |_| {})
}

impl<'a> Session<'a> {
    /// A session, in which nothing was said yet. `detail` is what predictions will show, `tags` says which batches have one.
    pub fn new(
        http: &'a Http,
        model: &'a ClientModel,
        keys: &'a ClientKeys,
        detail: Detail,
        tags: Arc<Mutex<TagSchedule>>,
    ) -> Self {
        Self { http, model, keys, detail, renewing: Mutex::new(()), monitor: AnswerMonitor::new(tags) }
    }

    /// Checks that the server runs the very model that the keys are for. A server that does not refuses the first batch, too.
    ///
    /// # Errors
    /// `no_server`, `model_unknown`, or `wrong_model` where it runs another one of this name.
    pub fn check_model(&self) -> Result<()> {
        self.http.converse(CheckModel::new(self.model), |_| {})
    }

    /// Brings the evaluation key to the server, sending only what is not there yet.
    ///
    /// # Errors
    /// What the server says of the key.
    pub fn bring_key(&self, mut progress: impl FnMut(Upload<'_>)) -> Result<()> {
        let Some(upload) = KeyUpload::new(self.model, self.keys) else { return Ok(()) };
        self.http.converse(upload, |upload| {
            if let Some(part) = upload.part() {
                progress(Upload::Part(part));
            }
        })?;
        progress(Upload::Stored { key_id: &self.keys.key_id() });
        Ok(())
    }

    /// Has the server forget a key that will not be used again. Where that fails, the server's operator has its bound on
    /// the life of keys.
    pub fn forget_key(&self) {
        if let Some(forget) = ForgetKey::new(self.model, self.keys) {
            let _ = self.http.converse(forget, |_| {});
        }
    }

    /// How many rows go into one batch.
    pub fn batch_rows(&self) -> usize {
        self.model.batch_rows()
    }

    /// The batches so far whose answers cannot be trusted. To be asked when all is sent: a server that sees when a
    /// client is not content learns something of its key.
    pub fn untrusted(&self) -> UntrustedAnswers {
        self.monitor.so_far()
    }

    /// Encrypts quantized rows, has them computed and decrypts the answers. Where the server has forgotten the key since it
    /// was brought (its time was over, or an operator deleted it), it is brought again, once.
    ///
    /// Answers that cannot be trusted are no error: their rows have no predictions, and all else goes on as it would.
    ///
    /// # Errors
    /// What the server says, or that it cannot be reached.
    pub fn infer(&self, quantized: &[Vec<u32>]) -> Result<Exchange> {
        let start = Instant::now();
        let request = self.model.encrypt(self.keys, quantized, self.monitor.wants_tag(), &mut OsEntropy)?;
        let (request, pending) = request.into_parts();
        let encrypt = start.elapsed().as_secs_f64();

        let (answer, roundtrip) = self.ask(&request)?;

        let start = Instant::now();
        let predictions = self.model.decrypt(self.keys, pending, &answer.bytes, self.detail);
        let decrypt = start.elapsed().as_secs_f64();
        if let Some(error) = predictions.distrust {
            self.monitor.record(error);
        }
        let circuit = &self.model.spec().circuit;
        Ok(Exchange {
            predictions: predictions.rows,
            request_bytes: frame::inputs_len(circuit, quantized.len()),
            response_bytes: frame::answers_len(circuit, quantized.len()),
            encrypt,
            roundtrip,
            queue: answer.queue,
            compute: answer.compute,
            decrypt,
        })
    }

    /// The answer to a request, and the seconds that it took, without those of a key that had to be brought again.
    pub(super) fn ask(&self, request: &[u8]) -> Result<(Answer, f64)> {
        let mut inference = Inference::new(self.model, self.keys, request);
        loop {
            let start = Instant::now();
            match self.http.converse(inference, |_| {})? {
                InferenceOutcome::Answered(answer) => return Ok((answer, start.elapsed().as_secs_f64())),
                InferenceOutcome::KeyForgotten => {
                    let _turn = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
                    self.bring_key(|_| {})?;
                    self.monitor.begin_again();
                    inference = Inference::again(self.model, self.keys, request);
                }
            }
        }
    }
}
