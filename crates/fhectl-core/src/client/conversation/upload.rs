//! Bringing an evaluation key to a server, and having it forgotten.

use super::message::{Conversation, Method, Reply, Request};
use super::models::model_path;
use crate::client::keys::ClientKeys;
use crate::client::model::ClientModel;
use crate::error::{ErrorCode, Result};
use crate::protocol::api::{KeyStatus, MAX_PART_BYTES, UploadState};
use std::borrow::Borrow;
use std::collections::VecDeque;
use std::ops::Range;

/// Bytes of a key that are sent at once: small enough that little is lost when the connection breaks.
pub const PART_BYTES: usize = 1 << 20;
const _: () = assert!(PART_BYTES <= MAX_PART_BYTES);

/// A part of an evaluation key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub index: usize,
    /// Its bytes in [`ClientKeys::evaluation`].
    pub bytes: Range<usize>,
    /// Bytes from this part's first to the key's last.
    pub remaining: usize,
}

/// Brings an evaluation key to a server, sending only what is not there yet.
///
/// It asks which parts are there, sends the others and completes the key. Parts of another size, or damaged ones, that are
/// in the way are discarded, and parts that were dropped meanwhile are sent again: either once.
///
/// The keys are borrowed, or shared (`Rc`, `Arc`) where a conversation outlives the call that begins it.
pub struct KeyUpload<K> {
    path: String,
    keys: K,
    state: State,
    /// Parts that are not there, the next one first.
    missing: VecDeque<usize>,
    restarted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Ask what is there.
    Ask,
    /// Send the first of the missing parts.
    Send,
    /// Have the key checked and made usable.
    Complete,
    /// Discard what is there.
    Discard,
}

impl<K: Borrow<ClientKeys>> KeyUpload<K> {
    /// `None` where the model needs no key.
    pub fn new(model: &ClientModel, keys: K) -> Option<Self> {
        if keys.borrow().evaluation().is_empty() {
            return None;
        }
        let path = key_path(model, keys.borrow());
        Some(Self { path, keys, state: State::Ask, missing: VecDeque::new(), restarted: false })
    }

    fn key(&self) -> &[u8] {
        self.keys.borrow().evaluation()
    }

    /// The part that the next request sends; `None` where it is another request.
    pub fn part(&self) -> Option<Part> {
        if self.state != State::Send {
            return None;
        }
        let index = *self.missing.front()?;
        let from = index * PART_BYTES;
        let bytes = from..(from + PART_BYTES).min(self.key().len());
        Some(Part { index, bytes, remaining: self.key().len() - from })
    }

    /// Sends what a status says is missing.
    fn begin(&mut self, status: &KeyStatus) {
        let there = |index: usize, bytes: usize| {
            status.parts.iter().any(|part| part.index as usize == index && part.bytes == bytes as u64)
        };
        let parts = self.key().chunks(PART_BYTES).enumerate();
        self.missing = parts.filter(|(index, part)| !there(*index, part.len())).map(|(index, _)| index).collect();
        self.go_on();
    }

    fn go_on(&mut self) {
        self.state = if self.missing.is_empty() { State::Complete } else { State::Send };
    }
}

impl<K: Borrow<ClientKeys>> Conversation for KeyUpload<K> {
    type Output = ();

    fn request(&self) -> Request<'_> {
        let path = self.path.clone();
        match (self.state, self.part()) {
            (State::Send, Some(part)) => {
                Request::new(Method::Put, format!("{path}/parts/{}", part.index)).body(&self.key()[part.bytes])
            }
            (State::Ask, _) => Request::new(Method::Get, path),
            (State::Discard, _) => Request::new(Method::Delete, path),
            (State::Complete | State::Send, _) => Request::new(Method::Post, path),
        }
    }

    fn handle(&mut self, outcome: Result<Reply>) -> Result<Option<()>> {
        let reply = match outcome {
            Ok(reply) => reply,
            Err(error) => {
                self.state = match error.code {
                    ErrorCode::PartConflict if !self.restarted => State::Discard,
                    ErrorCode::KeyIncomplete if !self.restarted => State::Ask,
                    _ => return Err(error),
                };
                self.restarted = true;
                return Ok(None);
            }
        };
        match self.state {
            State::Ask => {
                let status: KeyStatus = reply.json(&self.path)?;
                if status.state == UploadState::Complete {
                    return Ok(Some(()));
                }
                self.begin(&status);
            }
            State::Send => {
                self.missing.pop_front();
                self.go_on();
            }
            State::Complete => return Ok(Some(())),
            State::Discard => self.state = State::Ask,
        }
        Ok(None)
    }
}

/// Has a server forget a key that will not be used again.
pub struct ForgetKey {
    path: String,
}

impl ForgetKey {
    /// `None` where the model needs no key.
    pub fn new(model: &ClientModel, keys: &ClientKeys) -> Option<Self> {
        (!keys.evaluation().is_empty()).then(|| Self { path: key_path(model, keys) })
    }
}

impl Conversation for ForgetKey {
    type Output = ();

    fn request(&self) -> Request<'_> {
        Request::new(Method::Delete, self.path.clone())
    }

    fn handle(&mut self, outcome: Result<Reply>) -> Result<Option<()>> {
        outcome.map(|_| Some(()))
    }
}

fn key_path(model: &ClientModel, keys: &ClientKeys) -> String {
    format!("{}/keys/{}", model_path(&model.spec().name), keys.key_id())
}
