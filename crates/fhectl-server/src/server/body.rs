//! Request bodies: bounded in bytes, in time, and in memory over all connections.

use super::config::MIN_BYTES_PER_SECOND;
use crate::store::{MemoryBudget, Reservation};
use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use fhectl_core::error::{Error, ErrorCode, Result};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

/// How much of a body that nobody wanted is read, and for how long, so that the client gets to see the reply.
const DRAIN_BYTES: u64 = 16 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// What bodies may take. The bytes of one are the handler's to bound: they depend on the route and the model.
#[derive(Clone)]
pub(super) struct BodyLimits {
    /// For requests and replies, over all connections.
    pub memory: MemoryBudget,
    /// For a body to arrive, besides a second for every [`MIN_BYTES_PER_SECOND`] bytes.
    pub timeout: Duration,
}

/// A request's body, not yet read.
#[derive(Clone)]
pub(super) struct RequestBody {
    stream: Arc<Mutex<Stream>>,
    limits: BodyLimits,
}

struct Stream {
    stream: BodyDataStream,
    stated: Option<u64>,
    read: u64,
    ended: bool,
}

/// A body in memory; counts against the server's bound until it is dropped.
pub(super) struct ReceivedBody {
    pub bytes: Bytes,
    pub memory: Reservation,
}

impl RequestBody {
    pub fn new(body: Body, limits: BodyLimits) -> Self {
        let stated = axum::body::HttpBody::size_hint(&body).exact();
        let stream = Stream { stream: body.into_data_stream(), stated, read: 0, ended: stated == Some(0) };
        Self { stream: Arc::new(Mutex::new(stream)), limits }
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// `body_too_large` beyond `limit` bytes, `timeout`, `body_broken` where the connection fails, `busy` where the
    /// server holds as many bodies as it may.
    pub async fn read(&self, limit: usize) -> Result<ReceivedBody> {
        let mut body = self.stream.lock().await;
        if body.stated.is_some_and(|stated| stated > limit as u64) {
            return Err(too_large(limit));
        }
        let begun = Instant::now();
        let mut memory = Reservation::default();
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        loop {
            let deadline = begun + self.limits.timeout + Duration::from_secs(body.read / MIN_BYTES_PER_SECOND);
            let next = timeout_at(deadline, body.stream.next()).await.map_err(|_| {
                Error::new(ErrorCode::Timeout, "the request's body did not arrive in time")
                    .hint("send it again, faster")
            })?;
            let Some(chunk) = next else { break };
            let chunk = chunk.map_err(|_| {
                Error::new(ErrorCode::BodyBroken, "the connection failed while the body arrived").hint("send it again")
            })?;
            body.read += chunk.len() as u64;
            if body.read > limit as u64 {
                return Err(too_large(limit));
            }
            memory.merge(self.limits.memory.try_reserve(chunk.len())?);
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
        Ok(ReceivedBody { bytes, memory })
    }

    /// Reads and forgets what is left, within bounds; returns how many bytes came in all. A client that is still
    /// sending would otherwise lose its connection before it sees why.
    pub async fn drain(&self) -> u64 {
        let mut body = self.stream.lock().await;
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
        self.stream.lock().await.read
    }
}

fn too_large(limit: usize) -> Error {
    Error::new(ErrorCode::BodyTooLarge, format!("the request's body has more than {limit} bytes"))
        .hint("send it in smaller pieces")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    fn body(pieces: Vec<&'static [u8]>, limits: &BodyLimits) -> RequestBody {
        let pieces = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece)));
        // The connection stays open, as one does whose client says no more.
        let stream = stream::iter(pieces).chain(stream::pending());
        RequestBody::new(Body::from_stream(stream), limits.clone())
    }

    fn limits(bytes: u64) -> BodyLimits {
        BodyLimits { memory: MemoryBudget::new(bytes, "requests"), timeout: Duration::from_secs(60) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_end_is_given_up() {
        let limits = limits(1 << 20);
        let stalled = body(vec![b"some"], &limits);
        assert_eq!(stalled.read(100).await.map(drop).unwrap_err().code, ErrorCode::Timeout);
        assert_eq!(limits.memory.taken(), 0);
        // Draining has a bound of its own, and says what came.
        assert_eq!(stalled.drain().await, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_bounded_in_bytes_and_in_the_memory_of_all() {
        let limits = limits(2048);
        let long = body(vec![b"12345", b"67890"], &limits);
        assert_eq!(long.read(9).await.map(drop).unwrap_err().code, ErrorCode::BodyTooLarge);
        let whole = RequestBody::new(Body::from("1234567890"), limits.clone());
        let received = whole.read(10).await.unwrap();
        assert_eq!((&received.bytes[..], limits.memory.taken()), (&b"1234567890"[..], 1024));
        let large = body(vec![&[0; 2000]], &limits);
        assert_eq!(large.read(5000).await.map(drop).unwrap_err().code, ErrorCode::Busy);
        drop(received);
        assert_eq!(limits.memory.taken(), 0);
    }
}
