//! A model as its clients see it.

use super::key_file::{KeyFileHeader, MAX_BYTES, Seal};
use super::keys::ClientKeys;
use super::policy;
use super::prediction::{Detail, Prediction, Predictions};
use super::request::{EncryptedRequest, Pending};
use crate::bundle::{ClientBundle, ClientSpec, ModelId};
use crate::circuit::tag::client::Tag;
use crate::circuit::{ClientKey, Scores};
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::Entropy;
use crate::protocol::frame::{self, Asked, Lengths};
use zeroize::Zeroizing;

/// Bytes of encrypted rows, or of their answers, that go into one batch.
const BATCH_BYTES: usize = 4 << 20;

/// A model as its clients see it: all of `client.zip`, and all that a client does.
///
/// ```
/// use fhectl_core::client::{ClientModel, Detail, Predicted};
/// use fhectl_core::fhe::random::OsEntropy;
/// # fn send(request: &[u8], key: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
/// #     use fhectl_core::{fhe::Random, server_model::ServerModel};
/// #     let server = ServerModel::read(&std::fs::read("../../compiled_model/tree-spam/server.zip")?)?;
/// #     let mut random = Random::fresh(&mut OsEntropy);
/// #     let key = server.accept_key(key, &mut random)?;
/// #     Ok(server.evaluate(&key, request, &mut random)?)
/// # }
///
/// let model = ClientModel::read(&std::fs::read("../../compiled_model/tree-spam/client.zip")?)?;
/// let keys = model.generate_keys(&mut OsEntropy);
/// let rows = [model.quantize(&[0.0; 57])?, model.quantize(&[1.0; 57])?];
/// let (request, pending) = model.encrypt(&keys, &rows, true, &mut OsEntropy)?.into_parts();
///
/// let answer = send(&request, keys.evaluation())?;
/// // A network's rows are counted first: see `decrypt`.
/// assert_eq!(model.disclosed_bits(Detail::Prediction)?, None);
/// for prediction in model.decrypt(&keys, pending, &answer, Detail::Prediction).trusted()? {
///     let Predicted::Class(class) = prediction.predicted() else { unreachable!("a classifier") };
///     println!("{}", model.spec().classes[class]);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ClientModel {
    bundle: ClientBundle,
}

impl ClientModel {
    /// Reads the bytes of a `client.zip` from anywhere. Its answers are wrong in one of 2^128 inferences at most, so that
    /// predictions may be shown to anyone.
    ///
    /// # Errors
    /// As [`ClientBundle::read`]; `failure_rate` where more answers may be wrong.
    pub fn read(client_zip: &[u8]) -> Result<Self> {
        Self::read_accepting(client_zip, policy::FAILURE_LOG2)
    }

    /// As [`ClientModel::read`], for answers that may be wrong in one of `2^-failure_log2` inferences. Beyond
    /// [`policy::FAILURE_LOG2`] that is safe only where nobody else learns which answers were wrong: they give the secret
    /// key away.
    ///
    /// # Errors
    /// As [`ClientModel::read`].
    pub fn read_accepting(client_zip: &[u8], failure_log2: f64) -> Result<Self> {
        Self::accept(ClientBundle::read(client_zip)?, failure_log2)
    }

    /// As [`ClientModel::read_accepting`], of a bundle that was read before.
    ///
    /// # Errors
    /// `failure_rate`.
    pub fn accept(bundle: ClientBundle, failure_log2: f64) -> Result<Self> {
        bundle.spec.check_failure(failure_log2)?;
        Ok(Self { bundle })
    }

    /// The model's id.
    pub fn id(&self) -> &ModelId {
        &self.bundle.id
    }

    /// What the model says of itself: its name, features and classes among others.
    pub fn spec(&self) -> &ClientSpec {
        &self.bundle.spec
    }

    /// Draws a secret key.
    pub fn generate_secret(&self, entropy: &mut dyn Entropy) -> ClientKey {
        ClientKey::generate(&self.bundle.spec.circuit, entropy)
    }

