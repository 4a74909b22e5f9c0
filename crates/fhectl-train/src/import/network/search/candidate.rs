//! A network in integers with its circuit, and which of two is better.

use super::judge::{holds, worth};
use super::searched::{Fixed, Searched};
use crate::import::agreement::Agreement;
use crate::import::network::ptq_params::PtqParams;
use crate::import::network::quantize::QuantizedNetwork;
use fhectl_core::circuit::plan::{PLANNED_CORES, Plan, PlanRequest, plan};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Model;

/// What a megabyte of evaluation key is worth in seconds, as the planner has it.
const KEY_MEGABYTE_WORTH_SECONDS: f64 = 0.0005;
/// The share of a network's cost at which another may keep a little less.
const MUCH_LESS: f64 = 2.0 / 3.0;
/// What costs no more than so many times as much costs about as much.
pub(in super::super) const ABOUT_AS_MUCH: f64 = 1.2;
/// Steps down in noise that are tried where less costs nothing, each to so many parts of the noise.
const STEPS: usize = 5;
const STEP: f64 = 0.85;
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
    /// With the cheapest keys, simulated with their noise.
    ///
    /// # Errors
    /// Those of the plan; `internal` without one.
    pub(in super::super) fn planned(
        params: PtqParams,
        quantized: QuantizedNetwork,
        searched: &Searched<'_>,
    ) -> Result<Self> {
        let model = Model::Network(quantized.network.clone());
        let plans = plan(&model, &quantized.quantizer, searched.output, searched.request)?;
        let chosen = plans.first().ok_or_else(|| Error::new(ErrorCode::Internal, "no plan"))?;
        let agreement = searched.judge.simulated(&quantized, &chosen.spec)?;
        let cost = cost(chosen, searched.request);
        let nearly = searched.judge.nearly(&agreement);
        Ok(Self { params, quantized, plans, agreement, nearly, cost })
    }

    /// With less noise, as far as that keeps more and costs no more, or no more than what is cheap enough: keys come in
    /// steps, and what is left of one is free.
    pub(super) fn truer(self, searched: &Searched<'_>, fixed: &Fixed) -> Self {
        let most = self.cost.max(searched.cheap);
        let mut best = self;
        for (of_sums, of_scores) in [(STEP, STEP), (1.0, STEP), (STEP, 1.0)] {
            if of_sums < 1.0 && fixed.noise.is_some() || of_scores < 1.0 && fixed.score_noise.is_some() {
                continue;
            }
            let mut params = best.params;
            for _ in 0..STEPS {
                params.noise = less(params.noise, of_sums);
                params.score_noise = less(params.score_noise, of_scores);
                let quantized = best.quantized.with_noise(params.noise, params.score_noise);
                let Ok(other) = Self::planned(params, quantized, searched) else { break };
                if other.cost > most {
                    break;
                }
                if !other.falls_short_of(&best) && worth(&other.agreement) > worth(&best.agreement) {
                    best = other;
                }
            }
        }
        best
    }

    /// Whether another keeps enough, or nearly enough, and this one does not.
    pub(in super::super) fn falls_short_of(&self, other: &Self) -> bool {
        other.holds() && !self.holds() || other.nearly && !self.nearly
    }

    /// Whether it keeps enough of the original.
    pub fn holds(&self) -> bool {
        holds(&self.agreement)
    }

    /// Predicted seconds of computing an inference.
    pub fn seconds(&self) -> f64 {
        self.plans.first().map_or(f64::INFINITY, |plan| plan.seconds(PLANNED_CORES))
    }
}

/// Noise times a share, in few digits.
pub(super) fn less(noise: f64, share: f64) -> f64 {
    if share < 1.0 { ((noise * share * 1e5).round() / 1e5).max(1e-5) } else { noise }
}

