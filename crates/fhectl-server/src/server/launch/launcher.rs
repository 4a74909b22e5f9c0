//! The threads that launch: each takes rows, has the device compute them, and hands answers back.

use super::queue::LaunchQueue;
use super::rows::{Piece, Rows};
use super::running_device::RunningDevice;
use crate::device::{KeyedRows, LANES, Lease, OpenDevice, Session, WantedKey};
use crate::server::answered::Missed;
use crate::server::batch::EncryptedBatch;
use crate::store::HeldKey;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::protocol::frame::KEY_HEADER;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Starts a device's launchers. They end when the queue is closed; nobody waits for them.
///
/// # Errors
/// `threads`.
pub(super) fn start(device: &Arc<RunningDevice>, queue: &Arc<LaunchQueue<Arc<Rows>>>) -> Result<()> {
    for lane in 0..LANES {
        let launcher = Launcher { device: device.clone(), lane };
        let queue = queue.clone();
        let work = move || {
            while let Some(rows) = queue.take(&|model| launcher.device.launch_terms(model)) {
                let pieces = rows.into_iter().map(|(rows, range)| Piece::new(rows, range)).collect();
                // What is dropped on the way counts as failed.
                if catch_unwind(AssertUnwindSafe(|| launcher.launch(pieces))).is_err() {
                    tracing::error!(device = launcher.device.name(), "a launch failed unexpectedly");
                }
            }
        };
        let spawned = thread::Builder::new().name(format!("{}-launch-{lane}", device.name())).spawn(work);
        spawned.map_err(|error| Error::new(ErrorCode::Threads, format!("a thread for {}: {error}", device.name())))?;
    }
    Ok(())
}

/// Keys that are loaded before rows are computed under them.
const LOADS_A_LAUNCH: usize = 4;

struct Launcher {
    device: Arc<RunningDevice>,
    lane: usize,
}

/// A launch's rows of one client.
struct Group {
    key: Arc<HeldKey>,
    pieces: Vec<Piece>,
}

/// What the device is handed of a group. It may keep it for ever, so the request's permit and budget are no part of it.
struct Input {
    key: Arc<HeldKey>,
    lease: Lease,
    rows: Vec<(Arc<EncryptedBatch>, Range<usize>)>,
}

/// Answers of each group, and what they took.
type Computed = (Vec<Result<Vec<Vec<u8>>>>, Duration);

/// What a device computes at once.
struct Work {
    model: usize,
    inputs: Vec<Input>,
}

impl Launcher {
    fn launch(&self, pieces: Vec<Piece>) {
        let Some(model) = pieces.first().map(Piece::model) else { return };
        let Some(session) = self.device.session() else {
            return pieces.into_iter().for_each(|piece| piece.finish(Err(Missed::Down), Duration::ZERO));
        };
        let (mut ready, mut absent) = (Vec::new(), Vec::new());
        for group in grouped(pieces) {
            match session.keys().lease(group.key.number()) {
                Some(lease) => ready.push((group, lease)),
                None => absent.push(group),
            }
        }
        // Rows whose key is there do not wait for others' to be loaded; and no row for many keys.
        if !ready.is_empty() {
            self.evaluate(&session, model, ready);
        }
        while !absent.is_empty() {
            let few = absent.drain(..LOADS_A_LAUNCH.min(absent.len()));
            let Some(ready) = self.load(&session, model, few) else { return };
            if !ready.is_empty() {
                self.evaluate(&session, model, ready);
            }
        }
    }

    /// Loads the keys of groups; those that have none then are the processor's. None where that lost the device: all that is
    /// dropped counts as failed.
    fn load(
        &self,
        session: &Arc<Session>,
        model: usize,
        groups: impl Iterator<Item = Group>,
    ) -> Option<Vec<(Group, Lease)>> {
        let mut ready = Vec::new();
        for group in groups {
            let begun = Instant::now();
            let lease = self.lease(session, model, &group.key);
            group.charge(begun.elapsed());
            match lease {
                Ok(Some(lease)) => ready.push((group, lease)),
                Ok(None) => group.miss(Missed::Memory),
                Err(error) if session.is_loss(&error) => {
                    self.device.lose(session, &error);
                    return None;
                }
                // The processor says what is wrong.
                Err(_) => group.miss(Missed::Refused),
            }
        }
        Some(ready)
    }

