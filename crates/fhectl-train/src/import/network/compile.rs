//! From a network in floats and rows to integers with a circuit: search first, then fine-tuning where that pays.

use super::layer::Scales;
use super::levels::{Levels, levels};
use super::lower::Lowered;
use super::offer::Offer;
use super::ptq_params::PtqParams;
use super::quantize::{QuantizedNetwork, check_inputs, quantize_levels};
use super::search::{ABOUT_AS_MUCH, Asked, Candidate, Fixed, Judge, Searched, chosen, cost, search};
use super::tune::{Tuned, and_more, tune};
use crate::data::Dataset;
use crate::import::agreement::Agreement;
use fhectl_core::bundle::ScoreDecoder;
use fhectl_core::circuit::plan::{PLANNED_CORES, Plan, PlanRequest, plan};
use fhectl_core::error::Result;
use fhectl_core::model::Model;
use std::ops::ControlFlow;
use std::rc::Rc;

/// One row in so many is kept back to judge by.
const KEPT_BACK: usize = 4;
/// So many rows that were kept back must show that a network that pools elsewhere answers as the original.
const SHOWING: usize = 200;
/// With fewer rows, all are judged by.
const FEW_ROWS: usize = 24;
/// So many rows at most are judged by, with as many that are like them; with fewer, more of those.
const MOST_JUDGED: usize = 500;
const LEAST_JUDGED: usize = 300;
/// Products of a search, in all: what bounds its time.
const PRODUCTS: usize = 1 << 28;
/// What the cheapest network of a shape has: bits of weights, noise of sums and of scores.
const CHEAPEST: (u32, f64, f64) = (3, 0.012, 0.006);
/// What students learn to bear one after another, each from where the one before stands: bits of weights, more of scores,
/// noise of sums and of scores. At each, smaller keys become possible.
const STAGES: [(u32, u32, f64, f64); 5] =
    [(5, 1, 0.004, 0.003), (4, 1, 0.006, 0.005), (4, 0, 0.009, 0.007), (3, 1, 0.013, 0.01), (3, 1, 0.02, 0.015)];

/// What is asked for.
pub struct CompileRequest<'a> {
    pub lowered: &'a Lowered,
    /// Rows as the network takes them; labels are not used.
    pub rows: &'a Dataset,
    /// What the original's scores stand for.
    pub decoder: &'a ScoreDecoder,
    /// What is not open to the search.
    pub fixed: Fixed,
    pub plan: &'a PlanRequest,
    /// Seconds that fine-tuning may take, about; `None` for none of it.
    pub tuning_seconds: Option<f64>,
    pub seed: u64,
}

/// A network in integers, its circuit, and what was tried.
#[derive(Debug, Clone)]
pub struct Compiled {
    pub quantized: QuantizedNetwork,
    pub params: PtqParams,
    /// The circuits that fit, the chosen one first.
    pub plans: Vec<Plan>,
    /// With the original, on rows at hand, with the noise of encryption.
    pub agreement: Agreement,
    /// Whether that is as much as is wanted.
    pub holds: bool,
    /// What quantization after training alone gave, where fine-tuning was tried.
    pub after_training: Option<Offer>,
    /// Whether fine-tuned weights were taken.
    pub tuned: bool,
    /// Where there is pooling after an activation: what average pooling before it takes.
    pub averaged: Option<Offer>,
    /// Whether average pooling was taken.
    pub averages: bool,
}

impl Compiled {
    /// Predicted seconds of computing an inference.
    pub fn seconds(&self) -> f64 {
        self.plans.first().map_or(f64::INFINITY, |plan| plan.seconds(PLANNED_CORES))
    }
}

/// What a student has become.
struct Learned {
    levels: Levels,
    scales: Scales,
    params: PtqParams,
}

/// What a compilation works with.
struct Work<'a> {
    request: &'a CompileRequest<'a>,
    /// Rows that ranges are measured on and students are taught with.
    fitted: &'a Dataset,
    /// By all rows, and by those that were kept back from students, each with others like them.
    judges: [&'a Judge<'a>; 2],
    /// About what the cheapest network of the shape costs: below, nothing is to be saved.
    cheap: f64,
}

