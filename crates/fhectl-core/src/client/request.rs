//! An encrypted request, and what its answer is checked against.

use crate::circuit::tag::client::Tag;

/// A framed batch of encrypted rows, and what is kept until it is answered.
pub struct EncryptedRequest {
    pub(super) bytes: Vec<u8>,
    pub(super) pending: Pending,
}

impl EncryptedRequest {
    /// The bytes to send.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes to send, and what [`ClientModel::decrypt`](super::ClientModel::decrypt) needs to read the answer.
    pub fn into_parts(self) -> (Vec<u8>, Pending) {
        (self.bytes, self.pending)
    }
}

/// What a request leaves with the client until it is answered: how many rows went, and the tag's symbols.
///
/// Has no `Debug`: the server must not learn the symbols.
pub struct Pending {
    pub(super) rows: usize,
    pub(super) tag: Option<Tag>,
}

impl Pending {
    /// What a request of so many rows without a tag leaves, for clients whose answers come to another process than the one
    /// that encrypted. Such a client does not know which answers it has seen: it charges a key for each that it decrypts, and
    /// not for requests.
    pub fn untagged(rows: usize) -> Self {
        Self { rows, tag: None }
    }

    /// The rows that were encrypted.
    pub fn rows(&self) -> usize {
        self.rows
    }
}
