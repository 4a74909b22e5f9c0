//! How often answers under a key were not what they should be.

use super::{Keyring, OpenedKeys, disk};
use fhectl_core::bundle::ModelId;
use fhectl_core::client::key_file::KeyFileHeader;
use fhectl_core::client::policy::RETIRE_AFTER;
use fhectl_core::error::{Error, ErrorCode, Result};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

impl Keyring {
    /// Adds to what is counted against a model's keys and returns the sum: from [`RETIRE_AFTER`] on the next
    /// [`Keyring::keys_for`] makes new ones. 0 where others have taken their place.
    ///
    /// # Errors
    /// Those of the key's file, and `keys_unwritable`.
    pub fn report_failures(&self, model: &ModelId, keys: &OpenedKeys, failures: u32) -> Result<u32> {
        let _turn = disk::lock(&self.folder)?;
        let header = self.header(model)?.filter(|header| header.serial == keys.serial);
        let Some(header) = header else { return Ok(0) };
        let sum = self.counted(&header)?.saturating_add(failures);
        if failures > 0 {
            disk::replace(&self.counter(&header), sum.to_string().as_bytes())?;
        }
        Ok(sum)
    }

    /// Ends a run with these keys: counts its batches whose answers cannot be trusted. Runs at one time do not see each other's
    /// before they end. Were those that saw none told from the others, each would be a bit about the key, however many there are: so
    /// all that end after the keys retired fail.
    ///
    /// # Errors
    /// `answers_untrusted` where the keys retired for failures, and this run saw none; those of [`Keyring::report_failures`].
    pub fn settle(&self, model: &ModelId, keys: &OpenedKeys, failures: u32) -> Result<()> {
        let stored = self.report_failures(model, keys, failures)?;
        let before = keys.failures.fetch_add(failures.min(RETIRE_AFTER), Ordering::Relaxed);
        if failures > 0 || stored.max(before) < RETIRE_AFTER {
            return Ok(());
        }
        let what = "answers to other rows under the same key cannot be trusted, and too many of them";
        Err(Error::new(ErrorCode::AnswersUntrusted, what).hint(
            "use no row of these runs before the cause is found; ask the server's operator, and give no sign of it to a server \
             that you do not trust (SECURITY.md)",
        ))
    }

    /// Whether these keys must not be used any more: [`Keyring::keys_for`] would give others, or they are gone. For clients that
    /// hold keys for as long as they live.
    ///
    /// # Errors
    /// Those of the key's file.
    pub fn are_retired(&self, model: &ModelId, keys: &OpenedKeys) -> Result<bool> {
        let header = self.header(model)?.filter(|header| header.serial == keys.serial);
        header.map_or(Ok(true), |header| Ok(self.due(&header)?.is_some()))
    }

    /// What is counted against a model's key; 0 where there is none.
    ///
    /// # Errors
    /// Those of the key's file.
    pub fn failures(&self, model: &ModelId) -> Result<u32> {
        self.header(model)?.map_or(Ok(0), |header| self.counted(&header))
    }

    /// The counter is named after the key that it counts for, so that a new key begins at nought.
    fn counter(&self, header: &KeyFileHeader) -> PathBuf {
        self.path(&header.model, &format!("{}.failures", header.serial_hex()))
    }

    pub(super) fn counted(&self, header: &KeyFileHeader) -> Result<u32> {
        let Some(bytes) = disk::read(&self.counter(header), 64)? else { return Ok(0) };
        let count = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
        // One that cannot be read must not give a key its life back.
        Ok(count.unwrap_or(RETIRE_AFTER))
    }
}
