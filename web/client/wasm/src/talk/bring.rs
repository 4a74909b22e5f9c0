//! Until a server has the key: check the model, bring what is missing.

use fhectl_core::client::conversation::{CheckModel, Conversation, KeyUpload, Reply, Request};
use fhectl_core::client::{ClientKeys, ClientModel};
use fhectl_core::error::Result;
use std::rc::Rc;

/// Checks the model and brings the key.
pub struct Bring {
    model: Rc<ClientModel>,
    keys: Rc<ClientKeys>,
    stage: Stage,
    /// Bytes of the key that were sent, and those that were to be sent at the first of them.
    sent: usize,
    to_send: usize,
}

enum Stage {
    Check(CheckModel),
    Upload(KeyUpload<Rc<ClientKeys>>),
}

impl Bring {
    pub fn new(model: &Rc<ClientModel>, keys: &Rc<ClientKeys>) -> Self {
        let stage = Stage::Check(CheckModel::new(model));
        Self { model: Rc::clone(model), keys: Rc::clone(keys), stage, sent: 0, to_send: 0 }
    }

    /// Bytes of the key that were sent, and those that were to be sent.
    pub fn uploaded(&self) -> [u32; 2] {
        [self.sent, self.to_send].map(|bytes| bytes as u32)
    }

    fn count(&mut self) {
        let Stage::Upload(upload) = &self.stage else { return };
        // Parts that were sent before count at the first that is sent now.
        if let Some(part) = upload.part() {
            if self.to_send == 0 {
                self.to_send = part.remaining;
            }
            self.sent = self.to_send.saturating_sub(part.remaining);
        } else if self.to_send > 0 {
            self.sent = self.to_send;
        }
    }
}

impl Conversation for Bring {
    type Output = ();

    fn request(&self) -> Request<'_> {
        match &self.stage {
            Stage::Check(check) => check.request(),
            Stage::Upload(upload) => upload.request(),
        }
    }

    fn handle(&mut self, outcome: Result<Reply>) -> Result<Option<()>> {
        match &mut self.stage {
            Stage::Check(check) => {
                if check.handle(outcome)?.is_none() {
                    return Ok(None);
                }
                let Some(upload) = KeyUpload::new(&self.model, Rc::clone(&self.keys)) else { return Ok(Some(())) };
                self.stage = Stage::Upload(upload);
                Ok(None)
            }
            Stage::Upload(upload) => {
                let ended = upload.handle(outcome)?;
                self.count();
                Ok(ended)
            }
        }
    }
}
