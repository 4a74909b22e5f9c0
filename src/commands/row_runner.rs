//! Runs rows through a server. A key may serve a limited number of rows; past that limit the run goes on under a new key.

use crate::client::session::Upload;
use crate::client::{Http, Keyring, OpenedKeys, Session, UntrustedAnswers};
use crate::report::{note, progress};
use fhectl_core::bundle::ClientSpec;
use fhectl_core::client::{ClientModel, Detail};
use fhectl_core::error::Result;
use std::ops::Range;
use zeroize::Zeroizing;

/// A client with its server, model and keys.
pub struct RowRunner<'a> {
    pub http: &'a Http,
    pub model: &'a ClientModel,
    pub keyring: &'a Keyring,
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
        let keys = keys(self.keyring, self.model)?;
        let session = Session::open(self.http, self.model, &keys.keys, self.detail)?;
        session.bring_key(upload)?;
        // None where another process took the last of them: then the next call has a new key.
        let taken = self.keyring.take_rows(self.model, &keys, rows.len(), self.detail)?;
        let end = rows.start + taken;
        let outcome = each(&session, rows.start..end);
        let seen = session.untrusted();
        // A key retires after a few failures, so they are counted even where the run fails.
        if seen.batches > 0 {
            self.keyring.report_failures(self.model.id(), &keys, seen.batches)?;
        }
        untrusted.add(seen);
        outcome?;
        if end < rows.end {
            session.forget_key();
        }
        Ok(end)
    }
}

/// The client's keys, generated where there are none. Notes on stderr say why keys are new or unprotected.
fn keys(keyring: &Keyring, model: &ClientModel) -> Result<OpenedKeys> {
    let work = progress::spinner("preparing keys");
    let keys = keyring.keys_for(model)?;
    work.finish_and_clear();
    if let Some(reason) = &keys.renewed {
        note(&format!("new keys for {}: {reason}", model.spec().name));
    }
    if keyring.has_passphrase() && !keys.sealed {
        let name = &model.spec().name;
        note(&format!(
            "the key for {name} was made without a passphrase and still has none; `fhectl keyring rotate` seals it"
        ));
    }
    Ok(keys)
}

/// Quantizes rows, into memory that is wiped when dropped.
///
/// # Errors
/// Those of [`ClientSpec::quantize`].
pub fn quantize_rows(spec: &ClientSpec, rows: &[Vec<f64>]) -> Result<Zeroizing<Vec<Vec<u32>>>> {
    Ok(Zeroizing::new(rows.iter().map(|row| spec.quantize(row)).collect::<Result<_>>()?))
}
