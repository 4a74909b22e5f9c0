//! Model extraction by a client, which has its secret key, from a single answer.
//!
//! Without re-randomization (`--reveal model`), the mask of an answer is a known function of the client's own mask and the
//! model, and these attacks recover the model. That shows that the tests would detect a leak. With re-randomization they
//! recover nothing. The attacker gets more than the wire carries: answers at full precision.

mod common;

use common::opened::Opened;
use fhectl_core::circuit::linear::LinearParams;
use fhectl_core::circuit::path_cost_sum::PathCostSumParams;
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::circuit::{Circuit, CircuitKind, CircuitSpec, ClientKey, Evaluator, Reveal, decode, encode};
use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::{GlweList, Lwe, PartialGlwe, Random, SeededLayout};
use fhectl_core::model::{ClassNode, IntegerTree, Model, Output, Quantizer, ValueTree};

/// A spec whose answers are not rounded.
fn spec(model: &Model, quantizer: &Quantizer, kind: CircuitKind, reveal: Reveal) -> CircuitSpec {
    let request = PlanRequest { circuit: Some(kind), reveal, ..PlanRequest::default() };
    let mut spec = plan(model, quantizer, Output::Classes(2), &request).unwrap().remove(0).spec;
    match &mut spec {
        CircuitSpec::Linear(params) => params.response_bits = 64,
        CircuitSpec::PathCost(params) => params.response_bits = 64,
        CircuitSpec::PathCostSum(params) => params.response_bits = 64,
        CircuitSpec::LeafSum(params) => params.response_bits = 64,
        CircuitSpec::CmuxForest(params) => params.response_bits = 64,
        CircuitSpec::Table(params) => params.response_bits = 64,
        CircuitSpec::Network(params) => {
            params.response_bits = 64;
            // Searches always re-randomize networks: what happens without has to be made by hand.
            params.noise_flooding = params.noise_flooding.filter(|_| reveal != Reveal::Model);
        }
    }
    spec
}

/// One query of an honest client: its request, and the answer's ciphertexts.
struct Query {
    key: ClientKey,
    evaluation_key: Vec<u8>,
    request: Vec<u8>,
    answers: Vec<Lwe>,
}

fn query(spec: &CircuitSpec, model: &Model, quantizer: &Quantizer) -> Query {
    let key = ClientKey::generate(spec, &mut OsEntropy);
    let evaluation_key = key.evaluation_key(spec, &mut OsEntropy);
    let row = common::row(quantizer, &mut common::random(5));
    let request = encode(spec, quantizer, &key, &row, &mut OsEntropy);
    let answers = answer(spec, model, quantizer, &evaluation_key, &request);
    Query { key, evaluation_key, request, answers }
}

fn answer(spec: &CircuitSpec, model: &Model, quantizer: &Quantizer, key: &[u8], request: &[u8]) -> Vec<Lwe> {
    let bytes = answer_bytes(spec, model, quantizer, key, request);
    let dimension = spec.answer_shape().lwe_dimension();
    bytes.chunks(Lwe::wire_len(dimension, 64)).map(|bytes| Lwe::read(bytes, dimension, 64).unwrap()).collect()
}

fn answer_bytes(spec: &CircuitSpec, model: &Model, quantizer: &Quantizer, key: &[u8], request: &[u8]) -> Vec<u8> {
    let evaluator = Evaluator::new(spec, model, quantizer).unwrap();
    let mut random = Random::fresh(&mut OsEntropy);
    let key = evaluator.unpack_key(key, &mut random).unwrap();
    evaluator.evaluate(&key, &[request], &mut random).unwrap().remove(0)
}

