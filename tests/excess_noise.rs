//! Valid requests with extra noise: what they reveal about a tree, and how noise flooding limits it.
//!
//! A client adds an error to the encrypted bits of one feature, too small to change their values. Each leaf that tests the
//! feature adds the error, times its random factor, to its answer. Where flooding noise is narrower than a step, the phase
//! of the answer lies where no honest answer does, and the client learns which features the tree tests.

mod common;

use common::opened::Opened;
use fhectl_core::circuit::boxes::Boxes;
use fhectl_core::circuit::path_cost::PathCostParams;
use fhectl_core::circuit::path_cost_sum::PathCostSumParams;
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::circuit::{CircuitKind, CircuitSpec, ClientKey, Evaluator, thermometer};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::{Lwe, PartialGlwe, Random, SeededLayout};
use fhectl_core::model::{Model, Output, Quantizer, ValueTree};
use std::collections::BTreeSet;
use std::ops::Range;

const TURN: f64 = 18_446_744_073_709_551_616.0; // 2^64

/// A client that adds noise to its requests, and the server's model.
struct Attack {
    spec: CircuitSpec,
    model: Model,
    quantizer: Quantizer,
}

/// What was seen of one feature: answers beyond where honest ones lie, of so many.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    beyond: usize,
    messages: usize,
}

/// Half of the part of a step that flooding and the noise beside it do not fill, in turns.
fn free(step: f64, flooding: u64) -> f64 {
    step / 2.0 - flooding as f64 / TURN
}

fn path_cost(spec: &CircuitSpec) -> &PathCostParams {
    let CircuitSpec::PathCost(params) = spec else { panic!("{spec:?}") };
    params
}

fn path_cost_sum(spec: &CircuitSpec) -> &PathCostSumParams {
    let CircuitSpec::PathCostSum(params) = spec else { panic!("{spec:?}") };
    params
}

impl Attack {
    fn layout(&self) -> SeededLayout {
        self.spec.input_layout()
    }

    /// The bits of a feature in a row's thermometer.
    fn bits(&self, feature: usize) -> Range<usize> {
        let levels = |features: &[fhectl_core::model::FeatureQuantizer]| -> usize {
            features.iter().map(|feature| feature.levels() as usize - 1).sum()
        };
        let first = levels(&self.quantizer.features[..feature]);
        first..first + self.quantizer.features[feature].levels() as usize - 1
    }

    /// The plaintext of a row in which every bit of `feature` is off by `error`.
    fn messages(&self, row: &[u32], feature: usize, error: u64) -> Vec<u64> {
        let noisy = |step: u64| {
            let mut bits = thermometer::encode(&self.quantizer, row, step).to_vec();
            bits[self.bits(feature)].iter_mut().for_each(|bit| *bit = bit.wrapping_add(error));
            bits
        };
        let step = |modulus: u64| ((1u128 << 64) / u128::from(modulus)) as u64;
        match &self.spec {
            CircuitSpec::PathCost(params) => noisy(step(params.modulus)),
            CircuitSpec::PathCostSum(params) => {
                let mut messages = vec![0; params.input.bodies];
                let copies = params.plaintext_moduli.iter().flat_map(|copy| noisy(step(copy.iter().product())));
                messages.iter_mut().step_by(params.stride).zip(copies).for_each(|(message, bit)| *message = bit);
                messages
            }
            other => panic!("{other:?}"),
        }
    }

