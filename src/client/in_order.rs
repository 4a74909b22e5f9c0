//! Inferences on several threads, handed over in the order of their rows.

use super::{Exchange, Session};
use fhectl_core::error::Result;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Batches that may be on their way or wait for an earlier one, for each thread. More would only take memory.
const AHEAD_A_JOB: usize = 2;

/// Infers `rows` in batches of `batch_rows` on `jobs` threads, so that one batch is encrypted or decrypted while the server
/// computes another, and hands over their exchanges in the order of rows, each with the index of its first row.
///
/// Only so many batches are under way that memory does not depend on the number of rows.
///
/// # Errors
/// The first of an inference, or of `on_exchange`; no batch is started after it.
pub fn infer_in_order(
    session: &Session<'_>,
    rows: &[Vec<u32>],
    batch_rows: usize,
    jobs: usize,
    mut on_exchange: impl FnMut(usize, Exchange) -> Result<()>,
) -> Result<()> {
    let batches: Vec<&[Vec<u32>]> = rows.chunks(batch_rows).collect();
    let each = |batch: &&[Vec<u32>]| session.infer(batch);
    map_in_order(&batches, jobs, each, |index, exchange| on_exchange(index * batch_rows, exchange))
}

/// `each` of the items on `jobs` threads, and `then` of what it gives on this one, in order.
///
/// # Errors
/// The first, in order, of `each` or `then`; no item is started after it.
fn map_in_order<I: Sync, T: Send>(
    items: &[I],
    jobs: usize,
    each: impl Fn(&I) -> Result<T> + Sync,
    mut then: impl FnMut(usize, T) -> Result<()>,
) -> Result<()> {
    let jobs = jobs.clamp(1, items.len().max(1));
    let queue = Queue { state: Mutex::new(State { end: items.len(), ..State::default() }), changed: Condvar::new() };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let stop = Stop(&queue);
                while let Some(index) = queue.start(AHEAD_A_JOB * jobs) {
                    queue.finish(index, each(&items[index]));
                }
                // Only a panic stops the others.
                std::mem::forget(stop);
            });
        }
        // However this ends, the threads are told so.
        let _stop = Stop(&queue);
        while let Some((index, result)) = queue.next() {
            then(index, result?)?;
        }
        Ok(())
    })
}

/// Items that are to be started, and results that wait for their turn.
struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    /// The first item that no thread has started.
    started: usize,
    /// The first item whose result was not handed over.
    handed: usize,
    /// Items from here on are not started.
    end: usize,
    waiting: BTreeMap<usize, Result<T>>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { started: 0, handed: 0, end: 0, waiting: BTreeMap::new() }
    }
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The item to do next, once it is less than `ahead` ones before the one that is awaited; `None` at the end.
    fn start(&self, ahead: usize) -> Option<usize> {
        // The first goes alone: it has the tag that tells another key, and where it fails, no others are computed.
        let full = |state: &mut State<T>| {
            let ahead = if state.handed == 0 { 1 } else { ahead };
            state.started < state.end && state.started >= state.handed + ahead
        };
        let mut state = self.changed.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        if state.started >= state.end {
            return None;
        }
        state.started += 1;
        Some(state.started - 1)
    }

    fn finish(&self, index: usize, result: Result<T>) {
        let mut state = self.lock();
        if result.is_err() {
            // Earlier items, which are all started, are still handed over.
            state.end = state.end.min(index + 1).max(state.started);
        }
        state.waiting.insert(index, result);
        drop(state);
        self.changed.notify_all();
    }

    /// The next result in order; `None` after the last item that was started.
    fn next(&self) -> Option<(usize, Result<T>)> {
        let none = |state: &mut State<T>| state.handed < state.end && !state.waiting.contains_key(&state.handed);
        let mut state = self.changed.wait_while(self.lock(), none).unwrap_or_else(PoisonError::into_inner);
        let index = state.handed;
        let result = state.waiting.remove(&index)?;
        state.handed += 1;
        drop(state);
        self.changed.notify_all();
        Some((index, result))
    }
}

/// Lets no more items start when dropped.
struct Stop<'a, T>(&'a Queue<T>);

impl<T> Drop for Stop<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.end = 0;
        drop(state);
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::error::{Error, ErrorCode};
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn refused() -> Error {
        Error::new(ErrorCode::NoServer, "refused")
    }

    #[test]
    fn results_come_in_order_and_no_more_are_under_way_than_allowed() {
        let items: Vec<usize> = (0..200).collect();
        let (handed, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let each = |item: &usize| {
            most.fetch_max(item - handed.load(Ordering::SeqCst), Ordering::SeqCst);
            // Even items are late.
            if item.is_multiple_of(2) {
                thread::yield_now();
            }
            Ok(item * 3)
        };
        let mut seen = Vec::new();
        map_in_order(&items, 4, each, |index, value| {
            assert_eq!(value, index * 3);
            seen.push(index);
            handed.store(index + 1, Ordering::SeqCst);
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, items);
        // One more may start between a result's being taken and its being counted here.
        assert!(most.into_inner() <= 4 * AHEAD_A_JOB, "memory would grow with the rows");
    }

    #[test]
    fn what_comes_before_a_failure_is_handed_over_and_nothing_is_started_after_it() {
        let items: Vec<usize> = (0..1000).collect();
        let started = AtomicUsize::new(0);
        let each = |item: &usize| {
            started.fetch_max(*item, Ordering::SeqCst);
            if *item == 10 { Err(refused()) } else { Ok(()) }
        };
        let mut handed = 0;
        let failed = map_in_order(&items, 3, each, |_, ()| {
            handed += 1;
            Ok(())
        });
        assert_eq!(failed.unwrap_err().code, ErrorCode::NoServer);
        assert_eq!(handed, 10);
        assert!(started.into_inner() <= 10 + 3 * AHEAD_A_JOB);
    }

    #[test]
    fn a_failure_of_the_receiver_ends_it() {
        let started = AtomicUsize::new(0);
        let each = |_: &usize| Ok(started.fetch_add(1, Ordering::SeqCst));
        let items: Vec<usize> = (0..1000).collect();
        assert!(map_in_order(&items, 2, each, |_, _| Err(refused())).is_err());
        assert!(started.load(Ordering::SeqCst) <= 1 + 2 * AHEAD_A_JOB);
        assert!(map_in_order(&[], 2, each, |_, _| Ok(())).is_ok());
    }
}
