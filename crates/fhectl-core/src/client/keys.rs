//! A client's keys for one model.

use crate::circuit::ClientKey;
use crate::digest;
use crate::protocol::frame::{KeyDigest, NO_KEY};

/// A client's keys for one model: the secret key, and the evaluation key that the server computes with.
///
/// Has no `Debug`. The secret key is wiped when dropped. [`ClientModel::generate_keys`](super::ClientModel::generate_keys)
/// makes new ones, [`ClientModel::keys`](super::ClientModel::keys) joins stored ones.
pub struct ClientKeys {
    secret: ClientKey,
    evaluation: Vec<u8>,
    sha256: [u8; 32],
}

impl ClientKeys {
    pub(super) fn new(secret: ClientKey, evaluation: Vec<u8>) -> Self {
        let sha256 = digest::sha256(&evaluation);
        Self::of_digest(secret, evaluation, sha256)
    }

    pub(super) fn of_digest(secret: ClientKey, evaluation: Vec<u8>, sha256: [u8; 32]) -> Self {
        Self { secret, evaluation, sha256 }
    }

    /// The secret key. It never leaves the client.
    pub fn secret(&self) -> &ClientKey {
        &self.secret
    }

    /// The framed evaluation key, to be sent as it is; empty where the circuit needs none.
    pub fn evaluation(&self) -> &[u8] {
        &self.evaluation
    }

    /// The evaluation key's name at a server: the SHA-256 of [`ClientKeys::evaluation`], in hexadecimal.
    pub fn key_id(&self) -> String {
        digest::to_hex(&self.sha256)
    }

    /// What an answer says that it was computed with.
    pub(super) fn digest(&self) -> KeyDigest {
        if self.evaluation.is_empty() { NO_KEY } else { self.sha256 }
    }
}