    /// How far every message of an answer is from the middle of its step, in turns, and the step.
    fn offsets(&self, opened: &Opened, answer: &[u8]) -> Vec<(f64, f64)> {
        let offset = |phase: u64, modulus: u64| {
            let place = phase as f64 / TURN * modulus as f64;
            ((place - place.round()) / modulus as f64, 1.0 / modulus as f64)
        };
        match &self.spec {
            CircuitSpec::PathCost(params) => {
                let dimension = params.input.shape.lwe_dimension();
                let each = Lwe::wire_len(dimension, params.response_bits);
                let lwes = answer.chunks(each).map(|bytes| Lwe::read(bytes, dimension, params.response_bits).unwrap());
                lwes.map(|lwe| offset(opened.phase(&lwe), params.modulus)).collect()
            }
            CircuitSpec::PathCostSum(params) => {
                let each = PartialGlwe::wire_len(params.input.shape, params.stride, params.response_bits);
                let moduli = params.plaintext_moduli.concat();
                let columns = answer.chunks(each).zip(moduli.iter().cycle());
                let read = |bytes: &[u8]| {
                    PartialGlwe::read(bytes, params.input.shape, params.stride, params.response_bits).unwrap()
                };
                columns
                    .flat_map(|(bytes, modulus)| opened.phases(&read(bytes)).into_iter().map(|p| offset(p, *modulus)))
                    .collect()
            }
            other => panic!("{other:?}"),
        }
    }

    /// Asks `times` with extra noise on each feature in turn.
    fn run(&self, flooding: u64, error: u64, times: usize) -> Vec<Seen> {
        let evaluator = Evaluator::new(&self.spec, &self.model, &self.quantizer).unwrap();
        let key = ClientKey::generate(&self.spec, &mut OsEntropy);
        let opened = Opened::answer(&self.spec, &key);
        let mut server = Random::fresh(&mut OsEntropy);
        let own = evaluator.unpack_key(&key.evaluation_key(&self.spec, &mut OsEntropy), &mut server).unwrap();
        let mut random = common::random(6);
        let features = 0..self.quantizer.features.len();
        features
            .map(|feature| {
                let mut seen = Seen::default();
                for _ in 0..times {
                    let row = common::row(&self.quantizer, &mut random);
                    let messages = self.messages(&row, feature, error);
                    let request = self.layout().encrypt(key.input(), &messages, &mut OsEntropy);
                    let answer = evaluator.evaluate(&own, &[&request], &mut server).unwrap().remove(0);
                    for (offset, step) in self.offsets(&opened, &answer) {
                        // Halfway into what flooding leaves free: honest answers get there less than once in 2^30.
                        let beyond = offset.abs() > step / 2.0 - free(step, flooding) / 2.0;
                        seen.beyond += usize::from(beyond);
                        seen.messages += 1;
                    }
                }
                seen
            })
            .collect()
    }
}

/// The features that the answers reveal, and the fraction of their messages that lie outside the honest range.
fn betrayed(seen: &[Seen], used: &BTreeSet<usize>) -> (BTreeSet<usize>, f64) {
    let found = seen.iter().enumerate().filter(|(_, seen)| seen.beyond > 0).map(|(feature, _)| feature).collect();
    let of_used: Vec<&Seen> = used.iter().map(|feature| &seen[*feature]).collect();
    let beyond: usize = of_used.iter().map(|seen| seen.beyond).sum();
    let messages: usize = of_used.iter().map(|seen| seen.messages).sum();
    (found, beyond as f64 / messages as f64)
}

/// As much flooding as a power of two below the margin holds, as an older rule had it.
fn narrow(modulus: u64) -> u64 {
    1 << (63.0 - (modulus as f64).log2() - 0.2).floor() as u32
}

fn planned(model: &Model, quantizer: &Quantizer) -> CircuitSpec {
    let request = PlanRequest { circuit: Some(CircuitKind::PathCost), ..PlanRequest::default() };
    plan(model, quantizer, Output::Classes(2), &request).unwrap().remove(0).spec
}

