//! Patience with a server that is busy, restarting or unreachable.

use super::message::{Conversation, Reply, Request};
use super::refusal::refusal;
use crate::error::{Error, ErrorCode, Result};
use std::time::Duration;

/// How often a request is sent before its failure counts.
const TRIES: u32 = 6;
/// The pause before the second try; each one after is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause, whatever the server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum Next<T> {
    /// Send the conversation's next request.
    Send,
    /// Wait so long, then send the same request again. Every request of the protocol may be sent twice.
    Wait(Duration),
    /// It is over.
    Done(T),
}

/// Leads a [`Conversation`] with one server: sends again what a busy server put off, and names the server in errors.
pub struct Driver<C> {
    conversation: C,
    server: String,
    tries: u32,
}

impl<C: Conversation> Driver<C> {
    /// `server` is how errors name it: its URL, without a slash at the end.
    pub fn new(conversation: C, server: impl Into<String>) -> Self {
        Self { conversation, server: server.into(), tries: 0 }
    }

    /// The conversation as it stands.
    pub fn conversation(&self) -> &C {
        &self.conversation
    }

    /// The request to send now: the same one until it was replied to.
    pub fn request(&self) -> Request<'_> {
        self.conversation.request()
    }

    /// Takes the whole reply to the request. A connection that breaks half way through is no reply: see
    /// [`Driver::handle_lost`].
    ///
    /// # Errors
    /// What ends the conversation.
    pub fn handle_reply(&mut self, mut reply: Reply) -> Result<Next<C::Output>> {
        if asks_to_come_back(reply.status)
            && let Some(pause) = self.next_pause()
        {
            let asked = reply.header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
            return Ok(Next::Wait(asked.unwrap_or(pause).min(LONGEST_PAUSE)));
        }
        self.tries = 0;
        reply.server.clone_from(&self.server);
        let outcome =
            if reply.is_success() { Ok(reply) } else { Err(refusal(&self.server, reply.status, &reply.body)) };
        self.conversation.handle(outcome).map(|output| output.map_or(Next::Send, Next::Done))
    }

    /// There is no reply, for this reason. `transient` says that sending again may help: the connection failed, not the
    /// request.
    ///
    /// # Errors
    /// `no_server` where it was tried often enough.
    pub fn handle_lost(&mut self, transient: bool, reason: &str) -> Result<Next<C::Output>> {
        match self.next_pause() {
            Some(pause) if transient => Ok(Next::Wait(pause.min(LONGEST_PAUSE))),
            _ => Err(Error::new(ErrorCode::NoServer, format!("no answer from {}: {reason}", self.server))
                .hint("is the server running (`fhectl serve`), and is the URL right?")),
        }
    }

    /// The pause before the next try; `None` where there is none.
    fn next_pause(&mut self) -> Option<Duration> {
        self.tries += 1;
        (self.tries < TRIES).then(|| FIRST_PAUSE * 2u32.pow(self.tries - 1))
    }
}

/// Whether a server is busy or restarting, or says so through a proxy in front of it.
fn asks_to_come_back(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}
