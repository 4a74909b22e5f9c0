//! What a client does with its keys: make them, encrypt rows, decrypt answers.

use super::client_key::ClientKey;
use super::key_part::KeyPart;
use super::registry::CircuitSpec;
use super::scores::Scores;
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::{Entropy, GlweSecret, encrypt};
use crate::model::Quantizer;

impl ClientKey {
    /// Draws new keys for a checked circuit.
    pub fn generate(circuit: &CircuitSpec, entropy: &mut dyn Entropy) -> Self {
        Self::of(circuit.keys().iter().map(|key| GlweSecret::generate(key.shape, entropy)).collect())
    }

    /// The evaluation key to send, exactly the circuit's `key_bytes` long: encryptions only, made anew each time.
    pub fn evaluation_key(&self, circuit: &CircuitSpec, entropy: &mut dyn Entropy) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in circuit.key_parts() {
            bytes.extend(match &part {
                KeyPart::Bootstrap { params, from, to } => {
                    encrypt::bootstrap_key(params, self.secret(*from), self.secret(*to), entropy)
                }
                KeyPart::Keyswitch { params, from, to } => {
                    encrypt::keyswitch_key(params, self.secret(*from), self.secret(*to), entropy)
                }
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
        if bytes.is_empty() { Ok(Self::of(secrets)) } else { Err(wrong()) }
    }
}

/// Encrypts one quantized row, exactly the circuit's `request_bytes` long.
///
/// # Panics
/// Where the row does not come from the model's quantizer.
pub fn encode(
    circuit: &CircuitSpec,
    quantizer: &Quantizer,
    key: &ClientKey,
    quantized: &[u32],
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    circuit.encode(quantizer, key, quantized, entropy)
}

/// Decrypts one answer into the scores that [`crate::model::Model::scores`] gives in clear; of circuits that are not exact,
/// with noise, rounded.
///
/// # Errors
/// `ciphertext_invalid` where the bytes are not an answer of this circuit, `answer_invalid` where they decrypt to
/// nothing that it gives.
pub fn decode(circuit: &CircuitSpec, key: &ClientKey, answer: &[u8]) -> Result<Scores> {
    circuit.decode(key, answer)
}
