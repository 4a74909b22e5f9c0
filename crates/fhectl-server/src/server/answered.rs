//! What devices gave of a batch's answers, and why the rest is missing.

use super::budgets::Charge;
use crate::store::Reservation;
use std::time::Duration;

/// Why a device did not compute rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missed {
    /// There was no device that is up.
    Down,
    /// It failed meanwhile.
    Failed,
    /// It had no room for the key, or for the work.
    Memory,
    /// Something is wrong with rows of this client. Which of them, and what, the processor says.
    Refused,
}

impl Missed {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Failed => "failed",
            Self::Memory => "memory",
            Self::Refused => "refused",
        }
    }
}

/// What came of a request's rows so far.
#[derive(Default)]
pub(super) struct Answered {
    /// By row; none of those that are still to be computed.
    pub answers: Vec<Option<Vec<u8>>>,
    /// Kept once all rows are computed, or some for a client that went away; a refusal gives it back.
    pub charge: Option<Charge>,
    /// For the answers.
    #[expect(dead_code, reason = "dropped with the answers")]
    memory: Reservation,
    /// Why some are missing.
    pub missed: Option<Missed>,
    /// Seconds of launches that rows were part of.
    pub took: Duration,
}

impl Answered {
    /// Nothing yet: `memory` is for the answers to come.
    pub fn nothing(charge: Option<Charge>, memory: Reservation) -> Self {
        Self { charge, memory, ..Self::default() }
    }

    /// Nothing, since no device is up.
    pub fn down(charge: Option<Charge>) -> Self {
        Self { charge, missed: Some(Missed::Down), ..Self::default() }
    }

    /// The rows are computed and do not come back.
    pub fn keep_charge(&mut self) {
        if let Some(charge) = self.charge.take() {
            charge.keep();
        }
    }

    /// Rows that are answered.
    pub fn there(&self) -> usize {
        self.answers.iter().flatten().count()
    }
}
