//! A bound on the bytes of one row: a quote that is never closed, or a line without an end, must not fill the memory.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most bytes of one row.
const MAX_ROW: usize = 16 << 20;

/// Reads on until a row has too many bytes.
pub(super) struct LimitedRows<R> {
    inner: R,
    left: RowBudget,
}

/// How many bytes the row that is being read may still have.
#[derive(Debug, Clone)]
pub(super) struct RowBudget(Arc<AtomicUsize>);

impl RowBudget {
    /// A new row begins.
    pub fn renew(&self) {
        self.0.store(MAX_ROW, Ordering::Relaxed);
    }
}

impl<R: Read> LimitedRows<R> {
    pub fn new(inner: R) -> (Self, RowBudget) {
        let left = RowBudget(Arc::new(AtomicUsize::new(MAX_ROW)));
        (Self { inner, left: left.clone() }, left)
    }
}

impl<R: Read> Read for LimitedRows<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.0.load(Ordering::Relaxed);
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, RowTooLong));
        }
        let most = buffer.len().min(left);
        let got = self.inner.read(&mut buffer[..most])?;
        self.left.0.store(left - got, Ordering::Relaxed);
        Ok(got)
    }
}

/// A row has too many bytes.
#[derive(Debug)]
pub(super) struct RowTooLong;

impl std::fmt::Display for RowTooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("more than 16 MiB in one row")
    }
}

impl std::error::Error for RowTooLong {}
