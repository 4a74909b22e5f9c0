//! How much of a store one owner may fill.

use super::key_store::KeyStore;
use super::names::{KeyId, KeyNamespace, Owner, UploadId};
use fhectl_core::error::{Error, ErrorCode, Result};
use object_store::path::Path;
use std::collections::BTreeSet;

/// Uids that may stand for one key of a quota: clients of the endpoint form take a new one every time they run.
const UIDS_A_KEY: u64 = 1000;

/// Bounds on what one owner stores; on a server without tokens everyone is one owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// Complete keys; as many uploads may be under way.
    pub keys: Option<u64>,
    /// Bytes of complete keys and staged parts.
    pub bytes: Option<u64>,
}

/// What one owner stores, over all models.
#[derive(Debug, Default, PartialEq, Eq)]
struct Usage {
    keys: u64,
    uids: u64,
    uploads: u64,
    bytes: u64,
}

impl Quota {
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }
}

impl KeyStore {
    /// Whether an owner may begin the upload of a key of so many bytes. Where that key may be one that is here already
    /// (clients of the endpoint form send theirs every time), `bytes` is `None`.
    ///
    /// Uploads that begin at the same moment do not see each other: an owner can get over a quota by as many keys as
    /// it sends at once, and no further.
    ///
    /// # Errors
    /// `quota_exceeded`, `store_unavailable`, `store_failed`.
    pub async fn check_begin(&self, owner: &Owner, quota: Quota, bytes: Option<usize>) -> Result<()> {
        if quota.is_unlimited() {
            return Ok(());
        }
        let usage = self.usage(owner, None).await?;
        if let Some(most) = quota.keys {
            refuse(usage.uploads >= most, || format!("{} uploads under way, at most {most}", usage.uploads))?;
            let uids = most.saturating_mul(UIDS_A_KEY);
            refuse(usage.uids >= uids, || format!("{} uids, at most {uids}", usage.uids))?;
        }
        bytes.map_or(Ok(()), |bytes| within(&usage, quota, bytes))
    }

    /// Whether an owner may complete a key that is not here yet, of so many bytes; its own parts do not count.
    ///
    /// # Errors
    /// As [`KeyStore::check_begin`].
    pub async fn check_complete(
        &self,
        namespace: &KeyNamespace,
        upload: &UploadId,
        quota: Quota,
        bytes: usize,
    ) -> Result<()> {
        if quota.is_unlimited() {
            return Ok(());
        }
        within(&self.usage(&namespace.owner, Some(&namespace.parts(upload))).await?, quota, bytes)
    }

    async fn usage(&self, owner: &Owner, but: Option<&Path>) -> Result<Usage> {
        let mut usage = Usage::default();
        let mut uploads = BTreeSet::new();
        for room in ["keys", "parts", "uids"] {
            for model in self.folders(&Path::from(room)).await? {
                for meta in self.list(&model.clone().join(owner.as_str())).await? {
                    let Some((_, rest)) = KeyNamespace::of(&meta.location) else { continue };
                    if but.is_some_and(|but| meta.location.prefix_matches(but)) {
                        continue;
                    }
                    match (room, rest.as_slice()) {
                        ("keys", [id]) if KeyId::parse(id).is_ok() && !self.expired(meta.last_modified.into()) => {
                            usage.keys += 1;
                            usage.bytes += meta.size;
                        }
                        ("parts", [upload, _]) => {
                            uploads.insert((model.clone(), upload.clone()));
                            usage.bytes += meta.size;
                        }
                        ("uids", [_, _]) => usage.uids += 1,
                        _ => {}
                    }
                }
            }
        }
        usage.uploads = uploads.len() as u64;
        Ok(usage)
    }
}

fn within(usage: &Usage, quota: Quota, bytes: usize) -> Result<()> {
    if let Some(most) = quota.keys {
        refuse(usage.keys >= most, || format!("{} evaluation keys, at most {most}", usage.keys))?;
    }
    if let Some(most) = quota.bytes {
        let total = usage.bytes.saturating_add(bytes as u64);
        refuse(total > most, || format!("{total} bytes of evaluation keys with this one, at most {most}"))?;
    }
    Ok(())
}

fn refuse(over: bool, what: impl FnOnce() -> String) -> Result<()> {
    if !over {
        return Ok(());
    }
    Err(Error::new(ErrorCode::QuotaExceeded, format!("this is more than your token may store: {}", what())).hint(
        "forget keys that are no longer used (DELETE /v1/models/{name}/keys/{key id}), or ask the server's operator",
    ))
}