    /// Makes an evaluation key for a secret one, framed as it is sent; empty where the circuit needs none.
    ///
    /// Every call makes another key with another id, so it is kept and sent once.
    pub fn generate_evaluation_key(&self, secret: &ClientKey, entropy: &mut dyn Entropy) -> Vec<u8> {
        let circuit = &self.bundle.spec.circuit;
        if circuit.key_bytes() == 0 {
            return Vec::new();
        }
        frame::write_key(&self.bundle.id, &secret.evaluation_key(circuit, entropy))
    }

    /// Draws a secret key and makes its evaluation key.
    pub fn generate_keys(&self, entropy: &mut dyn Entropy) -> ClientKeys {
        let secret = self.generate_secret(entropy);
        let evaluation = self.generate_evaluation_key(&secret, entropy);
        ClientKeys::new(secret, evaluation)
    }

    /// Joins a stored secret key and the evaluation key that was made for it. Whether they belong together cannot be seen;
    /// whoever stores them must know.
    ///
    /// # Errors
    /// `key_invalid`, `format_version` or `wrong_model` where the bytes are no evaluation key of this model, or the secret
    /// key was made for another circuit.
    pub fn keys(&self, secret: ClientKey, evaluation: Vec<u8>) -> Result<ClientKeys> {
        self.check_keys(&secret, &evaluation)?;
        Ok(ClientKeys::new(secret, evaluation))
    }

    /// As [`ClientModel::keys`], for callers with a faster SHA-256 than this crate's, a browser's own say: `sha256` is the
    /// evaluation key's. With another one the server refuses the key, and nothing worse.
    ///
    /// # Errors
    /// As [`ClientModel::keys`].
    pub fn keys_of_digest(&self, secret: ClientKey, evaluation: Vec<u8>, sha256: [u8; 32]) -> Result<ClientKeys> {
        self.check_keys(&secret, &evaluation)?;
        Ok(ClientKeys::of_digest(secret, evaluation, sha256))
    }

    fn check_keys(&self, secret: &ClientKey, evaluation: &[u8]) -> Result<()> {
        secret.for_answers(&self.bundle.spec.circuit)?;
        let expected = self.bundle.spec.circuit.key_bytes();
        let found = if evaluation.is_empty() { 0 } else { frame::read_key(&self.bundle.id, evaluation)?.len() };
        if found == expected {
            return Ok(());
        }
        Err(Error::new(ErrorCode::KeyInvalid, format!("an evaluation key of {found} bytes, expected {expected}"))
            .hint("make a new one for this secret key"))
    }

    /// The bytes of a secret key's file, and what its header says. `made` is now, in seconds since 1970; with a `seal` the
    /// bits are under it.
    ///
    /// # Errors
    /// Those of the seal.
    pub fn write_key_file(
        &self,
        secret: &ClientKey,
        made: u64,
        seal: Option<&dyn Seal>,
        entropy: &mut dyn Entropy,
    ) -> Result<(KeyFileHeader, Zeroizing<Vec<u8>>)> {
        let mut serial = [0; 8];
        serial.copy_from_slice(&entropy.seed().0[..8]);
        let header = KeyFileHeader {
            model: self.bundle.id,
            name: self.bundle.spec.name.clone(),
            circuit: self.bundle.spec.circuit.kind().to_string(),
            made,
            sealed: seal.is_some(),
            serial,
        };
        // Large enough from the start: growing would leave a copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
        bytes.extend_from_slice(&header.to_bytes());
        match seal {
            None => secret.write(&mut bytes),
            Some(seal) => {
                let mut bits = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
                secret.write(&mut bits);
                let sealed = seal.seal(&bytes, &bits, entropy)?;
                bytes.extend_from_slice(&sealed);
            }
        }
        Ok((header, bytes))
    }

