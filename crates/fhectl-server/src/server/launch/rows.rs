//! One request's rows, from waiting for a device to answers.

use super::queue::{Job, LaunchPermit};
use crate::server::answered::{Answered, Missed};
use crate::server::batch::EncryptedBatch;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Rows of one request. Jobs in the queue and pieces in launches share them.
pub(super) struct Rows {
    pub batch: Arc<EncryptedBatch>,
    /// The model's place among the device's models.
    model: usize,
    state: Mutex<State>,
    /// A client that goes away frees nothing that is still computed.
    permit: LaunchPermit<Arc<Self>>,
}

struct State {
    answered: Answered,
    /// The first row that was not taken.
    next: usize,
    /// Rows that were taken and are not done.
    in_flight: usize,
    done: Option<oneshot::Sender<()>>,
}

impl Rows {
    /// Rows of a batch, with what tells when all is done that is going to be.
    pub fn new(
        batch: Arc<EncryptedBatch>,
        model: usize,
        given: Answered,
        permit: LaunchPermit<Arc<Self>>,
    ) -> (Arc<Self>, oneshot::Receiver<()>) {
        let (done, is_done) = oneshot::channel();
        let mut answered = given;
        answered.answers = vec![None; batch.rows];
        let state = Mutex::new(State { answered, next: 0, in_flight: 0, done: Some(done) });
        (Arc::new(Self { batch, model, state, permit }), is_done)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What came of them; once all is done.
    pub fn outcome(&self) -> Answered {
        self.lock().outcome()
    }

    /// Takes in what a launch gave for some rows.
    fn finish(&self, range: Range<usize>, outcome: Result<Vec<Vec<u8>>, Missed>, took: Duration) {
        self.lock().take_in(range, outcome, took);
    }
}

impl State {
    /// Rows that nobody has taken; none where the client has gone, or the processor has the rest.
    fn take(&mut self, most: usize) -> Option<Range<usize>> {
        if self.answered.missed.is_some() || self.done.as_ref().is_none_or(oneshot::Sender::is_closed) {
            return None;
        }
        let begin = self.next;
        self.next = begin.saturating_add(most).min(self.answered.answers.len());
        self.in_flight += self.next - begin;
        Some(begin..self.next)
    }

    fn outcome(&mut self) -> Answered {
        let mut answered = std::mem::take(&mut self.answered);
        if answered.missed.is_none() {
            answered.keep_charge();
        }
        answered
    }

    fn take_in(&mut self, range: Range<usize>, outcome: Result<Vec<Vec<u8>>, Missed>, took: Duration) {
        let Self { answered, next, in_flight, done } = self;
        *in_flight -= range.len();
        answered.took += took;
        match outcome {
            Ok(answers) if answers.len() == range.len() => {
                answered.answers[range].iter_mut().zip(answers).for_each(|(slot, answer)| *slot = Some(answer));
            }
            Ok(_) => answered.missed = Some(Missed::Failed),
            Err(missed) => answered.missed = Some(missed),
        }
        if *in_flight == 0 && (*next == answered.answers.len() || answered.missed.is_some()) {
            let _ = done.take().map(|done| done.send(()));
        }
    }
}

impl Drop for State {
    /// What was computed for a client that went away counts.
    fn drop(&mut self) {
        if self.answered.there() > 0 {
            self.answered.keep_charge();
        }
    }
}

impl Job for Arc<Rows> {
    fn model(&self) -> usize {
        self.model
    }

    fn left(&self) -> usize {
        self.batch.rows - self.lock().next
    }

    fn take(&self, most: usize) -> Option<Range<usize>> {
        self.lock().take(most)
    }
}

/// Rows of one request in a launch. Where it is dropped without an outcome, the launch failed.
pub(super) struct Piece {
    rows: Arc<Rows>,
    range: Range<usize>,
}

impl Piece {
    /// Rows that were taken.
    pub fn new(rows: Arc<Rows>, range: Range<usize>) -> Self {
        Self { rows, range }
    }

    /// The model's place among the device's models.
    pub fn model(&self) -> usize {
        self.rows.model
    }

    pub fn batch(&self) -> &Arc<EncryptedBatch> {
        &self.rows.batch
    }

    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Counts time of the device as served to the client.
    pub fn charge(&self, took: Duration) {
        self.rows.permit.charge(took);
    }

    pub fn finish(mut self, outcome: Result<Vec<Vec<u8>>, Missed>, took: Duration) {
        self.rows.finish(std::mem::take(&mut self.range), outcome, took);
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if !self.range.is_empty() {
            self.rows.finish(std::mem::take(&mut self.range), Err(Missed::Failed), Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::budgets::Budgets;
    use crate::store::{KeyNamespace, KeyStore, Owner, Reservation};
    use fhectl_core::bundle::ModelId;
    use prometheus_client::metrics::counter::Counter;

    /// Four rows of a budget of four, two of which a device answered before it failed.
    async fn half_done(budgets: &Budgets, kept: &Counter) -> State {
        let namespace = KeyNamespace { model: ModelId([3; 32]), owner: Owner::of_token("a") };
        let charge = budgets.charge(&namespace, "m", 4, kept).await.unwrap();
        let mut answered = Answered::nothing(Some(charge), Reservation::default());
        answered.answers = vec![None; 4];
        let mut state = State { answered, next: 4, in_flight: 4, done: None };
        state.take_in(0..2, Ok(vec![vec![1], vec![2]]), Duration::ZERO);
        state.take_in(2..4, Err(Missed::Failed), Duration::ZERO);
        state
    }

    /// A launcher that comes late finds no slots for its answers.
    #[test]
    fn rows_are_not_taken_once_their_outcome_is_out() {
        let (done, mut is_done) = oneshot::channel();
        let mut answered = Answered::nothing(None, Reservation::default());
        answered.answers = vec![None; 4];
        let mut state = State { answered, next: 0, in_flight: 0, done: Some(done) };
        assert_eq!(state.take(2), Some(0..2));
        state.take_in(0..2, Err(Missed::Memory), Duration::ZERO);
        is_done.try_recv().unwrap();
        assert_eq!(state.outcome().answers.len(), 4);
        assert_eq!(state.take(2), None);
    }

    /// The processor refused the rest, so that the client has nothing.
    #[tokio::test]
    async fn a_batch_that_is_refused_is_not_charged_for_rows_that_a_device_computed() {
        let budgets = Budgets::new(4, KeyStore::open("memory:").await.unwrap());
        let kept = Counter::default();
        for _ in 0..2 {
            let mut state = half_done(&budgets, &kept).await;
            let answered = state.outcome();
            assert_eq!((answered.there(), answered.missed), (2, Some(Missed::Failed)));
            drop(state);
            // Refused here; the second round finds the whole budget again.
            drop(answered);
        }
        assert_eq!(kept.get(), 0);
    }

    /// Whatever becomes of the frame that its answers are put into.
    #[tokio::test]
    async fn a_batch_that_a_device_computed_is_charged() {
        let budgets = Budgets::new(4, KeyStore::open("memory:").await.unwrap());
        let kept = Counter::default();
        let mut state = half_done(&budgets, &kept).await;
        state.answered.missed = None;
        drop(state.outcome());
        assert_eq!(kept.get(), 4);
    }

    #[tokio::test]
    async fn rows_that_were_computed_for_a_client_that_went_away_are_charged() {
        let budgets = Budgets::new(4, KeyStore::open("memory:").await.unwrap());
        let kept = Counter::default();
        drop(half_done(&budgets, &kept).await);
        assert_eq!(kept.get(), 4);
    }
}
