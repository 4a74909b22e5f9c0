//! Rows in turns: each turn under one key, as many rows as the key may be asked about.

use crate::client::session::Upload;
use crate::client::{Distrusted, Http, Keyring, OpenedKeys, Session};
use crate::report::{note, progress};
use fhectl_core::client::{ClientModel, Detail};
use fhectl_core::error::Result;
use std::ops::Range;

/// A client, its server and its keys.
pub struct Turns<'a> {
    pub http: &'a Http,
    pub model: &'a ClientModel,
    pub keyring: &'a Keyring,
    /// What is written down of answers.
    pub detail: Detail,
}

impl Turns<'_> {
    /// Does `rows` rows, a range of them after the other, each through a session of its own. `upload` hears of keys that
    /// are brought.
    ///
    /// Returns how it ended, and the batches whose answers cannot be trusted.
    pub fn run(
        &self,
        rows: usize,
        mut upload: impl FnMut(Upload<'_>),
        mut each: impl FnMut(&Session<'_>, Range<usize>) -> Result<()>,
    ) -> (Result<()>, Distrusted) {
        let (mut done, mut distrusted) = (0, Distrusted::default());
        while done < rows {
            let turn = self.turn(done..rows, &mut upload, &mut each, &mut distrusted);
            match turn {
                Ok(next) => done = next,
                Err(error) => return (Err(error), distrusted),
            }
        }
        (Ok(()), distrusted)
    }

    /// Does the first of `rows` that a key is there for, and returns where the next turn begins.
    fn turn(
        &self,
        rows: Range<usize>,
        upload: &mut impl FnMut(Upload<'_>),
        each: &mut impl FnMut(&Session<'_>, Range<usize>) -> Result<()>,
        distrusted: &mut Distrusted,
    ) -> Result<usize> {
        let keys = keys(self.keyring, self.model)?;
        let session = Session::open(self.http, self.model, &keys.keys, self.detail)?;
        session.bring_key(upload)?;
        // None where another process took the last of them: the next turn has a new key.
        let taken = self.keyring.take_rows(self.model, &keys, rows.len(), self.detail)?;
        let end = rows.start + taken;
        let outcome = each(&session, rows.start..end);
        let seen = session.distrusted();
        // Keys retire after a few; these are counted whatever ends the run.
        if seen.batches > 0 {
            self.keyring.report_failures(self.model.id(), &keys, seen.batches)?;
        }
        distrusted.add(seen);
        outcome?;
        if end < rows.end {
            session.forget_key();
        }
        Ok(end)
    }
}

/// The client's keys, made where there are none. What a person should know of them is told on stderr.
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
