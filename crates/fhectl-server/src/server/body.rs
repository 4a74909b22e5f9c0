//! Request bodies: bounded in bytes, in time, and in memory over all connections.

use super::patience::SLOWEST;
use super::state::State;
use crate::store::Reservation;
use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use fhectl_core::error::{Error, Result};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

/// How much of a body that nobody wanted is read, and for how long, so that the client gets to see the reply.
const DRAIN_BYTES: u64 = 16 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// A request's body, not yet read.
#[derive(Clone)]
pub(super) struct Incoming(Arc<Mutex<Stream>>);

struct Stream {
    stream: BodyDataStream,
    stated: Option<u64>,
    read: u64,
    ended: bool,
}

/// A body in memory; counts against the server's bound until it is dropped.
pub(super) struct Received {
    pub bytes: Bytes,
    pub memory: Reservation,
}

impl Incoming {
    pub fn new(body: Body) -> Self {
        let stated = axum::body::HttpBody::size_hint(&body).exact();
        Self(Arc::new(Mutex::new(Stream {
            stream: body.into_data_stream(),
            stated,
            read: 0,
            ended: stated == Some(0),
        })))
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// `body_too_large` beyond `limit` bytes, `timeout`, `body_broken` where the connection fails, `busy` where the
    /// server holds as many bodies as it may.
    pub async fn read(&self, state: &State, limit: usize) -> Result<Received> {
        let mut body = self.0.lock().await;
        if body.stated.is_some_and(|stated| stated > limit as u64) {
            return Err(too_large(limit));
        }
        let begun = Instant::now();
        let mut memory = Reservation::default();
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        loop {
            let deadline = begun + state.timeouts.body + Duration::from_secs(body.read / SLOWEST);
            let next = timeout_at(deadline, body.stream.next()).await.map_err(|_| {
                Error::user("timeout", "the request's body did not arrive in time").hint("send it again, faster")
            })?;
            let Some(chunk) = next else { break };
            let chunk = chunk.map_err(|_| {
                Error::user("body_broken", "the connection failed while the body arrived").hint("send it again")
            })?;
            body.read += chunk.len() as u64;
            if body.read > limit as u64 {
                return Err(too_large(limit));
            }
            memory.merge(state.memory.try_reserve(chunk.len())?);
            // A body of one chunk is taken as it is.
            if first.is_empty() && whole.is_empty() {
                first = chunk;
                continue;
            }
            if whole.is_empty() {
                whole.reserve(body.stated.unwrap_or(0) as usize);
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.extend_from_slice(&chunk);
        }
        body.ended = true;
        let bytes = if whole.is_empty() { first } else { whole.freeze() };
        Ok(Received { bytes, memory })
    }

    /// Reads and forgets what is left, within bounds; returns how many bytes came in all. A client that is still
    /// sending would otherwise lose its connection before it sees why.
    pub async fn drain(&self) -> u64 {
        let mut body = self.0.lock().await;
        let end = Instant::now() + DRAIN_TIME;
        let mut left = DRAIN_BYTES;
        while !body.ended && left > 0 {
            match timeout_at(end, body.stream.next()).await {
                Ok(Some(Ok(chunk))) => {
                    body.read += chunk.len() as u64;
                    left = left.saturating_sub(chunk.len() as u64);
                }
                _ => break,
            }
        }
        body.read
    }

    /// How many bytes were read.
    pub async fn bytes(&self) -> u64 {
        self.0.lock().await.read
    }
}

fn too_large(limit: usize) -> Error {
    Error::user("body_too_large", format!("the request's body has more than {limit} bytes"))
        .hint("send it in smaller pieces")
}
