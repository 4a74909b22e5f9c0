//! Runs rows through a server. A key may serve a limited number of rows; past that limit the run goes on under a new key.

use super::held_keys::{Held, HeldKeys};
use super::session::Upload;
use super::{Http, Keyring, OpenedKeys, Session, UntrustedAnswers};
use fhectl_core::bundle::ClientSpec;
use fhectl_core::client::{ClientModel, Detail};
use fhectl_core::error::Result;
use std::ops::Range;
use std::sync::{Arc, PoisonError};
use zeroize::Zeroizing;

/// A client with its server, model and keys.
pub struct RowRunner<'a> {
    pub http: &'a Http,
    pub model: &'a ClientModel,
    pub keyring: &'a Keyring,
    pub held: &'a HeldKeys,
    /// How much of each answer is disclosed; it decides how many rows a key may serve.
    pub detail: Detail,
}

impl RowRunner<'_> {
    /// Runs `rows` rows, in ranges that each have one key and one session. `upload` is called as keys are uploaded,
    /// `each` does the inferences of a range.
    ///
    /// Returns the outcome, and the batches whose answers cannot be trusted, whatever the outcome.
    pub fn run(
        &self,
        rows: usize,
        mut upload: impl FnMut(Upload<'_>),
        mut each: impl FnMut(&Session<'_>, Range<usize>) -> Result<()>,
    ) -> (Result<()>, UntrustedAnswers) {
        let (mut done, mut untrusted) = (0, UntrustedAnswers::default());
        while done < rows {
            match self.run_under_one_key(done..rows, &mut upload, &mut each, &mut untrusted) {
                Ok(next) => done = next,
                Err(error) => return (Err(error), untrusted),
            }
        }
        (Ok(()), untrusted)
    }

    /// Runs as many of `rows` as the current key may serve, and returns the first row that is left.
    fn run_under_one_key(
        &self,
        rows: Range<usize>,
        upload: &mut impl FnMut(Upload<'_>),
        each: &mut impl FnMut(&Session<'_>, Range<usize>) -> Result<()>,
        untrusted: &mut UntrustedAnswers,
    ) -> Result<usize> {
        let held = self.opened(upload)?;
        self.bring(&held, upload)?;
        let keys = &held.keys;
        let session = self.session(&held);
        // None where another process took the last of them: then the next call has a new key.
        let taken = self.keyring.take_rows(self.model, keys, rows.len(), self.detail)?;
        let end = rows.start + taken;
        let outcome = each(&session, rows.start..end);
        let seen = session.untrusted();
        // A key retires after a few failures, so they are counted even where the run fails.
        let settled = self.keyring.settle(self.model.id(), keys, seen.batches);
        untrusted.add(seen);
        settled?;
        outcome?;
        if end < rows.end {
            self.held.forget();
            session.forget_key();
        }
        Ok(end)
    }

    /// The keys to use, generated where there are none.
    ///
    /// # Errors
    /// Those of the keyring.
    pub(super) fn opened(&self, upload: &mut impl FnMut(Upload<'_>)) -> Result<Held> {
        let is_current = |keys: &OpenedKeys| Ok(!self.keyring.are_retired(self.model.id(), keys)?);
        self.held.or_open(is_current, || {
            upload(Upload::Preparing);
            let keys = self.keyring.keys_for(self.model)?;
            upload(Upload::Prepared(&keys));
            Ok(Held::new(keys))
        })
    }

    /// Brings keys to the server, where it has not got them.
    ///
    /// # Errors
    /// Those of [`Session::check_model`] and of [`Session::bring_key`].
    pub(super) fn bring(&self, held: &Held, upload: &mut impl FnMut(Upload<'_>)) -> Result<()> {
        let mut brought = held.brought.lock().unwrap_or_else(PoisonError::into_inner);
        if !*brought {
            let session = self.session(held);
            session.check_model()?;
            session.bring_key(upload)?;
            *brought = true;
        }
        Ok(())
    }

    pub(super) fn session<'a>(&'a self, held: &'a Held) -> Session<'a> {
        Session::new(self.http, self.model, &held.keys.keys, self.detail, Arc::clone(&held.tags))
    }
}

/// Quantizes rows, into memory that is wiped when dropped.
///
/// # Errors
/// Those of [`ClientSpec::quantize`].
pub fn quantize_rows(spec: &ClientSpec, rows: &[Vec<f64>]) -> Result<Zeroizing<Vec<Vec<u32>>>> {
    Ok(Zeroizing::new(rows.iter().map(|row| spec.quantize(row)).collect::<Result<_>>()?))
}