    /// Reads what [`ClientModel::write_key_file`] wrote for this model.
    ///
    /// # Errors
    /// `key_file_invalid` where it is no key file of this model's, `key_file_version`, `key_passphrase_missing` where it
    /// is sealed and there is no `seal`, `key_passphrase_wrong`.
    pub fn read_key_file(&self, bytes: &[u8], seal: Option<&dyn Seal>) -> Result<(KeyFileHeader, ClientKey)> {
        let (header, body) = KeyFileHeader::parse(bytes)?;
        if header.model != self.bundle.id {
            return Err(Error::new(ErrorCode::KeyFileInvalid, "it is another model's key"));
        }
        let circuit = &self.bundle.spec.circuit;
        if header.circuit != circuit.kind().name() {
            let what = format!("it is a key for {}, and the model runs on {}", header.circuit, circuit.kind());
            return Err(Error::new(ErrorCode::KeyFileInvalid, what));
        }
        let secret = match (seal, header.sealed) {
            (_, false) => ClientKey::read(circuit, body)?,
            (None, true) => {
                return Err(Error::new(
                    ErrorCode::KeyPassphraseMissing,
                    "it is under a passphrase, and none was given",
                ));
            }
            (Some(seal), true) => {
                let bits = seal.open(&bytes[..bytes.len() - body.len()], body)?;
                ClientKey::read(circuit, &bits)?
            }
        };
        Ok((header, secret))
    }

    /// Turns a row of features, in the order of [`ClientSpec::features`], into the small integers that are encrypted.
    ///
    /// # Errors
    /// `row_shape` for another number of values, `row_value` where one is not finite.
    pub fn quantize(&self, row: &[f64]) -> Result<Vec<u32>> {
        self.bundle.spec.quantize(row)
    }

    /// How many rows to put into one request, so that it has a few megabytes.
    pub fn batch_rows(&self) -> usize {
        let circuit = &self.bundle.spec.circuit;
        let each = circuit.request_bytes().max(circuit.response_bytes()).max(1);
        (BATCH_BYTES / each).clamp(1, frame::most_items(circuit))
    }

    /// Encrypts quantized rows into one request, with a tag where it is to be `tagged` and the circuit has tags
    /// ([`policy::TagSchedule`] says when).
    ///
    /// # Errors
    /// `batch_too_large` for no rows, or for more than a request may have; `row_shape` or `row_value` for a row that
    /// [`ClientModel::quantize`] does not give; `wrong_model` for keys of another one.
    pub fn encrypt(
        &self,
        keys: &ClientKeys,
        rows: &[Vec<u32>],
        tagged: bool,
        entropy: &mut dyn Entropy,
    ) -> Result<EncryptedRequest> {
        let ClientSpec { circuit, quantizer, .. } = &self.bundle.spec;
        let most = frame::most_items(circuit);
        if rows.is_empty() || rows.len() > most {
            return Err(Error::new(
                ErrorCode::BatchTooLarge,
                format!("{} rows in a batch, want 1 to {most}", rows.len()),
            )
            .hint("send several smaller batches"));
        }
        rows.iter().try_for_each(|row| self.check_row(row))?;
        keys.secret().for_answers(circuit)?;
        let items: Vec<Vec<u8>> =
            rows.iter().map(|row| circuit.encode(quantizer, keys.secret(), row, entropy)).collect();
        let tag = if tagged { Tag::draw(circuit, entropy) } else { None };
        let encrypted = tag.as_ref().map(|tag| tag.encrypt(keys.secret(), entropy));
        let bytes = frame::write_inputs(&self.bundle.id, encrypted.as_deref(), &items);
        Ok(EncryptedRequest { bytes, pending: Pending { rows: rows.len(), tag } })
    }

    fn check_row(&self, row: &[u32]) -> Result<()> {
        let features = &self.bundle.spec.quantizer.features;
        if row.len() != features.len() {
            let what = format!("the row has {} values, the model takes {}", row.len(), features.len());
            return Err(Error::new(ErrorCode::RowShape, what).hint("quantize rows with the same model"));
        }
        match row.iter().zip(features).position(|(value, feature)| *value >= feature.levels()) {
            None => Ok(()),
            Some(index) => Err(Error::new(ErrorCode::RowValue, format!("feature {index} is beyond its levels"))
                .hint("quantize rows with the same model")),
        }
    }

