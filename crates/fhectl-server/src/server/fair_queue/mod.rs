//! Who computes next, and who has to come back later: a fair queue over clients, in seconds of computing.
//!
//! Every client is a flow; the flow that was served least goes first (start-time fair queueing: Goyal, Vin, Cheng 1996),
//! so a client with a thousand requests delays another's one request by a quantum of work, not by a thousand. Plain
//! data behind one lock; `compute` runs what comes out.

use crate::store::{Owner, UploadId};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// Seconds of work after which a client's turn is over: a batch is computed in quanta of about this length.
pub(super) const QUANTUM: f64 = 0.25;
/// Flows of clients that wait for nothing, kept so that nobody gains by leaving and coming back.
const MAX_IDLE_FLOWS: usize = 4096;

/// Whose work it is: a token's where a server has tokens, else a key's, else (a model without keys) an address's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum FlowId {
    Token(Owner),
    Key(UploadId),
    Peer(IpAddr),
}

impl FlowId {
    /// The flow of work on one key.
    pub fn of_key(owner: &Owner, key: impl Into<UploadId>) -> Self {
        if *owner == Owner::anyone() { Self::Key(key.into()) } else { Self::Token(owner.clone()) }
    }
}

/// What may be taken in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub threads: usize,
    /// Requests accepted and not yet answered, those computing included.
    pub permits: usize,
    /// The longest predicted wait, in seconds, that a request is accepted with.
    pub max_wait: f64,
}

/// Why a request is not accepted, with the seconds that it would have waited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Refused {
    Full(f64),
    /// It could not be done by its deadline.
    Late(f64),
}

/// Accepted requests of all clients, each flow's in order. `J` is what runs.
///
/// A request is [admitted](FairQueue::admit) and [released](FairQueue::release); in between its jobs are enqueued and
/// dequeued, and what they took is [charged](FairQueue::charge).
pub(super) struct FairQueue<J> {
    limits: Limits,
    flows: HashMap<FlowId, Flow<J>>,
    /// The service of the flow that was served last: where a new flow begins.
    virtual_time: f64,
    accepted: usize,
    waiting: usize,
    next: u64,
}

struct Flow<J> {
    jobs: VecDeque<(u64, J)>,
    /// Seconds of computing, counted from the queue's virtual time at its first request.
    served: f64,
    accepted: usize,
    /// Predicted seconds of what was accepted and not yet answered.
    backlog: f64,
}

impl<J> FairQueue<J> {
    pub fn new(limits: Limits) -> Self {
        Self { limits, flows: HashMap::new(), virtual_time: 0.0, accepted: 0, waiting: 0, next: 0 }
    }

    /// Jobs that wait for a thread.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Predicted seconds until all that was accepted is done.
    pub fn backlog(&self) -> f64 {
        self.flows.values().map(|flow| flow.backlog).sum::<f64>() / self.limits.threads as f64
    }

    /// Predicted seconds that a new request of this client waits: for its own earlier ones, and for as much of every
    /// other client's.
    fn wait(&self, id: &FlowId) -> f64 {
        let own = self.flows.get(id).map_or(0.0, |flow| flow.backlog);
        let others = self.flows.iter().filter(|(other, _)| *other != id);
        let before: f64 = others.map(|(_, flow)| flow.backlog.min(own + QUANTUM)).sum();
        (own + before) / self.limits.threads as f64
    }

