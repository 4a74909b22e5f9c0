//! A network in integers with its circuit, and which of two is better.

use super::judge::holds;
use crate::import::agreement::Agreement;
use crate::import::network::ptq_params::PtqParams;
use crate::import::network::quantize::QuantizedNetwork;
use fhectl_core::circuit::plan::{PLANNED_CORES, Plan, PlanRequest};

/// What a megabyte of evaluation key is worth in seconds, as the planner has it.
const KEY_MEGABYTE_WORTH_SECONDS: f64 = 0.0005;
/// The share of a network's cost at which another may keep a little less.
const MUCH_LESS: f64 = 2.0 / 3.0;
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
}

/// Which of candidates is taken: the cheapest that keeps enough of the original; but one that keeps nearly enough, and not by
/// chance, where it costs at most two thirds of that, the cheapest of those. Where none does, the one that keeps most, and of
/// those that are close to it the cheapest. What came first stays in doubt.
pub(in super::super) fn chosen(candidates: &[Candidate]) -> Option<usize> {
    let enough = cheapest(candidates, Candidate::holds);
    let nearly = cheapest(candidates, |candidate| candidate.nearly);
    match (enough, nearly) {
        (Some(enough), Some(nearly)) => {
            let saves = candidates[nearly].cost <= MUCH_LESS * candidates[enough].cost;
            Some(if saves { nearly } else { enough })
        }
        (one, None) | (None, one) => one.or_else(|| closest(candidates)),
    }
}

/// The cheapest that keeps as much as is asked, else the one that keeps most.
pub(super) fn cheapest_that(candidates: &[Candidate], kept: impl Fn(&Candidate) -> bool) -> Option<usize> {
    cheapest(candidates, kept).or_else(|| closest(candidates))
}

fn cheapest(candidates: &[Candidate], kept: impl Fn(&Candidate) -> bool) -> Option<usize> {
    let all = candidates.iter().enumerate().filter(|(_, candidate)| kept(candidate));
    all.min_by(|a, b| a.1.cost.total_cmp(&b.1.cost)).map(|(index, _)| index)
}

fn closest(candidates: &[Candidate]) -> Option<usize> {
    let most = candidates.iter().map(|candidate| candidate.agreement.share()).fold(f64::NEG_INFINITY, f64::max);
    cheapest(candidates, |candidate| candidate.agreement.share() >= most - CLOSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::model::{IntegerNetwork, Quantizer};

    fn candidate(same_class: f64, nearly: bool, cost: f64) -> Candidate {
        let quantized =
            QuantizedNetwork::empty(Quantizer { features: Vec::new() }, IntegerNetwork { layers: Vec::new() });
        let agreement = Agreement::Classes { same_class, worst_class: same_class, scores: None };
        Candidate { params: PtqParams::default(), quantized, plans: Vec::new(), agreement, nearly, cost }
    }

    #[test]
    fn the_cheapest_that_keeps_enough_is_taken_unless_nearly_enough_saves_a_third() {
        let taken = |list: &[(f64, bool, f64)]| {
            chosen(&list.iter().map(|(same, nearly, cost)| candidate(*same, *nearly, *cost)).collect::<Vec<_>>())
        };
        assert_eq!(taken(&[(0.999, true, 1.0), (0.992, true, 0.8), (0.95, false, 0.1)]), Some(1));
        // Nearly enough, at 0.7 and at 0.6 of what enough costs.
        assert_eq!(taken(&[(0.995, true, 1.0), (0.983, true, 0.7)]), Some(0));
        assert_eq!(taken(&[(0.995, true, 1.0), (0.983, true, 0.6)]), Some(1));
        // By chance it is not.
        assert_eq!(taken(&[(0.995, true, 1.0), (0.983, false, 0.2)]), Some(0));
        // Where none keeps enough, what keeps most, and of those that are close the cheapest.
        assert_eq!(taken(&[(0.93, false, 1.0), (0.96, false, 3.0), (0.957, false, 2.0)]), Some(2));
        assert_eq!(taken(&[(0.93, false, 1.0), (0.985, true, 3.0)]), Some(1));
        assert_eq!(taken(&[(0.999, true, 1.0), (0.999, true, 1.0)]), Some(0));
        assert_eq!(taken(&[]), None);
    }
}
