//! What a client does with its keys: make them, encrypt rows, decrypt answers.

use super::client_key::{AnswerKey, ClientKey};
use super::registry::CircuitSpec;
use super::scores::Scores;
use crate::digest;
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::part::PartParams;
use crate::fhe::{Entropy, GlweSecret, encrypt};
use crate::model::Quantizer;

impl ClientKey {
    /// Draws new keys for a checked circuit.
    pub fn generate(circuit: &CircuitSpec, entropy: &mut dyn Entropy) -> Self {
        Self::of(
            digest_of(circuit),
            circuit.keys().iter().map(|key| GlweSecret::generate(key.shape, entropy)).collect(),
        )
    }

    /// The evaluation key to send, exactly the circuit's `key_bytes` long: encryptions only, made anew each time.
    pub fn evaluation_key(&self, circuit: &CircuitSpec, entropy: &mut dyn Entropy) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in circuit.key_parts() {
            let (from, to) = (self.secret(part.from), self.secret(part.to));
            bytes.extend(match &part.params {
                PartParams::Bootstrap(params) => encrypt::bootstrap_key(params, from, to, entropy),
                PartParams::Keyswitch(params) => encrypt::keyswitch_key(params, from, to, entropy),
            });
        }
        if circuit.rerandomized() {
            bytes.extend(encrypt::public_key(self.answer(), entropy));
        }
        bytes
    }

    /// Reads what [`ClientKey::write`] wrote for the same circuit.
    ///
    /// # Errors
    /// `key_file_invalid` where the length is wrong.
    pub fn read(circuit: &CircuitSpec, mut bytes: &[u8]) -> Result<Self> {
        let wrong = || Error::new(ErrorCode::KeyFileInvalid, "the secret keys have the wrong length");
        let mut secrets = Vec::new();
        for key in circuit.keys() {
            let (own, rest) = bytes.split_at_checked(GlweSecret::stored_len(key.shape)).ok_or_else(wrong)?;
            secrets.push(GlweSecret::read(key.shape, own)?);
            bytes = rest;
        }
        if bytes.is_empty() { Ok(Self::of(digest_of(circuit), secrets)) } else { Err(wrong()) }
    }

    /// Whether the key was made for this circuit.
    pub fn is_of(&self, circuit: &CircuitSpec) -> bool {
        *self.circuit() == digest_of(circuit)
    }

    /// The key for reading answers of this circuit. It stays in this crate: what reads by it must be of the same circuit.
    ///
    /// # Errors
    /// `wrong_model` where the key was made for another one.
    pub(crate) fn for_answers(&self, circuit: &CircuitSpec) -> Result<AnswerKey<'_>> {
        if self.is_of(circuit) {
            return Ok(AnswerKey(self.answer()));
        }
        Err(Error::new(ErrorCode::WrongModel, "the secret key was made for another circuit")
            .hint("use the key that was made with this model's client.zip"))
    }
}

/// Encrypts one quantized row, exactly the circuit's `request_bytes` long.
///
/// # Panics
/// Where the row does not come from the model's quantizer, or the key was made for another circuit.
pub fn encode(
    circuit: &CircuitSpec,
    quantizer: &Quantizer,
    key: &ClientKey,
    quantized: &[u32],
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    assert!(key.is_of(circuit), "a key that was made for another circuit");
    circuit.encode(quantizer, key, quantized, entropy)
}

/// Decrypts one answer into the scores that [`crate::model::Model::scores`] gives in clear; of circuits that are not exact,
/// with noise, rounded.
///
/// # Errors
/// `ciphertext_invalid` where the bytes are not an answer of this circuit, `answer_invalid` where they decrypt to
/// nothing that it gives, `wrong_model` where the key was made for another circuit.
pub fn decode(circuit: &CircuitSpec, key: &ClientKey, answer: &[u8]) -> Result<Scores> {
    circuit.decode(&key.for_answers(circuit)?, answer)
}

fn digest_of(circuit: &CircuitSpec) -> [u8; 32] {
    digest::sha256(&serde_json::to_vec(circuit).expect("specs hold nothing that JSON cannot"))
}