    /// Accepts a request of predicted `seconds`, which counts until [`FairQueue::release`]. `left` are the seconds until
    /// its deadline.
    ///
    /// One client may have as many permits as are free: alone, half of all; and there is always one for a newcomer.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&mut self, id: &FlowId, seconds: f64, left: Option<f64>) -> Result<(), Refused> {
        let idle = self.accepted < self.limits.threads;
        let wait = if idle { 0.0 } else { self.wait(id) };
        let free = self.limits.permits.saturating_sub(self.accepted);
        let own = self.flows.get(id).map_or(0, |flow| flow.accepted);
        if !idle && (free == 0 || own > free || wait > self.limits.max_wait) {
            return Err(Refused::Full(wait));
        }
        if left.is_some_and(|left| wait + seconds > left) {
            return Err(Refused::Late(wait));
        }
        self.forget();
        let virtual_time = self.virtual_time;
        let new = || Flow { jobs: VecDeque::new(), served: virtual_time, accepted: 0, backlog: 0.0 };
        let flow = self.flows.entry(id.clone()).or_insert_with(new);
        // A flow that was away saves up no right to be served first.
        if flow.accepted == 0 {
            flow.served = flow.served.max(virtual_time);
        }
        flow.accepted += 1;
        flow.backlog += seconds;
        self.accepted += 1;
        Ok(())
    }

    /// The counterpart of [`FairQueue::admit`].
    pub fn release(&mut self, id: &FlowId, seconds: f64) {
        let Some(flow) = self.flows.get_mut(id) else { return };
        flow.accepted -= 1;
        // Sums of floats do not come back to zero by themselves.
        flow.backlog = if flow.accepted == 0 { 0.0 } else { (flow.backlog - seconds).max(0.0) };
        self.accepted -= 1;
    }

    /// Puts a job of an accepted request at the end of its flow; returns its number.
    pub fn enqueue(&mut self, id: &FlowId, job: J) -> u64 {
        let number = self.next;
        self.next += 1;
        if let Some(flow) = self.flows.get_mut(id) {
            flow.jobs.push_back((number, job));
            self.waiting += 1;
        }
        number
    }

    /// Puts a job back to the front of its flow after a quantum of its work.
    pub fn requeue_front(&mut self, id: &FlowId, number: u64, job: J) {
        if let Some(flow) = self.flows.get_mut(id) {
            flow.jobs.push_front((number, job));
            self.waiting += 1;
        }
    }

    /// The flow that was served least of those whose first job is `wanted`.
    fn next_flow(&self, wanted: impl Fn(&J) -> bool) -> Option<&FlowId> {
        let first = |flow: &Flow<J>| {
            let front = flow.jobs.front().filter(|(_, job)| wanted(job));
            front.map(|(number, _)| (flow.served, *number))
        };
        let flows = self.flows.iter().filter_map(|(id, flow)| Some((first(flow)?, id)));
        Some(flows.min_by(|((a, i), _), ((b, j), _)| a.total_cmp(b).then(i.cmp(j)))?.1)
    }

    /// The job that is next, which stays.
    pub fn peek(&self) -> Option<&J> {
        let flow = self.flows.get(self.next_flow(|_| true)?)?;
        flow.jobs.front().map(|(_, job)| job)
    }

    /// The job that is next.
    pub fn dequeue(&mut self) -> Option<(FlowId, u64, J)> {
        self.dequeue_of(|_| true)
    }

    /// The job that is next among the first ones of all flows that are `wanted`.
    pub fn dequeue_of(&mut self, wanted: impl Fn(&J) -> bool) -> Option<(FlowId, u64, J)> {
        let id = self.next_flow(wanted)?.clone();
        let flow = self.flows.get_mut(&id)?;
        let (number, job) = flow.jobs.pop_front()?;
        self.waiting -= 1;
        self.virtual_time = self.virtual_time.max(flow.served);
        Some((id, number, job))
    }

    /// Counts computing as service of a client.
    pub fn charge(&mut self, id: &FlowId, seconds: f64) {
        if let Some(flow) = self.flows.get_mut(id) {
            flow.served += seconds;
        }
    }

    /// Takes a job out that need not run any more.
    pub fn remove(&mut self, id: &FlowId, number: u64) -> Option<J> {
        let flow = self.flows.get_mut(id)?;
        let at = flow.jobs.iter().position(|(own, _)| *own == number)?;
        self.waiting -= 1;
        flow.jobs.remove(at).map(|(_, job)| job)
    }

    /// Drops flows that wait for nothing: all where nobody computes, those that were served least where they are many.
    fn forget(&mut self) {
        if self.accepted == 0 {
            self.flows.clear();
            self.virtual_time = 0.0;
        } else if self.flows.len() > self.accepted + MAX_IDLE_FLOWS {
            self.flows.retain(|_, flow| flow.accepted > 0);
        }
    }
}

#[cfg(test)]
mod tests;