/// Finds the cheapest integers that keep what the original says; see `search`. Where they cost more than such a network
/// need, or keep too little, weights are fine-tuned, with average pooling before activations as well, and the better is taken, by the
/// rule of `chosen`.
///
/// The same request gives the same network, unless `tell` breaks fine-tuning off.
///
/// # Errors
/// Those of [`super::quantize`] and of the plan.
pub fn compile(request: &CompileRequest<'_>, tell: &mut dyn FnMut(String) -> ControlFlow<()>) -> Result<Compiled> {
    let lowered = request.lowered;
    check_inputs(lowered, request.rows)?;
    let exact = levels(&lowered.graph)?;
    let most = (PRODUCTS / terms(&exact)).clamp(48, 4000);
    let averaged = lowered.averaged.as_ref().and_then(|graph| levels(graph).ok());
    let smallest = averaged.as_ref().map_or(usize::MAX, terms).min(terms(&exact));
    let (fitted, kept_back) = parts(request.rows, (PRODUCTS / smallest).clamp(48, 4000));
    let judge = |rows| Judge::new(&lowered.graph, rows, most, request.decoder);
    // The original knows the rows that it was trained on, mostly these, better than others: rows like them stand for those.
    let like_them = |rows: &Dataset| {
        let some = rows.len().min(most).min(MOST_JUDGED);
        let rows: Vec<Vec<f64>> = (0..some).map(|at| rows.rows[at * rows.len() / some].clone()).collect();
        and_more(&rows, lowered.picture, most.min((2 * some).max(LEAST_JUDGED)), request.seed)
    };
    let rows = [like_them(request.rows), like_them(&kept_back)];
    let judges = rows.each_ref().map(|rows| judge(rows.iter().collect()));
    let mut work = Work { request, fitted: &fitted, judges: judges.each_ref(), cheap: 0.0 };
    let least = work.least(averaged.as_ref().unwrap_or(&exact), &request.fixed.params());
    work.cheap = least.map_or(0.0, |plan| ABOUT_AS_MUCH * cost(&plan, request.plan));

    let first = search(&work.searched(&exact, 0), &request.fixed, Asked::Enough, &mut |words| _ = tell(words))?;
    let mut offer = averaged.as_ref().and_then(|levels| work.least(levels, &first.params)).map(Offer::price);
    let seconds = request.tuning_seconds.filter(|_| !work.is_cheap(&first));
    let mut candidates = vec![first.clone()];
    // What became of whose weights, in the order of the candidates behind the first.
    let mut taught: Vec<(Rc<Learned>, bool)> = Vec::new();
    if let Some(seconds) = seconds {
        let shapes = averaged.iter().map(|levels| (levels, true)).chain([(&exact, false)]);
        let share = seconds / if averaged.is_some() { 2.0 } else { 1.0 };
        for (levels, averages) in shapes {
            let stages = stages(&request.fixed, &first.params, averages);
            let found = work.taught(levels, &stages, share, tell)?;
            if averages {
                let all: Vec<Candidate> = found.iter().map(|(candidate, _)| candidate.clone()).collect();
                offer = chosen(&all, work.cheap).map(|best| Offer::of(&all[best])).or(offer);
            }
            for (candidate, learned) in found {
                // Another network than the original: a few rows cannot show that it answers alike.
                if !averages || kept_back.len() >= SHOWING && candidate.nearly {
                    candidates.push(candidate);
                    taught.push((learned, averages));
                }
            }
        }
    }
    let best = chosen(&candidates, work.cheap).unwrap_or_default();
    let taken = best.checked_sub(1).map(|index| taught.swap_remove(index));
    let best = candidates.swap_remove(best);
    let (tuned, averages) = (taken.is_some(), taken.as_ref().is_some_and(|(_, averages)| *averages));
    let of_all = match &taken {
        Some((learned, _)) => work.searched(&learned.levels, 1).with(&learned.scales, learned.params),
        None => work.searched(&exact, 0),
    };
    let of_all = Searched { rows: request.rows, ..of_all };
    let best = on_all_rows(best, &of_all)?;
    Ok(Compiled {
        holds: best.holds() || taken.is_some() && best.nearly,
        agreement: best.agreement,
        params: best.params,
        plans: best.plans,
        quantized: best.quantized,
        after_training: seconds.map(|_| Offer::of(&first)),
        tuned,
        averaged: offer,
        averages,
    })
}

fn terms(levels: &Levels) -> usize {
    let rows = levels.layers.iter().flat_map(|layer| &layer.rows).chain(&levels.outputs);
    rows.map(|row| row.terms.len() + 1).sum::<usize>().max(1)
}