/// Solves `mask = sum_i c_i * columns_i` modulo 2^64 for `c` by elimination over odd pivots, and checks the solution
/// in every equation (there are many more equations than unknowns).
fn solve(columns: &[Vec<u64>], mask: &[u64]) -> Option<Vec<i64>> {
    let unknowns = columns.len();
    let mut rows: Vec<Vec<u64>> =
        (0..mask.len()).map(|j| columns.iter().map(|c| c[j]).chain([mask[j]]).collect()).collect();
    for pivot in 0..unknowns {
        let found = (pivot..rows.len()).find(|r| rows[*r][pivot] % 2 == 1)?;
        rows.swap(pivot, found);
        // Newton's iteration for the inverse modulo 2^64.
        let inverse = (0..6)
            .fold(rows[pivot][pivot], |x, _| x.wrapping_mul(2u64.wrapping_sub(rows[pivot][pivot].wrapping_mul(x))));
        rows[pivot].iter_mut().for_each(|entry| *entry = entry.wrapping_mul(inverse));
        let lead = rows[pivot].clone();
        for (r, row) in rows.iter_mut().enumerate().take(4 * unknowns) {
            if r != pivot && row[pivot] != 0 {
                let factor = row[pivot];
                row.iter_mut()
                    .zip(&lead)
                    .for_each(|(entry, lead)| *entry = entry.wrapping_sub(lead.wrapping_mul(factor)));
            }
        }
    }
    let solution: Vec<u64> = rows[..unknowns].iter().map(|row| row[unknowns]).collect();
    let holds = (0..mask.len()).all(|j| {
        let sum = columns.iter().zip(&solution).fold(0u64, |sum, (c, x)| sum.wrapping_add(c[j].wrapping_mul(*x)));
        sum == mask[j]
    });
    holds.then(|| solution.into_iter().map(|x| x as i64).collect())
}

/// The masks of the client's own input coefficients: the unknown answer is a combination of them.
fn columns(layout: SeededLayout, request: &[u8]) -> Vec<Vec<u64>> {
    let list: GlweList = layout.expand(request).unwrap();
    (0..layout.bodies)
        .map(|index| {
            let mut lwe = Lwe::zero(layout.shape.lwe_dimension());
            list.add_coefficient(index, 1, &mut lwe);
            lwe.mask
        })
        .collect()
}

#[test]
fn one_answer_of_linear_does_not_give_the_weights_away() {
    let quantizer = common::quantizer(30, 256);
    let linear = common::linear(&quantizer, 2, 8, &mut common::random(1));
    let weights: Vec<i64> = linear.weights[0].iter().map(|w| i64::from(*w)).collect();
    let model = Model::Linear(linear);
    for (reveal, leaks) in [(Reveal::Model, true), (Reveal::Nothing, false)] {
        let spec = spec(&model, &quantizer, CircuitKind::Linear, reveal);
        let CircuitSpec::Linear(params) = &spec else { unreachable!() };
        let query = query(&spec, &model, &quantizer);
        let found = solve(&columns(params.input_layout(), &query.request), &query.answers[0].mask);
        assert_eq!(found, leaks.then(|| weights.clone()), "reveal {reveal}");
    }
}

#[test]
fn one_answer_of_path_cost_does_not_give_the_thresholds_away() {
    let quantizer = common::quantizer(8, 8);
    let tree = common::tree(&quantizer, 3, 2, &mut common::random(8));
    let model = Model::Tree(tree.clone());
    for (reveal, leaks) in [(Reveal::Model, true), (Reveal::Size, false)] {
        let spec = spec(&model, &quantizer, CircuitKind::PathCost, reveal);
        let CircuitSpec::PathCost(params) = &spec else { unreachable!() };
        let query = query(&spec, &model, &quantizer);
        let columns = columns(params.input, &query.request);
        // The bits that any leaf's answer is a combination of are the thresholds on its path.
        let mut found: Vec<usize> = query
            .answers
            .iter()
            .filter_map(|answer| solve(&columns, &answer.mask))
            .flat_map(|solution| solution.into_iter().enumerate().filter(|(_, c)| *c != 0).map(|(bit, _)| bit))
            .collect();
        found.sort_unstable();
        found.dedup();
        let tests = fhectl_core::circuit::boxes::Boxes::leaves(&tree, &quantizer);
        let mut tested: Vec<usize> = tests.tests.iter().flat_map(|test| test.terms.iter().map(|term| term.0)).collect();
        tested.sort_unstable();
        tested.dedup();
        assert!(!tested.is_empty());
        assert_eq!(found, if leaks { tested } else { Vec::new() }, "reveal {reveal}");
    }
}

/// A small sum of trees and its parameters, with answers that are not rounded.
fn sum_of_trees(trees: usize, reveal: Reveal) -> (Model, Quantizer, CircuitSpec) {
    let quantizer = common::quantizer(4, 4);
    let model = Model::Forest(common::forest(&quantizer, [trees, 2, 1], 5, &mut common::random(3)));
    let spec = spec(&model, &quantizer, CircuitKind::PathCost, reveal);
    (model, quantizer, spec)
}

fn sum_params(spec: &CircuitSpec) -> &PathCostSumParams {
    let CircuitSpec::PathCostSum(params) = spec else { panic!("{spec:?}") };
    params
}

