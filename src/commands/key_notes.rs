//! What a person is told of the keys that a command works with.

use crate::client::session::Upload;
use crate::client::{Keyring, OpenedKeys};
use crate::report::note;
use crate::report::progress::{Work, spinner};
use fhectl_core::bundle::ClientSpec;

/// Notes on stderr that say why keys are new or unprotected, and a spinner while they are made.
pub struct KeyNotes<'a> {
    keyring: &'a Keyring,
    spec: &'a ClientSpec,
    work: Option<Work>,
}

impl<'a> KeyNotes<'a> {
    pub fn new(keyring: &'a Keyring, spec: &'a ClientSpec) -> Self {
        Self { keyring, spec, work: None }
    }

    /// Tells of keys that are prepared; uploads are for others to tell.
    pub fn see(&mut self, upload: &Upload<'_>) {
        match upload {
            Upload::Preparing => self.work = Some(spinner("preparing keys")),
            Upload::Prepared(keys) => {
                if let Some(work) = self.work.take() {
                    work.finish_and_clear();
                }
                self.tell(keys);
            }
            Upload::Part(_) | Upload::Stored { .. } => {}
        }
    }

    fn tell(&self, keys: &OpenedKeys) {
        let name = &self.spec.name;
        if let Some(reason) = &keys.renewed {
            note(&format!("new keys for {name}: {reason}"));
        }
        if self.keyring.has_passphrase() && !keys.sealed {
            note(&format!(
                "the key for {name} was made without a passphrase and still has none; `fhectl keyring rotate` seals it"
            ));
        }
    }
}
