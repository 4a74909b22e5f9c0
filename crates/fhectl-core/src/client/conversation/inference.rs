//! Asking for an answer.

use super::message::{Conversation, Method, Reply, Request};
use super::models::model_path;
use crate::client::keys::ClientKeys;
use crate::client::model::ClientModel;
use crate::error::{ErrorCode, Result};
use crate::protocol::api::{COMPUTE_HEADER, KEY_ID_HEADER, QUEUE_HEADER};

/// Sends an encrypted request and takes the encrypted answer.
pub struct Inference<B> {
    path: String,
    key_id: String,
    request: B,
    /// Whether a forgotten key is an outcome: for the first time, and where there is a key to bring.
    may_bring_key: bool,
}

/// An encrypted answer, for [`ClientModel::decrypt`].
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub bytes: Vec<u8>,
    /// Seconds that the request waited at the server, and that computing took; `None` where the server does not tell.
    pub queue: Option<f64>,
    pub compute: Option<f64>,
}

/// What an [`Inference`] comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum InferenceOutcome {
    Answered(Answer),
    /// The server has forgotten the key since it was brought: its time was over, or an operator deleted it. Bring it with a
    /// [`KeyUpload`](super::KeyUpload), then ask with [`Inference::again`].
    KeyForgotten,
}

impl<B: AsRef<[u8]>> Inference<B> {
    /// `request` is what [`ClientModel::encrypt`] gave.
    pub fn new(model: &ClientModel, keys: &ClientKeys, request: B) -> Self {
        let path = format!("{}/infer", model_path(&model.spec().name));
        Self { path, key_id: keys.key_id(), request, may_bring_key: !keys.evaluation().is_empty() }
    }

    /// The same request after the key was brought: that the key is unknown is an error now.
    pub fn again(model: &ClientModel, keys: &ClientKeys, request: B) -> Self {
        Self { may_bring_key: false, ..Self::new(model, keys, request) }
    }
}

impl<B: AsRef<[u8]>> Conversation for Inference<B> {
    type Output = InferenceOutcome;

    fn request(&self) -> Request<'_> {
        let headers = vec![(KEY_ID_HEADER, self.key_id.clone())];
        Request { headers, ..Request::new(Method::Post, self.path.clone()).body(self.request.as_ref()) }
    }

    fn handle(&mut self, outcome: Result<Reply>) -> Result<Option<InferenceOutcome>> {
        match outcome {
            Ok(reply) => {
                let (queue, compute) = (reply.micros(QUEUE_HEADER), reply.micros(COMPUTE_HEADER));
                Ok(Some(InferenceOutcome::Answered(Answer { bytes: reply.body, queue, compute })))
            }
            Err(error) if error.code == ErrorCode::KeyUnknown && self.may_bring_key => {
                Ok(Some(InferenceOutcome::KeyForgotten))
            }
            Err(error) => Err(error),
        }
    }
}