/// What a client decrypts from one answer: the residue of each slot for each modulus.
fn slots(params: &PathCostSumParams, opened: &Opened, answer: &[u8]) -> Vec<Vec<u64>> {
    let each = PartialGlwe::wire_len(params.input.shape, params.stride, params.response_bits);
    let moduli = params.plaintext_moduli.concat();
    let mut slots = Vec::new();
    for group in answer.chunks(moduli.len() * each) {
        let columns = group.chunks(each).zip(&moduli).map(|(bytes, modulus)| {
            let glwe = PartialGlwe::read(bytes, params.input.shape, params.stride, params.response_bits).unwrap();
            let place = |phase: u64| ((u128::from(phase) * u128::from(*modulus) + (1 << 63)) >> 64) as u64 % modulus;
            opened.phases(&glwe).into_iter().map(place).collect::<Vec<u64>>()
        });
        let columns: Vec<Vec<u64>> = columns.collect();
        slots.extend((0..params.stride).map(|slot| columns.iter().map(|column| column[slot]).collect::<Vec<u64>>()));
    }
    slots
}

/// Panics where a uniform distribution gives such counts less than once in about ten thousand runs.
fn assert_uniform(what: &str, counts: &[usize]) {
    let mean = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
    assert!(mean >= 20.0, "{what}: too few samples, {counts:?}");
    let chi2: f64 = counts.iter().map(|count| (*count as f64 - mean).powi(2) / mean).sum();
    let degrees = counts.len() as f64 - 1.0;
    // Wilson and Hilferty: the cube root of chi-square a degree is nearly normal; four deviations.
    let bound = degrees * (1.0 - 2.0 / (9.0 * degrees) + 4.0 * (2.0 / (9.0 * degrees)).sqrt()).powi(3);
    assert!(chi2 < bound, "{what}: chi-square {chi2:.1} of {degrees} degrees, at most {bound:.1}; {counts:?}");
}

/// The client can decrypt every slot. Except for the sum over trees, all values are uniform.
#[test]
fn answers_of_path_cost_say_nothing_of_single_trees_nor_of_leaves_that_are_not_reached() {
    for trees in [1, 2, 3] {
        let (model, quantizer, spec) = sum_of_trees(trees, Reveal::Size);
        let params = sum_params(&spec);
        let moduli = params.plaintext_moduli.concat();
        assert!(moduli.len() <= 2 && moduli.iter().all(|modulus| *modulus < 2000), "{moduli:?}");
        let evaluator = Evaluator::new(&spec, &model, &quantizer).unwrap();
        let mut random = Random::fresh(&mut OsEntropy);
        let key = ClientKey::generate(&spec, &mut OsEntropy);
        let own = evaluator.unpack_key(&key.evaluation_key(&spec, &mut OsEntropy), &mut random).unwrap();
        let opened = Opened::answer(&spec, &key);
        let row = common::row(&quantizer, &mut common::random(5));
        let mut reached: Vec<Vec<usize>> = moduli.iter().map(|modulus| vec![0; *modulus as usize]).collect();
        let mut others = reached.clone();
        let mut places = vec![0; params.slots];
        for _ in 0..40 * moduli.iter().max().unwrap() {
            let request = encode(&spec, &quantizer, &key, &row, &mut OsEntropy);
            let answer = evaluator.evaluate(&own, &[&request], &mut random).unwrap().remove(0);
            let slots = slots(params, &opened, &answer);
            let is_reached = |slot: &Vec<u64>| slot[0].is_multiple_of(params.count_modulus);
            assert_eq!(slots.iter().filter(|slot| is_reached(slot)).count(), trees);
            let first = slots.iter().position(is_reached).unwrap();
            places[slots.iter().rposition(is_reached).unwrap()] += 1;
            for (counts, message) in reached.iter_mut().zip(&slots[first]) {
                counts[*message as usize] += 1;
            }
            for (counts, message) in others.iter_mut().zip(slots.iter().find(|slot| !is_reached(slot)).unwrap()) {
                counts[*message as usize] += 1;
            }
        }
        // The first modulus's numbers are of the count, too: zero by its modulus where a leaf is reached.
        let of_count = |counts: &[usize], zero: bool| -> Vec<usize> {
            let numbered = counts.iter().enumerate();
            numbered
                .filter(|(m, _)| (*m as u64).is_multiple_of(params.count_modulus) == zero)
                .map(|(_, c)| *c)
                .collect()
        };
        for (column, counts) in others.iter().enumerate() {
            let counts = if column == 0 { of_count(counts, false) } else { counts.clone() };
            assert_uniform(&format!("{trees} trees, a leaf that is not reached, modulus {column}"), &counts);
        }
        for (column, counts) in reached.iter().enumerate() {
            let counts = if column == 0 { of_count(counts, true) } else { counts.clone() };
            if trees == 1 {
                // The one tree's value is the answer: the test sees what a share hides.
                assert_eq!(counts.iter().filter(|count| **count > 0).count(), 1, "{counts:?}");
            } else {
                assert_uniform(&format!("{trees} trees, a reached leaf, modulus {column}"), &counts);
            }
        }
        if trees == 1 {
            assert_uniform("the place of the reached leaf", &places);
        }
    }
}