    /// Decrypts the answer to a request, once: of two answers to one question a server would learn too much.
    ///
    /// It never fails: an answer that cannot be trusted leaves rows without a prediction, and
    /// [`Predictions::distrust`] says why.
    ///
    /// **What the caller counts.** Two things need a memory that outlives this call, one for each secret key:
    ///
    /// - Answers of a network say something of the key to a server that learns what is shown of them. Add
    ///   [`ClientModel::disclosed_bits`] for every row, before it is shown, and go on under a new key before the sum is beyond
    ///   [`policy::NETWORK_KEY_BITS`]. Exact circuits have none.
    /// - Batches with a [`Predictions::distrust`]: after [`policy::RETIRE_AFTER`] of them the key is not used again. Nothing
    ///   that the server can see may change before.
    pub fn decrypt(&self, keys: &ClientKeys, pending: Pending, answer: &[u8], detail: Detail) -> Predictions {
        let circuit = &self.bundle.spec.circuit;
        let none = |error| Predictions { rows: vec![None; pending.rows], distrust: Some(error) };
        let digest = keys.digest();
        let asked = Asked { model: &self.bundle.id, key: &digest, rows: pending.rows, tagged: pending.tag.is_some() };
        let secret = match keys.secret().for_answers(circuit) {
            Ok(secret) => secret,
            Err(error) => return none(error),
        };
        let batch = match frame::read_answers(asked, Lengths::of_answers(circuit), answer) {
            Ok(batch) => batch,
            // Whoever made these bytes knows what is wrong with them: that nothing is decrypted tells no more.
            Err(error) => return none(error),
        };
        // All rows are decrypted, whatever the tag says: that takes its time either way.
        let decoded: Vec<Result<Scores>> = batch.items.iter().map(|answer| circuit.decode(&secret, answer)).collect();
        let tag = pending.tag.as_ref();
        if tag.is_some_and(|tag| !tag.is_answered_by(keys.secret(), batch.tag.unwrap_or_default())) {
            return none(tag_differs());
        }
        let distrust = decoded.iter().find_map(|row| row.as_ref().err()).cloned();
        let prediction = |scores| Prediction::new(&self.bundle.spec, scores, detail);
        Predictions { rows: decoded.into_iter().map(|row| row.ok().map(prediction)).collect(), distrust }
    }

    /// The bits of a row's answer that are written down at most, to be counted against [`policy::NETWORK_KEY_BITS`];
    /// `None` for exact circuits, which have no limit.
    ///
    /// # Errors
    /// `parameters_invalid` where scores could not be shown at all.
    pub fn disclosed_bits(&self, detail: Detail) -> Result<Option<u32>> {
        policy::bits_a_row(&self.bundle.spec, detail)
    }
}

fn tag_differs() -> Error {
    Error::new(ErrorCode::TagDiffers, "a tag came back changed: the server computed with other keys than this client's")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::OsEntropy;

    /// The id does not bind the circuit for a client, which cannot verify it.
    #[test]
    fn a_key_file_of_another_circuit_is_refused() {
        let model = ClientModel::read(include_bytes!("../../../../compiled_model/tree-spam/client.zip")).unwrap();
        let secret = model.generate_secret(&mut OsEntropy);
        let (header, file) = model.write_key_file(&secret, 0, None, &mut OsEntropy).unwrap();
        assert_eq!(model.read_key_file(&file, None).unwrap().0, header);
        let body = KeyFileHeader::parse(&file).unwrap().1;
        let other = KeyFileHeader { circuit: "network".into(), ..header };
        let error = model.read_key_file(&[&other.to_bytes(), body].concat(), None).map(drop).unwrap_err();
        assert_eq!(error.code, ErrorCode::KeyFileInvalid);
        assert!(error.message.contains("network") && error.message.contains("path-cost"), "{error}");
    }
}