impl Work<'_> {
    fn searched<'b>(&'b self, levels: &'b Levels, judge: usize) -> Searched<'b> {
        Searched {
            levels,
            scales: None,
            learned: None,
            image: self.request.lowered.image,
            rows: self.fitted,
            output: self.request.rows.output(),
            judge: self.judges[judge],
            request: self.request.plan,
            cheap: self.cheap,
        }
    }

    /// What fine-tuning finds for a network, and its weights.
    fn taught(
        &self,
        levels: &Levels,
        stages: &[PtqParams],
        seconds: f64,
        tell: &mut dyn FnMut(String) -> ControlFlow<()>,
    ) -> Result<Vec<(Candidate, Rc<Learned>)>> {
        let Self { request, fitted, judges, .. } = *self;
        let lowered = request.lowered;
        let tuned = Tuned {
            graph: &lowered.graph,
            image: lowered.image,
            picture: lowered.picture,
            rows: fitted,
            judge: judges[1],
            seed: request.seed,
        };
        let mut all: Vec<(Candidate, Rc<Learned>)> = Vec::new();
        let mut start = levels.clone();
        for (stage, params) in stages.iter().enumerate() {
            let share = seconds / stages.len() as f64;
            let Some(taught) = tune(&tuned, &start, params, share, tell)? else { break };
            let learned = Rc::new(Learned { levels: taught.levels, scales: taught.scales, params: *params });
            let searched = self.searched(&learned.levels, 1).with(&learned.scales, *params);
            let before = all.len();
            for asked in [Asked::Enough, Asked::Nearly] {
                if let Ok(found) = search(&searched, &request.fixed, asked, &mut |words| _ = tell(words)) {
                    all.push((found, learned.clone()));
                }
            }
            // What is more than one bears is not learned from there either.
            if stage > 0 && !all[before..].iter().any(|(found, _)| found.holds() || found.nearly) {
                break;
            }
            start = taught.floats;
        }
        Ok(all)
    }

    /// About the cheapest plan of a network of this shape, were it trained for encryption.
    fn least(&self, levels: &Levels, like: &PtqParams) -> Option<Plan> {
        let request = self.request;
        let (weight_bits, noise, score_noise) = CHEAPEST;
        let params = PtqParams { weight_bits, noise, score_noise, ..*like };
        params.check().ok()?;
        let network = quantize_levels(levels, request.lowered.image, self.fitted, &params, None).ok()?.network;
        let model = Model::Network(network.network);
        plan(&model, &network.quantizer, request.rows.output(), request.plan).ok()?.into_iter().next()
    }

    /// Whether a candidate keeps enough and costs little more than the cheapest network of its shape.
    fn is_cheap(&self, candidate: &Candidate) -> bool {
        let exact = candidate.plans.first().is_some_and(|plan| plan.guarantees.p_fail_log2.is_some());
        candidate.holds() && (exact || candidate.cost <= self.cheap)
    }
}

/// The rows that ranges are measured on, and those to judge by.
fn parts(rows: &Dataset, most: usize) -> (Dataset, Dataset) {
    if rows.len() < FEW_ROWS {
        return (rows.clone(), rows.clone());
    }
    let count = rows.len().min(most.max(FEW_ROWS));
    let at = |index: usize| index * rows.len() / count;
    let kept_back = |index: &usize| index % KEPT_BACK == KEPT_BACK - 1;
    let select = |kept: bool| rows.select(&(0..count).filter(|i| kept_back(i) == kept).map(at).collect::<Vec<_>>());
    (select(false), select(true))
}

/// What students learn to bear, where the original bears `like`: what a person asked for stays, and so does what it bears
/// already. `averages` says that it is another network than the original, which bears nothing for it.
fn stages(fixed: &Fixed, like: &PtqParams, averages: bool) -> Vec<PtqParams> {
    let more = STAGES.iter().filter(|stage| averages || stage.2 > like.noise);
    let with = |(weight_bits, score_bits, noise, score_noise): &(u32, u32, f64, f64)| PtqParams {
        weight_bits: fixed.weight_bits.unwrap_or(*weight_bits),
        score_bits: *score_bits,
        noise: fixed.noise.unwrap_or(*noise),
        score_noise: fixed.score_noise.unwrap_or(*score_noise),
        percentile: fixed.percentile.unwrap_or(PtqParams::default().percentile),
        ..*like
    };
    let mut stages: Vec<PtqParams> = more.map(with).collect();
    stages.dedup();
    stages
}

/// The candidate with ranges of all rows, where that loses nothing.
fn on_all_rows(candidate: Candidate, searched: &Searched<'_>) -> Result<Candidate> {
    let quantization =
        quantize_levels(searched.levels, searched.image, searched.rows, &candidate.params, searched.scales);
    let Ok(quantization) = quantization else { return Ok(candidate) };
    let quantized = quantization.network;
    let Ok(other) = Candidate::planned(candidate.params, quantized, searched) else { return Ok(candidate) };
    let worse = other.falls_short_of(&candidate) || other.agreement.share() < candidate.agreement.share() - 0.005;
    Ok(if worse || other.cost > ABOUT_AS_MUCH * candidate.cost { candidate } else { other })
}