#[test]
fn one_answer_of_path_cost_for_a_sum_does_not_give_the_thresholds_away() {
    for (reveal, leaks) in [(Reveal::Model, true), (Reveal::Size, false)] {
        let (model, quantizer, spec) = sum_of_trees(2, reveal);
        let params = sum_params(&spec);
        let bits = 4 * 3;
        let key = ClientKey::generate(&spec, &mut OsEntropy);
        let evaluation_key = key.evaluation_key(&spec, &mut OsEntropy);
        let request = encode(&spec, &quantizer, &key, &[1, 2, 3, 0], &mut OsEntropy);
        let evaluator = Evaluator::new(&spec, &model, &quantizer).unwrap();
        let mut random = Random::fresh(&mut OsEntropy);
        let own = evaluator.unpack_key(&evaluation_key, &mut random).unwrap();
        let answer = evaluator.evaluate(&own, &[&request], &mut random).unwrap().remove(0);
        // A coefficient of the answer is a combination of the input's coefficients about every bit. The last of the
        // `stride` has none from before the first bit, which would come back from the end of the polynomial.
        let (shape, coefficients) = (params.input.shape, bits * params.plaintext_moduli.len() * params.stride);
        let all = columns(params.input, &request);
        let columns = &all[..coefficients];
        let each = PartialGlwe::wire_len(shape, params.stride, 64);
        let mut tested: Vec<usize> = Vec::new();
        for bytes in answer.chunks(each) {
            let glwe = PartialGlwe::read(bytes, shape, params.stride, 64).unwrap();
            let at = params.stride - 1;
            let extract = |polynomial: &[u64]| -> Vec<u64> {
                let low = polynomial[..=at].iter().rev().copied();
                low.chain(polynomial[at + 1..].iter().rev().map(|a| a.wrapping_neg())).collect()
            };
            let mask: Vec<u64> = glwe.mask.chunks(shape.size).flat_map(extract).collect();
            let Some(solution) = solve(columns, &mask) else { continue };
            let found = solution.iter().enumerate().filter(|(_, c)| **c != 0);
            tested.extend(found.map(|(coefficient, _)| coefficient / params.stride % bits));
        }
        tested.sort_unstable();
        tested.dedup();
        let Model::Forest(forest) = &model else { unreachable!() };
        let splits = forest.trees.iter().flat_map(ValueTree::splits);
        let mut secret: Vec<usize> =
            splits.map(|(feature, threshold)| feature as usize * 3 + *threshold as usize - 1).collect();
        secret.sort_unstable();
        secret.dedup();
        assert_eq!(tested, if leaks { secret } else { Vec::new() }, "reveal {reveal}");
    }
}