/// Which of candidates is taken: the cheapest that keeps enough of the original; but one that keeps nearly enough, and not by
/// chance, where it costs at most two thirds of that, the cheapest of those. Where none does, the one that keeps most, and of
/// those that are close to it the cheapest. What came first stays in doubt. Of others that cost no more than `cheap`, or about
/// as much as the one that is taken, the truest.
pub(in super::super) fn chosen(candidates: &[Candidate], cheap: f64) -> Option<usize> {
    let enough = cheapest(candidates, Candidate::holds);
    let nearly = cheapest(candidates, |candidate| candidate.nearly);
    let taken = match (enough, nearly) {
        (Some(enough), Some(nearly)) => {
            let saves = candidates[nearly].cost <= MUCH_LESS * candidates[enough].cost;
            if saves { nearly } else { enough }
        }
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return closest(candidates),
    };
    let cheap = cheap.max(ABOUT_AS_MUCH * candidates[taken].cost);
    Some(truest(candidates, taken, cheap, |candidate| candidate.holds() || candidate.nearly))
}

/// The cheapest that keeps as much as is asked, or of those that cost no more than `cheap` the one that keeps most; without
/// any, the one that keeps most of all.
pub(super) fn cheapest_that(candidates: &[Candidate], cheap: f64, kept: impl Fn(&Candidate) -> bool) -> Option<usize> {
    let Some(cheapest) = cheapest(candidates, &kept) else { return closest(candidates) };
    Some(truest(candidates, cheapest, cheap, kept))
}

/// Of those that cost no more than `cheap` or than `taken`, and keep as much as is asked, the one that keeps most; `taken` in
/// doubt.
fn truest(candidates: &[Candidate], taken: usize, cheap: f64, kept: impl Fn(&Candidate) -> bool) -> usize {
    let most = candidates[taken].cost.max(cheap);
    let alike = (0..candidates.len()).filter(|index| kept(&candidates[*index]) && candidates[*index].cost <= most);
    let worth = |index: usize| worth(&candidates[index].agreement);
    alike.fold(taken, |best, other| if worth(other) > worth(best) { other } else { best })
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
            chosen(&list.iter().map(|(same, nearly, cost)| candidate(*same, *nearly, *cost)).collect::<Vec<_>>(), 0.4)
        };
        assert_eq!(taken(&[(0.999, true, 1.0), (0.992, true, 0.8), (0.95, false, 0.1)]), Some(1));
        // About as dear, and truer.
        assert_eq!(taken(&[(0.999, true, 1.1), (0.992, true, 1.0)]), Some(0));
        // Nearly enough, at 0.7 and at 0.6 of what enough costs.
        assert_eq!(taken(&[(0.995, true, 1.0), (0.983, true, 0.7)]), Some(0));
        assert_eq!(taken(&[(0.995, true, 1.0), (0.983, true, 0.6)]), Some(1));
        // By chance it is not.
        assert_eq!(taken(&[(0.995, true, 1.0), (0.983, false, 0.2)]), Some(0));
        // Where none keeps enough, what keeps most, and of those that are close the cheapest.
        assert_eq!(taken(&[(0.93, false, 1.0), (0.96, false, 3.0), (0.957, false, 2.0)]), Some(2));
        assert_eq!(taken(&[(0.93, false, 1.0), (0.985, true, 3.0)]), Some(1));
        assert_eq!(taken(&[(0.999, true, 1.0), (0.999, true, 1.0)]), Some(0));
        // Cheap enough is not to be cheaper still.
        assert_eq!(taken(&[(0.985, true, 0.3), (0.992, true, 0.4), (0.999, true, 0.5)]), Some(1));
        assert_eq!(taken(&[]), None);
    }

    #[test]
    fn of_those_that_are_cheap_enough_the_truest_is_taken() {
        let list: Vec<Candidate> = [(0.991, 1.0), (0.995, 1.1), (0.999, 1.3), (0.97, 0.5)]
            .map(|(same, cost)| candidate(same, true, cost))
            .to_vec();
        let taken = |cheap| cheapest_that(&list, cheap, Candidate::holds);
        // Where all are dear, the cheapest that keeps enough.
        assert_eq!(taken(0.2), Some(0));
        assert_eq!(taken(1.2), Some(1));
        assert_eq!(taken(2.0), Some(2));
        // Where none keeps as much as is asked, the cheapest of those that keep about as much as any.
        assert_eq!(cheapest_that(&list, 2.0, |_| false), Some(1));
        assert_eq!(cheapest_that(&[], 2.0, |_| true), None);
    }
}
