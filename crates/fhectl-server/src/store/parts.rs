//! Uploads under way: parts are staged one by one, then put together.

use super::key_store::KeyStore;
use super::names::{KeyNamespace, UploadId};
use super::objects::Created;
use bytes::Bytes;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::protocol::api::PartStatus;
use object_store::path::Path;

/// The most parts that an upload may have.
pub const MAX_PARTS: u32 = 4096;

impl KeyStore {
    /// Stages one part of a key that will be `expected` bytes long. The same part twice is success.
    ///
    /// # Errors
    /// `part_invalid` for an empty part or an index of [`MAX_PARTS`] or more, `key_too_large` where the parts
    /// together would be longer than the key, `part_conflict` where other bytes stand at this index,
    /// `store_unavailable`, `store_failed`.
    pub async fn put_part(
        &self,
        namespace: &KeyNamespace,
        upload: &UploadId,
        index: u32,
        bytes: Bytes,
        expected: usize,
    ) -> Result<()> {
        if bytes.is_empty() || index >= MAX_PARTS {
            return Err(Error::new(ErrorCode::PartInvalid, format!("part {index} of {} bytes", bytes.len()))
                .hint(format!("parts are not empty and numbered from 0, at most {MAX_PARTS} of them")));
        }
        let parts = self.parts(namespace, upload).await?;
        let others: u64 = parts.iter().filter(|p| p.index != index).map(|p| p.bytes).sum();
        check_total(others + bytes.len() as u64, expected)?;
        let conflict = || {
            Error::new(ErrorCode::PartConflict, format!("part {index} is already here with other bytes"))
                .hint("forget the upload (DELETE the key) and send it again from part 0")
        };
        // One of another length need not be read to be told apart: what is read is never more than what was sent.
        if parts.iter().any(|part| part.index == index && part.bytes != bytes.len() as u64) {
            return Err(conflict());
        }
        let at = namespace.part(upload, index);
        // A second time where what stood here was dropped in between, as after a completion on another server.
        for _ in 0..2 {
            if self.create(&at, bytes.clone()).await? == Created::Now {
                return Ok(());
            }
            match self.read(&at, bytes.len()).await {
                Ok(Some((there, _))) if there == bytes => return Ok(()),
                Ok(None) => {}
                Ok(Some(_)) => break,
                Err(error) if error.code == ErrorCode::KeyDamaged => break,
                Err(error) => return Err(error),
            }
        }
        Err(conflict())
    }

    /// The parts that are staged, in order.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn parts(&self, namespace: &KeyNamespace, upload: &UploadId) -> Result<Vec<PartStatus>> {
        let found = self.list(&namespace.parts(upload)).await?;
        let mut parts: Vec<PartStatus> = found
            .iter()
            .filter_map(|meta| Some(PartStatus { index: meta.location.filename()?.parse().ok()?, bytes: meta.size }))
            .collect();
        parts.sort_by_key(|part| part.index);
        Ok(parts)
    }

    /// Puts all parts together, with room for `expected` bytes.
    ///
    /// # Errors
    /// `key_incomplete` where a part is missing within, `key_too_large`, `store_unavailable`, `store_failed`.
    pub async fn assemble(&self, namespace: &KeyNamespace, upload: &UploadId, expected: usize) -> Result<Vec<u8>> {
        let parts = self.parts(namespace, upload).await?;
        check_total(parts.iter().map(|part| part.bytes).sum(), expected)?;
        let mut whole = Vec::with_capacity(expected);
        for (index, part) in parts.iter().enumerate() {
            if part.index as usize != index {
                return Err(incomplete(format!("part {index} is missing")));
            }
            let read = self.read(&namespace.part(upload, part.index), expected - whole.len()).await?;
            let (bytes, _) = read.ok_or_else(|| incomplete(format!("part {index} is missing")))?;
            whole.extend_from_slice(&bytes);
            check_total(whole.len() as u64, expected)?;
        }
        Ok(whole)
    }

    /// Drops all parts of an upload; tells how many there were.
    ///
    /// # Errors
    /// `store_unavailable`, `store_failed`.
    pub async fn discard(&self, namespace: &KeyNamespace, upload: &UploadId) -> Result<usize> {
        let parts = self.parts(namespace, upload).await?;
        // The last first: what a crash leaves over is then an upload without its end, not one with a hole.
        let all: Vec<Path> = parts.iter().rev().map(|part| namespace.part(upload, part.index)).collect();
        self.remove_all(&all).await?;
        Ok(parts.len())
    }
}

/// Says that a key cannot be used yet.
pub(crate) fn incomplete(what: String) -> Error {
    Error::new(ErrorCode::KeyIncomplete, format!("the evaluation key is not complete: {what}"))
        .hint("send the missing parts, then complete the key")
}

/// Refuses parts that together are longer than the model's key.
pub(crate) fn check_total(total: u64, expected: usize) -> Result<()> {
    if total <= expected as u64 {
        return Ok(());
    }
    Err(Error::new(ErrorCode::KeyTooLarge, format!("{total} bytes of an evaluation key; this model's has {expected}"))
        .hint("make the keys again with this model's client.zip; they may belong to another model"))
}