#[test]
fn what_is_no_request_or_no_answer_of_a_sum_is_named() {
    // Trees enough that bytes at random do not have one reached leaf for each.
    let quantizer = common::quantizer(4, 16);
    let model = Model::Forest(common::forest(&quantizer, [60, 3, 1], 5, &mut common::random(3)));
    let spec = spec(&model, &quantizer, CircuitKind::PathCost, Reveal::Size);
    let key = ClientKey::generate(&spec, &mut OsEntropy);
    let evaluator = Evaluator::new(&spec, &model, &quantizer).unwrap();
    let mut random = Random::fresh(&mut OsEntropy);
    let own = evaluator.unpack_key(&key.evaluation_key(&spec, &mut OsEntropy), &mut random).unwrap();
    let request = encode(&spec, &quantizer, &key, &[1, 2, 3, 0], &mut OsEntropy);
    for damaged in [&request[1..], &[], &[request.as_slice(), &[0]].concat()] {
        let error = evaluator.evaluate(&own, &[&request, damaged], &mut random).unwrap_err();
        assert!(error.code == ErrorCode::CiphertextInvalid && error.message.contains("input 1"), "{error:?}");
    }
    // Any bytes of the right length are answered: nothing else can be seen in them.
    let noise = vec![0xa5; request.len()];
    let answers = evaluator.evaluate(&own, &[&request, &noise], &mut random).unwrap();
    assert_eq!(decode(&spec, &key, &answers[0]).unwrap().values(), model.scores(&[1, 2, 3, 0]));
    assert_eq!(decode(&spec, &key, &answers[0][1..]).unwrap_err().code, ErrorCode::CiphertextInvalid);
    // An answer to nonsense, one under another key, and one where every leaf is reached.
    let other = ClientKey::generate(&spec, &mut OsEntropy);
    let zeros = vec![0; answers[0].len()];
    for (key, answer) in [(&key, &answers[1]), (&other, &answers[0]), (&key, &zeros)] {
        assert_eq!(decode(&spec, key, answer).unwrap_err().code, ErrorCode::AnswerInvalid);
    }
}

/// A network's answer read as a linear model's would be its phase, to the last bit: an equation in the key's bits.
#[test]
fn an_answer_is_read_by_no_rule_but_that_of_the_keys_own_circuit() {
    let quantizer = common::quantizer(4, 8);
    let shapes = [common::dense(4, 3), common::dense(3, 2)];
    let model = Model::Network(common::network(&quantizer, &shapes, &[-1, 1], &mut common::random(8)));
    let request = PlanRequest { circuit: Some(CircuitKind::Network), ..PlanRequest::default() };
    let spec = plan(&model, &quantizer, Output::Classes(2), &request).unwrap().remove(0).spec;
    let key = ClientKey::generate(&spec, &mut OsEntropy);
    let answer = vec![0; spec.response_bytes()];
    decode(&spec, &key, &answer).unwrap();
    let CircuitSpec::Network(params) = &spec else { unreachable!() };
    let linear = LinearParams {
        features: 4,
        scores: params.scores,
        shape: params.output(),
        step_log2: 1,
        input_bits: 64,
        response_bits: params.response_bits,
        noise_flooding: params.noise_flooding,
    };
    let mut finer = params.clone();
    finer.score_plaintext_modulus *= 2;
    for other in [CircuitSpec::Linear(linear), CircuitSpec::Network(finer)] {
        assert_eq!(other.response_bytes(), answer.len());
        assert_eq!(decode(&other, &key, &answer).unwrap_err().code, ErrorCode::WrongModel, "{other:?}");
    }
}

/// After a bootstrap the mask is not linear in the model, but the client can repeat the computation for every candidate
/// model.
#[test]
fn one_answer_of_leaf_sum_does_not_match_a_replay_of_the_right_model() {
    let quantizer = common::quantizer(3, 6);
    let stump = |feature: u32, threshold: u32| {
        let split = ClassNode::Split { feature, threshold, low: 1, high: 2 };
        Model::Tree(IntegerTree::new(2, vec![split, ClassNode::leaf(0), ClassNode::leaf(1)]).unwrap())
    };
    let secret = (1, 4);
    let model = stump(secret.0, secret.1);
    for (reveal, leaks) in [(Reveal::Model, true), (Reveal::Nothing, false)] {
        let spec = spec(&model, &quantizer, CircuitKind::LeafSum, reveal);
        let query = query(&spec, &model, &quantizer);
        // What the attacker runs: the same circuit without re-randomization, on the same request and bootstrap key.
        let mut open = spec.clone();
        let CircuitSpec::LeafSum(params) = &mut open else { unreachable!() };
        params.noise_flooding = None;
        let bootstrap_key = &query.evaluation_key[..open.key_bytes()];
        let opened = Opened::answer(&spec, &query.key);
        let mut matches = Vec::new();
        let mut phases = Vec::new();
        for feature in 0..3 {
            for threshold in 1..6 {
                let replay = answer(&open, &stump(feature, threshold), &quantizer, bootstrap_key, &query.request);
                if replay[0].mask == query.answers[0].mask {
                    matches.push((feature, threshold));
                }
                let difference = opened.phase(&replay[0]).wrapping_sub(opened.phase(&query.answers[0]));
                phases.push((difference as i64).unsigned_abs());
            }
        }
        assert_eq!(matches, if leaks { vec![secret] } else { vec![] }, "reveal {reveal}");
        if !leaks {
            // Nor is the phase close to a replay's: flooding stands between them. Fresh noise of the public key alone
            // would be below 2^40.
            assert!(phases.iter().all(|difference| *difference > 1 << 44), "{phases:?}");
        }
    }
}