    /// The key in the device's memory.
    fn lease(&self, session: &Session, model: usize, key: &HeldKey) -> Result<Option<Lease>> {
        let Some(framed) = key.wire() else { return Ok(None) };
        let wanted = WantedKey { model, number: key.number(), wire: framed.slice(KEY_HEADER.min(framed.len())..) };
        session.lease(self.lane, wanted, &|number| self.left(number))
    }

    /// A key is not on the device any more.
    fn left(&self, number: u64) {
        self.device.terms.homes.leave(number, self.device.index);
    }

    fn evaluate(&self, session: &Arc<Session>, model: usize, ready: Vec<(Group, Lease)>) {
        let (groups, leases): (Vec<Group>, Vec<Lease>) = ready.into_iter().unzip();
        let inputs = groups.iter().zip(leases).map(|(group, lease)| group.input(lease)).collect();
        let work = Work { model, inputs };
        let rows = groups.iter().map(Group::rows).sum();
        self.device.terms.metrics.launch(self.device.name(), rows);
        let predicted = self.device.predicted(model, rows);
        match session.compute(predicted, self.lane, work, Work::compute, &|number| self.left(number)) {
            Ok((answers, took)) if answers.len() == groups.len() => {
                self.device.learn(model, rows, took);
                groups.into_iter().zip(answers).for_each(|(group, answers)| group.finish(answers, took));
            }
            Ok(_) => {
                let error = Error::new(ErrorCode::DeviceFailed, "answers are missing");
                self.device.lose(session, &error);
            }
            Err(error) if session.is_loss(&error) => self.device.lose(session, &error),
            Err(error) => {
                let out_of_memory = session.is_out_of_memory(&error);
                let missed = if out_of_memory { Missed::Memory } else { Missed::Failed };
                tracing::warn!(device = self.device.name(), code = error.code.as_str(), "a launch failed: {error}");
                groups.into_iter().for_each(|group| group.miss(missed));
            }
        }
    }
}

impl Work {
    fn compute(device: &dyn OpenDevice, work: &Self) -> Result<Computed> {
        let begun = Instant::now();
        let groups = work.inputs.iter().map(|input| KeyedRows {
            key: &input.key,
            loaded: input.lease.key(),
            rows: input.rows.iter().flat_map(|(batch, range)| batch.requests(range.clone())).collect(),
        });
        let answers = device.evaluate(work.model, &groups.collect::<Vec<_>>())?;
        Ok((answers, begun.elapsed()))
    }
}

/// Rows under one key go together.
fn grouped(pieces: Vec<Piece>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for piece in pieces {
        let key = piece.batch().key();
        match groups.iter_mut().find(|group| Arc::ptr_eq(&group.key, key)) {
            Some(group) => group.pieces.push(piece),
            None => groups.push(Group { key: key.clone(), pieces: vec![piece] }),
        }
    }
    groups
}

impl Group {
    fn rows(&self) -> usize {
        self.pieces.iter().map(|piece| piece.range().len()).sum()
    }

    fn input(&self, lease: Lease) -> Input {
        let rows = self.pieces.iter().map(|piece| (piece.batch().clone(), piece.range())).collect();
        Input { key: self.key.clone(), lease, rows }
    }

    /// Counts what its key took to load as served to its client.
    fn charge(&self, took: Duration) {
        if let Some(piece) = self.pieces.first() {
            piece.charge(took);
        }
    }

    fn miss(self, missed: Missed) {
        self.pieces.into_iter().for_each(|piece| piece.finish(Err(missed), Duration::ZERO));
    }

    fn finish(self, answers: Result<Vec<Vec<u8>>>, took: Duration) {
        let Ok(answers) = answers else { return self.miss(Missed::Refused) };
        if answers.len() != self.rows() {
            return self.miss(Missed::Failed);
        }
        let mut answers = answers.into_iter();
        for piece in self.pieces {
            let own = answers.by_ref().take(piece.range().len()).collect();
            piece.finish(Ok(own), took);
        }
    }
}
