//! One session with one server: check the model, bring the key, ask.

use super::distrust::{Distrust, Distrusted};
use super::http::Http;
use super::keyring::ClientKeys;
use fhectl_core::bundle::{ClientBundle, ModelId};
use fhectl_core::circuit::tag::client::Tag;
use fhectl_core::circuit::{self, Scores};
use fhectl_core::error::{Error, Result};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::api::{
    COMPUTE_HEADER, KEY_ID_HEADER, KeyStatus, MAX_PART_BYTES, ModelInfo, QUEUE_HEADER, UploadState,
};
use fhectl_core::protocol::frame::{self, Asked, KeyDigest, Lengths, NO_KEY, most_items};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Bytes of a key that are sent at once: small enough that little is lost when the connection breaks.
const PART_BYTES: usize = 1 << 20;
/// Bytes of encrypted inputs that are put into one batch.
const BATCH_BYTES: usize = 4 << 20;
const _: () = assert!(PART_BYTES <= MAX_PART_BYTES);

/// A model on a server, with the keys to use it.
pub struct Session<'a> {
    http: &'a Http,
    bundle: &'a ClientBundle,
    keys: &'a ClientKeys,
    /// What answers must say that they were computed with.
    key: KeyDigest,
    /// Held while the key is brought again, so that of many jobs one does it.
    renewing: Mutex<()>,
    distrust: Distrust,
}

/// What happens while a key is brought to the server.
pub enum Upload<'a> {
    /// Part `index` is about to be sent; so many bytes are left, its own included.
    Part { index: usize, remaining: usize },
    /// The whole key is at the server under this id.
    Stored { key_id: &'a str },
}

/// One batch there and back: scores a row, and where the time went, in seconds.
pub struct Exchange {
    /// `None` for a row whose answer cannot be trusted or does not decrypt; [`Session::distrusted`] says why.
    pub scores: Vec<Option<Scores>>,
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

/// Fetches a model's `client.zip`.
///
/// # Errors
/// `no_server`, `model_unknown`, or what is wrong with the zip.
pub fn fetch_client(http: &Http, name: &str) -> Result<ClientBundle> {
    fhectl_core::bundle::check_name(name)?;
    let reply = http.get(&format!("/v1/models/{name}/client.zip"))?;
    ClientBundle::read(&reply.bytes).map_err(|error| error.context(format!("{} of {}", name, http.base())))
}

impl<'a> Session<'a> {
    /// Checks that the server runs the very model that the keys are for.
    ///
    /// # Errors
    /// `no_server`, `model_unknown`, or `wrong_model` where it runs another one of this name.
    pub fn open(http: &'a Http, bundle: &'a ClientBundle, keys: &'a ClientKeys) -> Result<Self> {
        let name = &bundle.spec.name;
        let served: ModelInfo = http.get_json(&format!("/v1/models/{name}"))?;
        if served.id != bundle.id {
            return Err(Error::user(
                "wrong_model",
                format!(
                    "{} runs another `{name}` (id {:.12}) than client.zip describes (id {:.12})",
                    http.base(),
                    served.id.to_string(),
                    bundle.id.to_string()
                ),
            )
            .hint(format!("fetch its client.zip from {}/v1/models/{name}/client.zip", http.base())));
        }
        let key = if keys.evaluation.is_empty() { NO_KEY } else { keys.key_id.parse::<ModelId>()?.0 };
        Ok(Self { http, bundle, keys, key, renewing: Mutex::new(()), distrust: Distrust::default() })
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/models/{}{rest}", self.bundle.spec.name)
    }

