//! What is in a keyring, and what a person does with it.

use super::{Keyring, disk};
use fhectl_core::bundle::ModelId;
use fhectl_core::client::ClientModel;
use fhectl_core::client::key_file::{KeyFileHeader, MAX_BYTES};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::fs;
use std::path::PathBuf;

/// The key of one model, as its file tells.
pub struct StoredKey {
    pub model: ModelId,
    pub path: PathBuf,
    /// What is wrong with the file where it cannot be used.
    pub header: Result<KeyFileHeader>,
    /// What is counted against it.
    pub failures: u32,
}

impl Keyring {
    /// All keys, by their model's id.
    ///
    /// # Errors
    /// `keys_unwritable` where the folder cannot be read.
    pub fn inventory(&self) -> Result<Vec<StoredKey>> {
        let mut keys: Vec<StoredKey> = Vec::new();
        for name in self.names()? {
            let Some(Ok(model)) = name.strip_suffix(".secret").map(str::parse::<ModelId>) else { continue };
            let header = match self.header(&model) {
                Ok(Some(header)) => Ok(header),
                // Deleted since.
                Ok(None) => continue,
                Err(error) => Err(error),
            };
            let failures = header.as_ref().map_or(Ok(0), |header| self.counted(header)).unwrap_or(0);
            keys.push(StoredKey { model, path: self.secret(&model), header, failures });
        }
        keys.sort_by_key(|key| key.model);
        Ok(keys)
    }

    /// Deletes a model's keys, whatever is wrong with their files. Returns whether there was a secret one.
    ///
    /// # Errors
    /// `keys_unwritable`.
    pub fn delete(&self, model: &ModelId) -> Result<bool> {
        let _turn = disk::lock(&self.folder)?;
        let there = disk::remove(&self.secret(model))?;
        self.sweep(model, None)?;
        Ok(there)
    }

    /// Makes a new secret key in the place of a model's old one, sealed if the keyring has a passphrase. The evaluation
    /// key is made at the next use.
    ///
    /// # Errors
    /// `key_unknown` where there is none; `key_passphrase_missing` where the old one is sealed and the new one would not
    /// be; `key_file_permissions`, `keys_unwritable`.
    pub fn rotate(&self, model: &ClientModel) -> Result<KeyFileHeader> {
        let _turn = disk::lock(&self.folder)?;
        let path = self.secret(model.id());
        // A damaged file or one of another release is replaced as well: that is one of the uses.
        match self.header(model.id()) {
            Ok(None) => {
                return Err(Error::new(
                    ErrorCode::KeyUnknown,
                    format!("no keys for {} in {}", model.spec().name, self.folder.display()),
                )
                .hint("they are made at the first use; `fhectl keyring list` shows those that are there"));
            }
            Ok(Some(header)) if header.sealed && self.passphrase.is_none() => return Err(super::sealed(&path)),
            Err(error) if error.code == ErrorCode::KeyFilePermissions => return Err(error),
            Ok(Some(_)) | Err(_) => {}
        }
        Ok(self.renew(model)?.0)
    }

    /// What the file of a model's key says without being opened; `None` where there is none.
    pub(super) fn header(&self, model: &ModelId) -> Result<Option<KeyFileHeader>> {
        let path = self.secret(model);
        let Some(bytes) = disk::read_secret(&path, MAX_BYTES)? else { return Ok(None) };
        let (header, _) = KeyFileHeader::parse(&bytes).map_err(|error| super::at(&path, error))?;
        if header.model == *model { Ok(Some(header)) } else { Err(disk::damaged(&path, "it is another model's key")) }
    }

    /// Removes what belongs to a model's keys but to the one named: evaluation keys and counters.
    pub(super) fn sweep(&self, model: &ModelId, keep: Option<&KeyFileHeader>) -> Result<()> {
        let own = format!("{model}.");
        let kept = keep.map(|header| format!("{own}{}.", header.serial_hex()));
        for name in self.names()? {
            let is_kept = name == format!("{own}secret") || kept.as_ref().is_some_and(|kept| name.starts_with(kept));
            if name.starts_with(&own) && !is_kept {
                disk::remove(&self.folder.join(name))?;
            }
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(&self.folder).map_err(|error| disk::unwritable(&self.folder, &error))?;
        Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }
}
