//! From a server that may know nothing to an answer: check the model, bring the key, ask.

use fhectl_core::client::conversation::{
    Answer, CheckModel, Conversation, Inference, InferenceOutcome, KeyUpload, Reply, Request,
};
use fhectl_core::client::policy::TagSchedule;
use fhectl_core::client::{ClientKeys, ClientModel};
use fhectl_core::error::Result;
use std::cell::RefCell;
use std::rc::Rc;

/// Checks the model and brings the key, or asks for an answer. Where the server has forgotten the key since it was brought
/// (its time was over, or an operator deleted it), it is brought again, once.
pub struct Exchange {
    model: Rc<ClientModel>,
    keys: Rc<ClientKeys>,
    stage: Stage,
    asked: Option<Asked>,
    /// Bytes of the key that were sent, and those that were to be sent at the first of them.
    sent: usize,
    to_send: usize,
}

enum Stage {
    Check(CheckModel),
    Upload(KeyUpload<Rc<ClientKeys>>),
    Ask(Inference<Rc<[u8]>>),
}

struct Asked {
    request: Rc<[u8]>,
    tags: Rc<RefCell<TagSchedule>>,
}

impl Exchange {
    /// Checks and brings.
    pub fn bring(model: &Rc<ClientModel>, keys: &Rc<ClientKeys>) -> Self {
        let stage = Stage::Check(CheckModel::new(model));
        Self { model: Rc::clone(model), keys: Rc::clone(keys), stage, asked: None, sent: 0, to_send: 0 }
    }

    /// Asks.
    pub fn ask(
        model: &Rc<ClientModel>,
        keys: &Rc<ClientKeys>,
        tags: &Rc<RefCell<TagSchedule>>,
        request: &Rc<[u8]>,
    ) -> Self {
        let stage = Stage::Ask(Inference::new(model, keys, Rc::clone(request)));
        let asked = Some(Asked { request: Rc::clone(request), tags: Rc::clone(tags) });
        Self { stage, asked, ..Self::bring(model, keys) }
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

    /// The stage after the key is at the server: the question, where there is one.
    fn after_key(&mut self) -> Option<Stage> {
        let asked = self.asked.as_ref()?;
        Some(Stage::Ask(Inference::again(&self.model, &self.keys, Rc::clone(&asked.request))))
    }

    fn upload(&self) -> Option<Stage> {
        KeyUpload::new(&self.model, Rc::clone(&self.keys)).map(Stage::Upload)
    }
}

impl Conversation for Exchange {
    /// `None` where nothing was asked.
    type Output = Option<Answer>;

    fn request(&self) -> Request<'_> {
        match &self.stage {
            Stage::Check(check) => check.request(),
            Stage::Upload(upload) => upload.request(),
            Stage::Ask(inference) => inference.request(),
        }
    }

    fn handle(&mut self, outcome: Result<Reply>) -> Result<Option<Option<Answer>>> {
        let next = match &mut self.stage {
            Stage::Check(check) => match check.handle(outcome)? {
                None => return Ok(None),
                Some(()) => self.upload(),
            },
            Stage::Upload(upload) => {
                let ended = upload.handle(outcome)?;
                self.count();
                match ended {
                    None => return Ok(None),
                    Some(()) => self.after_key(),
                }
            }
            Stage::Ask(inference) => match inference.handle(outcome)? {
                None => return Ok(None),
                Some(InferenceOutcome::Answered(answer)) => return Ok(Some(Some(answer))),
                Some(InferenceOutcome::KeyForgotten) => {
                    if let Some(asked) = &self.asked {
                        asked.tags.borrow_mut().begin_again();
                    }
                    self.upload()
                }
            },
        };
        match next {
            Some(stage) => {
                self.stage = stage;
                Ok(None)
            }
            None => Ok(Some(None)),
        }
    }
}
