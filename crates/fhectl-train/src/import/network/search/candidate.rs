//! A network in integers with its circuit, and which of two is better.

use super::judge::holds;
use crate::import::agreement::Agreement;
use crate::import::network::ptq_params::PtqParams;
use crate::import::network::quantize::QuantizedNetwork;
use fhectl_core::circuit::plan::{PLANNED_CORES, Plan, PlanRequest};

/// What a megabyte of evaluation key is worth in seconds, as the planner has it.
const KEY_MEGABYTE_WORTH_SECONDS: f64 = 0.0005;
/// The share of a network's cost at which another may keep a little less.
const HALF: f64 = 0.5;
/// Shares of rows that are told apart where neither of two keeps enough.
pub(super) const CLOSE: f64 = 0.005;

/// A network in integers that has a circuit.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub params: PtqParams,
    pub quantized: QuantizedNetwork,
    /// The circuits that fit, the chosen one first.
    pub plans: Vec<Plan>,
    /// With the original, on rows that were kept back, with the noise of the circuit's keys.
    pub agreement: Agreement,
    /// Whether it keeps nearly enough of the original.
    pub(in super::super) nearly: bool,
    /// What it costs, in seconds.
    pub(in super::super) cost: f64,
}

/// What a plan costs: seconds of an inference, and what its key is worth.
pub fn cost(plan: &Plan, request: &PlanRequest) -> f64 {
    let key = plan.spec.key_bytes() as f64 / 1e6;
    plan.total_seconds(request.bandwidth, PLANNED_CORES) + KEY_MEGABYTE_WORTH_SECONDS * key
}

impl Candidate {
    /// Whether it keeps enough of the original.
    pub fn holds(&self) -> bool {
        holds(&self.agreement)
    }

    /// Predicted seconds of computing an inference.
    pub fn seconds(&self) -> f64 {
        self.plans.first().map_or(f64::INFINITY, |plan| plan.seconds(PLANNED_CORES))
    }

    /// The rule by which one of two is taken: the cheaper where both keep enough of the original, the one that does where
    /// only one does, unless the other keeps nearly enough at half the cost; else the one that keeps more, and where that is
    /// close, again the cheaper. What was there first stays in doubt.
    #[must_use]
    pub fn or_better(self, other: Self) -> Self {
        let better = match (self.holds(), other.holds()) {
            (true, true) => other.cost < self.cost,
            (false, true) => !(self.nearly && self.cost <= HALF * other.cost),
            (true, false) => other.nearly && other.cost <= HALF * self.cost,
            (false, false) => {
                let gain = other.agreement.share() - self.agreement.share();
                gain > CLOSE || gain >= -CLOSE && other.cost < self.cost
            }
        };
        if better { other } else { self }
    }
}
