//! A TCP stream that gives up on a client that does not read its reply.

use super::config::MIN_BYTES_PER_SECOND;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// Fails with `TimedOut` where what was written has not left after `timeout` and a second for every
/// [`MIN_BYTES_PER_SECOND`] bytes.
pub(super) struct WriteTimeout {
    stream: TcpStream,
    timeout: Duration,
    owed: Option<Owed>,
}

/// A reply that the client has not taken yet.
struct Owed {
    since: Instant,
    written: u64,
    timer: Pin<Box<Sleep>>,
}

impl WriteTimeout {
    pub fn new(stream: TcpStream, timeout: Duration) -> Self {
        Self { stream, timeout, owed: None }
    }

    fn after(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(outcome) = outcome {
            if let (Some(owed), Ok(written)) = (&mut self.owed, &outcome) {
                owed.written += *written as u64;
            }
            return Poll::Ready(outcome);
        }
        let now = Instant::now();
        let timeout = self.timeout;
        let owed = self.owed.get_or_insert_with(|| Owed {
            since: now,
            written: 0,
            timer: Box::pin(sleep_until(now + timeout)),
        });
        let end = owed.since + timeout + Duration::from_secs(owed.written / MIN_BYTES_PER_SECOND);
        if owed.timer.deadline() != end {
            owed.timer.as_mut().reset(end);
        }
        ready!(owed.timer.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its reply")))
    }
}

impl AsyncRead for WriteTimeout {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for WriteTimeout {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.after(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.after(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called by what is above once it has nothing left to write.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.owed = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