    /// Brings the evaluation key to the server, sending only what is not there yet.
    ///
    /// # Errors
    /// What the server says of the key.
    pub fn bring_key(&self, mut progress: impl FnMut(Upload<'_>)) -> Result<()> {
        if self.keys.evaluation.is_empty() {
            return Ok(());
        }
        let path = self.path(&format!("/keys/{}", self.keys.key_id));
        match self.send_missing(&path, &mut progress) {
            // Parts of another size, or damaged ones, are in the way: begin again, once.
            Err(error) if error.code == "part_conflict" => {
                self.http.delete(&path)?;
                self.send_missing(&path, &mut progress)?;
            }
            // Parts that were there when it was asked have been dropped since: send those too, once.
            Err(error) if error.code == "key_incomplete" => self.send_missing(&path, &mut progress)?,
            outcome => outcome?,
        }
        progress(Upload::Stored { key_id: &self.keys.key_id });
        Ok(())
    }

    /// Has the server forget a key that will not be used again. Where that fails, the server's operator has its bound on
    /// the life of keys.
    pub fn forget_key(&self) {
        if !self.keys.evaluation.is_empty() {
            let _ = self.http.delete(&self.path(&format!("/keys/{}", self.keys.key_id)));
        }
    }

    fn send_missing(&self, path: &str, progress: &mut impl FnMut(Upload<'_>)) -> Result<()> {
        let key = &self.keys.evaluation;
        let status: KeyStatus = self.http.get_json(path)?;
        if status.state == UploadState::Complete {
            return Ok(());
        }
        for (index, part) in key.chunks(PART_BYTES).enumerate() {
            let there = status.parts.iter().any(|p| p.index as usize == index && p.bytes as usize == part.len());
            if !there {
                progress(Upload::Part { index, remaining: key.len() - index * PART_BYTES });
                self.http.put(&format!("{path}/parts/{index}"), part)?;
            }
        }
        self.http.post(path, &[], &[])?;
        Ok(())
    }

    /// How many rows go into one batch.
    pub fn batch_rows(&self) -> usize {
        let circuit = &self.bundle.spec.circuit;
        let each = circuit.request_bytes().max(circuit.response_bytes()).max(1);
        (BATCH_BYTES / each).clamp(1, most_items(circuit))
    }

    /// The batches so far whose answers cannot be trusted. To be asked when all is sent: a server that sees when a
    /// client is not content learns something of its key.
    pub fn distrusted(&self) -> Distrusted {
        self.distrust.so_far()
    }

    /// Encrypts rows, has them computed and decrypts the scores. Where the server has forgotten the key since it was
    /// brought (its time was over, or an operator deleted it), it is brought again, once.
    ///
    /// Answers that cannot be trusted are no error: their rows have no scores, and all else goes on as it would.
    ///
    /// # Errors
    /// What the server says, or that it cannot be reached.
    pub fn infer(&self, quantized: &[Vec<u32>]) -> Result<Exchange> {
        let spec = &self.bundle.spec;
        let start = Instant::now();
        let items: Vec<Vec<u8>> = quantized
            .iter()
            .map(|row| circuit::encode(&spec.circuit, &spec.quantizer, &self.keys.secret, row, &mut OsEntropy))
            .collect();
        let tag = self.distrust.wants_tag().then(|| Tag::draw(&spec.circuit, &mut OsEntropy)).flatten();
        let encrypted = tag.as_ref().map(|tag| tag.encrypt(&self.keys.secret, &mut OsEntropy));
        let body = frame::write_inputs(&self.bundle.id, encrypted.as_deref(), &items);
        let encrypt = start.elapsed().as_secs_f64();

        let mut start = Instant::now();
        let ask = || self.http.post(&self.path("/infer"), &body, &[(KEY_ID_HEADER, &self.keys.key_id)]);
        let reply = match ask() {
            Err(error) if error.code == "key_unknown" && !self.keys.evaluation.is_empty() => {
                {
                    let _turn = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
                    self.bring_key(|_| {})?;
                    self.distrust.begin_again();
                }
                start = Instant::now();
                ask()?
            }
            outcome => outcome?,
        };
        let roundtrip = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let scores = self.scores(quantized.len(), tag.as_ref(), &reply.bytes);
        Ok(Exchange {
            scores,
            request_bytes: frame::inputs_len(&spec.circuit, quantized.len()),
            response_bytes: frame::answers_len(&spec.circuit, quantized.len()),
            encrypt,
            roundtrip,
            queue: reply.micros(QUEUE_HEADER),
            compute: reply.micros(COMPUTE_HEADER),
            decrypt: start.elapsed().as_secs_f64(),
        })
    }

    /// The scores of a batch that was answered, none where it cannot be trusted.
    fn scores(&self, rows: usize, tag: Option<&Tag>, answers: &[u8]) -> Vec<Option<Scores>> {
        let (circuit, secret) = (&self.bundle.spec.circuit, &self.keys.secret);
        let asked = Asked { model: &self.bundle.id, key: &self.key, rows, tagged: tag.is_some() };
        let batch = match frame::read_answers(asked, Lengths::of_answers(circuit), answers) {
            Ok(batch) => batch,
            // Whoever made these bytes knows what is wrong with them: that nothing is decrypted tells no more.
            Err(error) => {
                self.distrust.record(error);
                return vec![None; rows];
            }
        };
        // All rows are decrypted, whatever the tag says: that takes its time either way.
        let decoded: Vec<Result<Scores>> =
            batch.items.iter().map(|answer| circuit::decode(circuit, secret, answer)).collect();
        if tag.is_some_and(|tag| !tag.is_answered_by(secret, batch.tag.unwrap_or_default())) {
            self.distrust.record(other_tag());
            return vec![None; rows];
        }
        let undecrypted = decoded.iter().find_map(|row| row.as_ref().err());
        if let Some(error) = undecrypted {
            self.distrust.record(error.clone());
        }
        decoded.into_iter().map(Result::ok).collect()
    }
}

fn other_tag() -> Error {
    Error::fault("tag_differs", "a tag came back changed: the server computed with other keys than this client's")
}