/// Tables and networks: a client that repeats the computation with the right model gets the server's answer only where the
/// answer was not re-randomized.
#[test]
fn one_answer_of_a_table_or_a_network_does_not_match_a_replay() {
    let quantizer = common::quantizer(4, 8);
    let shapes = [common::dense(4, 3), common::dense(3, 2)];
    let model = Model::Network(common::network(&quantizer, &shapes, &[-1, 1], &mut common::random(8)));
    for kind in [CircuitKind::Table, CircuitKind::Network] {
        for (reveal, leaks) in [(Reveal::Model, true), (Reveal::Nothing, false)] {
            let spec = spec(&model, &quantizer, kind, reveal);
            let mut open = spec.clone();
            let flood = match &mut open {
                CircuitSpec::Table(params) => params.noise_flooding.take(),
                CircuitSpec::Network(params) => params.noise_flooding.take(),
                _ => unreachable!(),
            };
            let mut differences = Vec::new();
            for _ in 0..8 {
                let query = query(&spec, &model, &quantizer);
                let opened = Opened::answer(&spec, &query.key);
                let own_key = &query.evaluation_key[..open.key_bytes()];
                let replay = answer(&open, &model, &quantizer, own_key, &query.request);
                for (replay, answer) in replay.iter().zip(&query.answers) {
                    assert_eq!(replay.mask == answer.mask, leaks, "{kind}, reveal {reveal}");
                    let difference = opened.phase(replay).wrapping_sub(opened.phase(answer)) as i64;
                    let difference = difference.unsigned_abs();
                    differences.push(difference as f64);
                }
            }
            // Flooding is uniform up to its bound: half of that on average.
            let mean = differences.iter().sum::<f64>() / differences.len() as f64;
            let least = flood.map_or(0.0, |flood| flood as f64 / 4.0);
            assert!(if leaks { mean == 0.0 } else { mean > least }, "{kind}, reveal {reveal}: mean difference {mean}");
        }
    }
}

/// The same for a forest, whose answer is one ciphertext of several coefficients.
#[test]
fn one_answer_of_a_forest_does_not_match_a_replay() {
    let quantizer = common::quantizer(6, 8);
    let model = Model::Forest(common::forest(&quantizer, [8, 3, 1], 50, &mut common::random(8)));
    for (reveal, leaks) in [(Reveal::Model, true), (Reveal::Nothing, false)] {
        let spec = spec(&model, &quantizer, CircuitKind::CmuxForest, reveal);
        let mut open = spec.clone();
        let CircuitSpec::CmuxForest(params) = &mut open else { unreachable!() };
        let flood = params.noise_flooding.take();
        let (shape, coefficients) = (params.bits.shape, params.coefficients());
        let read = |bytes: &[u8]| PartialGlwe::read(bytes, shape, coefficients, 64).unwrap();
        let mut differences = Vec::new();
        for _ in 0..8 {
            let key = ClientKey::generate(&spec, &mut OsEntropy);
            let wire = key.evaluation_key(&spec, &mut OsEntropy);
            let row = common::row(&quantizer, &mut common::random(5));
            let request = encode(&spec, &quantizer, &key, &row, &mut OsEntropy);
            let sent = read(&answer_bytes(&spec, &model, &quantizer, &wire, &request));
            let replay = read(&answer_bytes(&open, &model, &quantizer, &[], &request));
            assert_eq!(replay.mask == sent.mask, leaks, "reveal {reveal}");
            let opened = Opened::answer(&spec, &key);
            let (sent, replay) = (opened.phases(&sent), opened.phases(&replay));
            differences.extend(sent.iter().zip(replay).map(|(a, b)| (a.wrapping_sub(b) as i64).unsigned_abs() as f64));
        }
        // Flooding is uniform up to its bound: half of that on average.
        let mean = differences.iter().sum::<f64>() / differences.len() as f64;
        let least = flood.map_or(0.0, |flood| flood as f64 / 4.0);
        assert!(if leaks { mean == 0.0 } else { mean > least }, "reveal {reveal}: mean difference {mean}");
    }
}
