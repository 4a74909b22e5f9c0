//! Inferences on several threads, handed over in the order of their rows.

use crate::client::{Exchange, Session};
use fhectl_core::error::Result;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Sends every row on `jobs` threads, one row per request, and hands the exchanges over in the order of rows.
///
/// # Errors
/// The first of an inference; no more rows are started after it.
pub fn infer_in_order(
    session: &Session<'_>,
    quantized: &[Vec<u32>],
    jobs: usize,
    mut on_exchange: impl FnMut(usize, Exchange),
) -> Result<()> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..jobs.min(quantized.len()).max(1) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(row) = quantized.get(index) else { return };
                    let result = session.infer(std::slice::from_ref(row));
                    let failed = result.is_err();
                    if sender.send((index, result)).is_err() || failed {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut next_row = 0;
        for (index, result) in receiver {
            let exchange = result.inspect_err(|_| next.store(quantized.len(), Ordering::Relaxed))?;
            waiting.insert(index, exchange);
            while let Some(exchange) = waiting.remove(&next_row) {
                on_exchange(next_row, exchange);
                next_row += 1;
            }
        }
        Ok(())
    })
}
