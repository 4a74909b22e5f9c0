//! Requests and replies of HTTP, as far as the protocol uses them, and what leads from one to the next.

use crate::bundle::json;
use crate::error::{Error, ErrorCode, Result};
use serde::de::DeserializeOwned;

/// A request's method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Put,
    Post,
    Delete,
}

impl Method {
    /// As HTTP spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A request to send. Authorization is the caller's to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    pub method: Method,
    /// From the server's root on, with its leading slash.
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    /// Sent with [`Method::Put`] and [`Method::Post`].
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Without headers and a body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: &[] }
    }

    /// The same request with a body.
    #[must_use]
    pub fn body(self, body: &'a [u8]) -> Self {
        Self { body, ..self }
    }
}

/// A reply that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The server, as messages name it.
    pub(super) server: String,
}

impl Reply {
    /// Headers that are not text may be left out.
    pub fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { status, headers, body, server: String::new() }
    }

    /// A header's value, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A header that holds a number of microseconds, in seconds.
    pub fn micros(&self, name: &str) -> Option<f64> {
        self.header(name)?.parse::<u64>().ok().map(|micros| micros as f64 * 1e-6)
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Reads the body as JSON; `path` is what was asked for.
    ///
    /// # Errors
    /// `reply_invalid`.
    pub fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        read_json(&self.body).map_err(|error| {
            Error::new(
                ErrorCode::ReplyInvalid,
                format!("{}{path} did not answer as an fhectl server: {error}", self.server),
            )
            .hint("check the URL, and that both sides run the same fhectl release")
        })
    }
}

/// The most bytes of JSON that are read: a list of some hundred models.
const MAX_JSON: usize = 1 << 20;

/// Reads JSON of a reply, by way of text: a parser of bytes would be another copy of all code that reads, in a client that a
/// browser loads.
pub(super) fn read_json<T: DeserializeOwned>(body: &[u8]) -> std::result::Result<T, String> {
    if body.len() > MAX_JSON {
        return Err(format!("{} bytes, at most {MAX_JSON}", body.len()));
    }
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    json::from_str(text).map_err(|error| error.to_string())
}

/// Requests one after the other, each following from the reply to the one before.
pub trait Conversation {
    /// What it comes to.
    type Output;

    /// The request to send now.
    fn request(&self) -> Request<'_>;

    /// Takes a successful reply to that request, or what the server refused it with. Gives the output where that was the
    /// last request; `None` where there is another one.
    ///
    /// # Errors
    /// What ends the conversation.
    fn handle(&mut self, outcome: Result<Reply>) -> Result<Option<Self::Output>>;
}

/// A conversation of one request, which comes to its reply.
pub struct Single<'a>(pub Request<'a>);

impl Conversation for Single<'_> {
    type Output = Reply;

    fn request(&self) -> Request<'_> {
        self.0.clone()
    }

    fn handle(&mut self, outcome: Result<Reply>) -> Result<Option<Reply>> {
        outcome.map(Some)
    }
}