#[test]
fn extra_noise_shows_less_of_a_tree_where_flooding_fills_the_step() {
    let quantizer = common::quantizer(14, 8);
    let tree = common::tree(&quantizer, 3, 2, &mut common::random(8));
    // Seven bits a feature; leaves of the largest class are not in the answer.
    let boxes = Boxes::leaves(&tree, &quantizer);
    let used: BTreeSet<usize> = boxes.tests.iter().flat_map(|test| test.terms.iter().map(|(bit, _)| bit / 7)).collect();
    let model = Model::Tree(tree);
    let spec = planned(&model, &quantizer);
    let wide = path_cost(&spec).noise_flooding.unwrap();
    let (modulus, error) = (path_cost(&spec).modulus, 1u64 << 59);
    let attack = |flooding: u64| {
        let mut spec = spec.clone();
        let CircuitSpec::PathCost(params) = &mut spec else { unreachable!() };
        // Words long enough that cutting plays no part.
        (params.noise_flooding, params.response_bits) = (Some(flooding), 24);
        let attack = Attack { spec, model: model.clone(), quantizer: quantizer.clone() };
        betrayed(&attack.run(flooding, error, 60), &used)
    };
    let (weak, weak_share) = attack(narrow(modulus));
    let (real, real_share) = attack(wide);
    let gap = 2.0 * free(1.0 / modulus as f64, wide) * modulus as f64;
    println!(
        "p={modulus}: narrow {weak:?} {weak_share:.4}, wide {real:?} {real_share:.4}, free part of a step {gap:.3}"
    );
    assert!(weak == used, "{weak:?} of {used:?}");
    assert!(real.is_subset(&used), "{real:?} of {used:?}");
    // The part that honest answers never reach is all that betrays; it was most of the step.
    assert!(gap < 0.25 && real_share < 0.6 * weak_share, "{real_share} beside {weak_share}");
}

#[test]
fn extra_noise_shows_less_of_a_sum_of_trees_where_flooding_fills_the_step() {
    let quantizer = common::quantizer(12, 8);
    let forest = common::forest(&quantizer, [4, 2, 1], 60, &mut common::random(3));
    let splits = forest.trees.iter().flat_map(ValueTree::splits);
    let used: BTreeSet<usize> = splits.map(|(feature, _)| feature as usize).collect();
    let model = Model::Forest(forest);
    let spec = planned(&model, &quantizer);
    let params = path_cost_sum(&spec);
    let largest = params.plaintext_moduli.iter().flatten().copied().max().unwrap();
    let wide = params.noise_flooding.unwrap();
    // Less than a step of the copy's moduli together: the bits stay valid.
    let steps: u64 = params.plaintext_moduli.iter().map(|copy| copy.iter().product()).max().unwrap();
    let error = ((1u128 << 64) / u128::from(8 * steps)) as u64;
    let attack = |flooding: u64| {
        let mut spec = spec.clone();
        let CircuitSpec::PathCostSum(params) = &mut spec else { unreachable!() };
        (params.noise_flooding, params.response_bits) = (Some(flooding), 36);
        let attack = Attack { spec, model: model.clone(), quantizer: quantizer.clone() };
        betrayed(&attack.run(flooding, error, 40), &used)
    };
    let (weak, weak_share) = attack(narrow(largest) / 2);
    let (real, real_share) = attack(wide);
    println!("moduli {:?}: narrow {weak:?} {weak_share:.4}, wide {real:?} {real_share:.4}", params.plaintext_moduli);
    assert!(weak == used, "{weak:?} of {used:?}");
    assert!(real.is_subset(&used), "{real:?} of {used:?}");
    assert!(real_share < 0.6 * weak_share, "{real_share} beside {weak_share}");
}

/// The information in one answer is bounded by the width of the flooding noise relative to the torus.
#[test]
fn the_capacity_of_an_answer_is_its_messages_times_the_modulus_over_the_flood() {
    let quantizer = common::quantizer(14, 8);
    let model = Model::Tree(common::tree(&quantizer, 3, 2, &mut common::random(8)));
    let spec = planned(&model, &quantizer);
    let params = path_cost(&spec);
    let capacity = spec.capacity_bits().unwrap();
    let exact = params.leaves as f64 * (params.modulus as f64).log2();
    // More than what messages say: what the free part of a step adds, which is less than half a bit each.
    assert!(capacity > exact && capacity < exact + 0.5 * params.leaves as f64, "{capacity} bits beside {exact}");
}
