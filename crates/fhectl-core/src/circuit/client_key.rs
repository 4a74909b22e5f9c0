//! A client's secret keys, and what is done with them: encrypt rows, decrypt answers.

use super::{CircuitSpec, Scores, cmux_forest, leaf_sum, linear, network, path_cost, path_cost_sum, table};
use crate::error::{Error, Result};
use crate::fhe::{Entropy, GlweSecret, encrypt};
use crate::model::Quantizer;

/// A client's secret keys for one model. Has no `Debug`; wiped when dropped.
pub struct ClientKey {
    /// In the order of [`CircuitSpec::keys`].
    secrets: Vec<GlweSecret>,
}

impl ClientKey {
    /// Draws new keys for a checked spec.
    pub fn generate(spec: &CircuitSpec, entropy: &mut dyn Entropy) -> Self {
        Self { secrets: spec.keys().iter().map(|key| GlweSecret::generate(key.shape, entropy)).collect() }
    }

    /// The key that inputs are encrypted under.
    pub fn input(&self) -> &GlweSecret {
        &self.secrets[0]
    }

    /// The key between the layers of a network that has one.
    pub(super) fn inner(&self) -> &GlweSecret {
        &self.secrets[1]
    }

    /// The key that answers come back under.
    pub fn answer(&self) -> &GlweSecret {
        &self.secrets[self.secrets.len() - 1]
    }

    /// The evaluation key to send, exactly [`CircuitSpec::key_bytes`] long: encryptions only, made anew each time.
    pub fn evaluation_key(&self, spec: &CircuitSpec, entropy: &mut dyn Entropy) -> Vec<u8> {
        let mut bytes = match spec {
            CircuitSpec::LeafSum(params) => {
                encrypt::bootstrap_key(&params.bootstrap, self.input(), self.answer(), entropy)
            }
            CircuitSpec::Network(params) => network::client::evaluation_key(params, self, entropy),
            _ => Vec::new(),
        };
        if spec.rerandomized() {
            bytes.extend(encrypt::public_key(self.answer(), entropy));
        }
        bytes
    }

    /// The secret bits, for the client's own key file and nowhere else.
    pub fn write(&self, out: &mut Vec<u8>) {
        for secret in &self.secrets {
            secret.write(out);
        }
    }

    /// Reads what [`ClientKey::write`] wrote for the same spec.
    ///
    /// # Errors
    /// `key_file_invalid` where the length is wrong.
    pub fn read(spec: &CircuitSpec, mut bytes: &[u8]) -> Result<Self> {
        let wrong = || Error::user("key_file_invalid", "the secret keys have the wrong length");
        let mut secrets = Vec::new();
        for key in spec.keys() {
            let (own, rest) = bytes.split_at_checked(GlweSecret::stored_len(key.shape)).ok_or_else(wrong)?;
            secrets.push(GlweSecret::read(key.shape, own)?);
            bytes = rest;
        }
        if bytes.is_empty() { Ok(Self { secrets }) } else { Err(wrong()) }
    }
}

/// Encrypts one quantised row, exactly [`CircuitSpec::request_bytes`] long.
///
/// # Panics
/// Where the row does not come from the model's quantiser.
pub fn encode(
    spec: &CircuitSpec,
    quantizer: &Quantizer,
    key: &ClientKey,
    quantized: &[u32],
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    match spec {
        CircuitSpec::Linear(params) => linear::client::encode(params, key, quantized, entropy),
        CircuitSpec::PathCost(params) => path_cost::client::encode(params, quantizer, key, quantized, entropy),
        CircuitSpec::PathCostSum(params) => path_cost_sum::client::encode(params, quantizer, key, quantized, entropy),
        CircuitSpec::LeafSum(params) => leaf_sum::client::encode(params, quantizer, key, quantized, entropy),
        CircuitSpec::CmuxForest(params) => cmux_forest::client::encode(params, quantizer, key, quantized, entropy),
        CircuitSpec::Table(params) => table::client::encode(params, quantizer, key, quantized, entropy),
        CircuitSpec::Network(params) => network::client::encode(params, key, quantized, entropy),
    }
}

/// Decrypts one answer into the scores that [`crate::model::Model::scores`] gives in clear (`Network`: with noise,
/// rounded).
///
/// # Errors
/// `ciphertext_invalid` where the bytes are not an answer of this circuit.
pub fn decode(spec: &CircuitSpec, key: &ClientKey, answer: &[u8]) -> Result<Scores> {
    let scores = match spec {
        CircuitSpec::Linear(params) => linear::client::decode(params, key, answer),
        CircuitSpec::PathCost(params) => path_cost::client::decode(params, key, answer),
        CircuitSpec::PathCostSum(params) => path_cost_sum::client::decode(params, key, answer),
        CircuitSpec::LeafSum(params) => leaf_sum::client::decode(params, key, answer),
        CircuitSpec::CmuxForest(params) => cmux_forest::client::decode(params, key, answer),
        CircuitSpec::Table(params) => table::client::decode(params, key, answer),
        CircuitSpec::Network(params) => network::client::decode(params, key, answer),
    };
    scores.map(Scores::new)
}
