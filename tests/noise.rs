//! Measured noise against the formulas that the parameter search used, and parameters against the security curve.
//!
//! Bounds are chi-square: the mean of `n` squared standardized errors has a standard deviation of at most `sqrt(2/n)` (less
//! for distributions with lighter tails than the normal one, as here). Four such deviations are allowed.

mod common;

use common::opened::Opened;
use fhectl_core::bundle::folder;
use fhectl_core::circuit::boxes::Boxes;
use fhectl_core::circuit::cmux_forest::walk_program::WalkProgram;
use fhectl_core::circuit::leaf_sum::{LeafSumParams, evaluate::bootstrap_input, params_search};
use fhectl_core::circuit::path_cost_sum::{self, leaf_program::ForestBoxes};
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::circuit::thermometer;
use fhectl_core::circuit::{CircuitKind, CircuitSpec, ClientKey, Evaluator, Reveal};
use fhectl_core::fhe::noise::{self, SECURITY_BITS};
use fhectl_core::fhe::pbs::BootstrapKey;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::rerandomize::Rerandomizer;
use fhectl_core::fhe::zeros::Zeros;
use fhectl_core::fhe::{GlweSecret, GlweShape, Lwe, PartialGlwe, Random, SeededLayout, encrypt};
use fhectl_core::model::{Model, Output, Quantizer};
use std::path::Path;
use tfhe::core_crypto::commons::noise_formulas::secure_noise::minimal_lwe_variance_for_132_bits_security_tuniform;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, LweCiphertext, LweDimension, ModulusSwitchedLweCiphertext, PolynomialSize,
    lwe_ciphertext_centered_binary_modulus_switch,
};

const MODELS: [&str; 6] =
    ["tree-spam", "tree-spam-leaf-sum", "logreg-synthetic", "boost-spam", "boost-spam-cmux-forest", "linreg-diabetes"];

fn bundle(name: &str) -> fhectl_core::bundle::ServerBundle {
    folder::read_server(&Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model").join(name)).unwrap()
}

fn leaf_sum() -> (LeafSumParams, Boxes, Quantizer) {
    let bundle = bundle("tree-spam-leaf-sum");
    let (CircuitSpec::LeafSum(params), Model::Tree(tree)) = (&bundle.spec.circuit, &bundle.server.model) else {
        panic!("the committed model is a tree under leaf-sum")
    };
    (params.clone(), Boxes::signed(tree, &bundle.spec.quantizer), bundle.spec.quantizer)
}

/// The distance of two torus words, in `[-1/2, 1/2)`.
fn distance(a: u64, b: u64) -> f64 {
    a.wrapping_sub(b) as i64 as f64 / 2f64.powi(64)
}

/// Checks that the mean of squared standardized errors is 1, and of errors 0 up to `bias` (in sigmas).
fn assert_unit_variance(what: &str, standardized: &[f64], bias: f64) {
    let n = standardized.len() as f64;
    let ratio = standardized.iter().map(|e| e * e).sum::<f64>() / n;
    let mean = standardized.iter().sum::<f64>() / n;
    println!("{what}: measured/predicted variance {ratio:.3} over {n} samples, mean {mean:.3} sigma");
    assert!((ratio - 1.0).abs() < 4.0 * (2.0 / n).sqrt(), "{what}: measured/predicted variance {ratio}");
    assert!(mean.abs() < bias + 4.0 / n.sqrt(), "{what}: mean {mean} sigma");
}

#[test]
fn a_leafs_point_has_the_predicted_noise_where_the_bootstrap_starts() {
    let (params, tests, quantizer) = leaf_sum();
    let spec = CircuitSpec::LeafSum(params.clone());
    let key = ClientKey::generate(&spec, &mut OsEntropy);
    let opened = &Opened::all(&spec, &key)[0];
    let mut random = common::random(1);
    let log_modulus = PolynomialSize(params.bootstrap.output.size).to_blind_rotation_input_modulus_log();
    let (mut fresh, mut switched) = (Vec::new(), Vec::new());
    for sample in 0..2000 {
        let row = common::row(&quantizer, &mut random);
        let request = fhectl_core::circuit::encode(&spec, &quantizer, &key, &row, &mut OsEntropy);
        let input = params.input.expand(&request).unwrap();
        let test = &tests.tests[sample % tests.tests.len()];
        let lwe = bootstrap_input(&params, test, &input);

        let bits = thermometer::encode(&quantizer, &row, 1);
        let violations = test.constant + test.terms.iter().map(|(bit, sign)| sign * bits[*bit] as i64).sum::<i64>();
        let scale = params.plaintext_modulus as i64 / 2 / i64::from(test.features);
        let ideal =
            ((i128::from(scale * (2 * violations - 1)) << 64) / i128::from(2 * params.plaintext_modulus)) as u64;
        let bits_variance = (scale * scale) as f64
            * test.terms.len() as f64
            * noise::seeded_variance(params.input.shape, params.input.bits);
        fresh.push(distance(opened.phase(&lwe), ideal) / bits_variance.sqrt());

        // After the switch to 2N, which moves the point down by half of one of its steps.
        let words: Vec<u64> = lwe.mask.iter().copied().chain([lwe.body]).collect();
        let words = LweCiphertext::from_container(words, CiphertextModulus::new_native());
        let coarse = lwe_ciphertext_centered_binary_modulus_switch::<u64, u64, _>(words, log_modulus);
        let up = 64 - log_modulus.0;
        let coarse = Lwe { mask: coarse.mask().map(|a| a << up).collect(), body: coarse.body() << up };
        let ideal = ideal.wrapping_sub(1 << (up - 1));
        let variance = params_search::input_variance(&params, test.terms.len(), scale as f64);
        switched.push(distance(opened.phase(&coarse), ideal) / variance.sqrt());
    }
    assert_unit_variance("bits of a leaf, added up", &fresh, 0.0);
    assert_unit_variance("the same after the centered modulus switch", &switched, 0.0);
}

#[test]
fn a_bootstrap_has_the_predicted_noise() {
    let (params, ..) = leaf_sum();
    let params = params.bootstrap;
    let small_shape = GlweShape::new(params.lwe_dimension / 64, 64);
    let mut errors = Vec::new();
    for _ in 0..3 {
        let small = GlweSecret::generate(small_shape, &mut OsEntropy);
        let big = GlweSecret::generate(params.output, &mut OsEntropy);
        let opened = Opened::of(&big);
        let key = BootstrapKey::unpack(&params, &encrypt::bootstrap_key(&params, &small, &big, &mut OsEntropy), None)
            .unwrap();
        let public = Rerandomizer::unpack(params.output, &encrypt::public_key(&big, &mut OsEntropy)).unwrap();
        let layout = SeededLayout { shape: small_shape, bodies: 200, bits: 64 };
        // Phases of +-1/4: the sign is never in doubt.
        let messages: Vec<u64> = (0..200).map(|i| if i % 2 == 0 { 1 << 62 } else { 3 << 62 }).collect();
        let list = layout.expand(&layout.encrypt(&small, &messages, &mut OsEntropy)).unwrap();
        for index in 0..200 {
            let mut lwe = Lwe::zero(params.lwe_dimension);
            list.add_coefficient(index, 1, &mut lwe);
            let height = 1u64 << 61;
            let wanted = if index % 2 == 0 { height } else { height.wrapping_neg() };
            let sigma = noise::bootstrap_variance(params.lwe_dimension, params.output, params.gadget()).sqrt();
            // The formula counts uniform digits: it holds from the first with a zero, and after a few without.
            let zeros = Zeros::new(&public, &mut Random::fresh(&mut OsEntropy));
            let zeros = (index % 4 < 2).then_some(&zeros);
            errors.push(distance(opened.phase(&key.sum_of_signs(&[lwe], &[height], zeros)), wanted) / sigma);
        }
    }
    assert_unit_variance("a bootstrap's output", &errors, 0.0);
}

/// Every coefficient of a packed answer carries the noise of all answers beside it, as the flooding of `PathCost` for sums
/// of trees counts it.
#[test]
fn packed_answers_have_the_predicted_noise() {
    let quantizer = common::quantizer(20, 16);
    let forest = common::forest(&quantizer, [30, 3, 1], 120, &mut common::random(1));
    let compiled = ForestBoxes::new(&forest, &quantizer);
    let mut params = path_cost_sum::params_search::search(&compiled, &quantizer, &PlanRequest::default()).unwrap().spec;
    // What is left without re-randomization and cutting is what both are to drown.
    (params.noise_flooding, params.response_bits) = (None, 64);
    let spec = CircuitSpec::PathCostSum(params.clone());
    assert!(params.stride > 1);
    let variance = path_cost_sum::params_search::mean_variance(&compiled, &params);
    let largest = path_cost_sum::params_search::largest_variance(&compiled, &params);
    assert!(largest > variance && largest < 100.0 * variance, "{largest:e} {variance:e}");
    let evaluator = Evaluator::new(&spec, &Model::Forest(forest), &quantizer).unwrap();
    let mut random = common::random(2);
    let key = ClientKey::generate(&spec, &mut OsEntropy);
    let own = evaluator.unpack_key(&[], &mut random).unwrap();
    let moduli = params.plaintext_moduli.concat();
    let opened = Opened::answer(&spec, &key);
    let mut errors = Vec::new();
    for _ in 0..60 {
        let row = common::row(&quantizer, &mut random);
        let request = fhectl_core::circuit::encode(&spec, &quantizer, &key, &row, &mut OsEntropy);
        let answer = evaluator.evaluate(&own, &[&request], &mut random).unwrap().remove(0);
        let shape = params.input.shape;
        let each = PartialGlwe::wire_len(shape, params.stride, 64);
        for (bytes, modulus) in answer.chunks(each).zip(moduli.iter().cycle()) {
            let glwe = PartialGlwe::read(bytes, shape, params.stride, 64).unwrap();
            for phase in opened.phases(&glwe) {
                let step = 2f64.powi(64) / *modulus as f64;
                let place = phase as f64 / step;
                // The distance from the nearest message, as exact as the phase: steps are no whole numbers of words.
                let nearest = ((place.round() as u128) << 64) / u128::from(*modulus);
                errors.push(distance(phase, nearest as u64) / variance.sqrt());
            }
        }
    }
    assert_unit_variance("packed answers", &errors, 0.01);
}

#[test]
fn fresh_encryptions_have_the_predicted_noise() {
    for (shape, bits) in [(GlweShape::new(1, 2048), 40), (GlweShape::new(9, 64), 10), (GlweShape::new(1, 4096), 60)] {
        let secret = GlweSecret::generate(shape, &mut OsEntropy);
        let opened = Opened::of(&secret);
        let layout = SeededLayout { shape, bodies: 2000, bits };
        // Messages that are no multiple of the wire's step, so that its rounding shows.
        let mut messages = vec![0; 2000];
        common::random(3).fill_uniform(&mut messages);
        let list = layout.expand(&layout.encrypt(&secret, &messages, &mut OsEntropy)).unwrap();
        let sigma = noise::seeded_variance(shape, bits).sqrt();
        let errors: Vec<f64> = messages
            .iter()
            .enumerate()
            .map(|(index, message)| {
                let mut lwe = Lwe::zero(shape.lwe_dimension());
                list.add_coefficient(index, 1, &mut lwe);
                distance(opened.phase(&lwe), *message) / sigma
            })
            .collect();
        // Ties are rounded up: half a unit of 2^-64, which shows where the noise is but a few units.
        let bias = 0.5 / 2f64.powi(64) / sigma;
        assert_unit_variance(&format!("{shape:?} at {bits} bits"), &errors, bias);
    }
}

#[test]
fn every_committed_model_stands_on_the_132_bit_curve() {
    for name in MODELS {
        let bundle = bundle(name);
        assert_eq!(bundle.spec.security_bits, SECURITY_BITS);
        assert!(bundle.spec.p_fail_log2.unwrap() <= -128.0);
        for key in bundle.spec.circuit.keys() {
            let dimension = key.shape.lwe_dimension();
            assert!(dimension >= noise::MIN_LWE_DIMENSION, "{name}: {} has dimension {dimension}", key.role);
            let curve = minimal_lwe_variance_for_132_bits_security_tuniform(LweDimension(dimension), 2f64.powi(64)).0;
            let used = noise::fresh_variance(dimension);
            // Up to the last digits of the curve's closed form.
            assert!(
                used >= curve * (1.0 - 1e-6),
                "{name}: {} has noise {used:e}, the curve asks for {curve:e}",
                key.role
            );
        }
    }
}

#[test]
fn paths_of_cmuxes_have_no_more_noise_than_the_search_counted() {
    let quantizer = common::quantizer(20, 64);
    let forest = common::forest(&quantizer, [30, 3, 2], 100, &mut common::random(3));
    let model = Model::Forest(forest.clone());
    // Without flooding: only the noise of the CMUXes is measured, from trivial leaves or from encryptions of zero.
    for reveal in [Reveal::Model, Reveal::Nothing] {
        let request = PlanRequest { circuit: Some(CircuitKind::CmuxForest), reveal, ..PlanRequest::default() };
        let mut spec = plan(&model, &quantizer, Output::Classes(2), &request).unwrap().remove(0).spec;
        let CircuitSpec::CmuxForest(params) = &mut spec else { panic!("a forest was planned as {spec:?}") };
        (params.response_bits, params.noise_flooding) = (64, params.noise_flooding.map(|_| 1));
        let params = params.clone();
        let walk = WalkProgram::new(&forest, &quantizer, params.low, &params.moduli).walk();
        let sigma = ((walk.path_bits * walk.shared) as f64 * params.bits.cmux_variance()).sqrt();
        let evaluator = Evaluator::new(&spec, &model, &quantizer).unwrap();
        let mut random = common::random(4);
        let mut errors = Vec::new();
        for _ in 0..4 {
            let key = ClientKey::generate(&spec, &mut OsEntropy);
            let wire = key.evaluation_key(&spec, &mut OsEntropy);
            let unpacked = evaluator.unpack_key(&wire, &mut random).unwrap();
            for _ in 0..25 {
                let row = common::row(&quantizer, &mut random);
                let request = fhectl_core::circuit::encode(&spec, &quantizer, &key, &row, &mut OsEntropy);
                let answer = evaluator.evaluate(&unpacked, &[&request], &mut random).unwrap().remove(0);
                let glwe = PartialGlwe::read(&answer, params.bits.shape, params.coefficients(), 64).unwrap();
                let scores = model.scores(&row);
                let ideal = |score: i64, m: u64| {
                    (u128::from((score - params.low) as u64 % m) * (1 << 64) / u128::from(m)) as u64
                };
                let ideals = scores.iter().flat_map(|score| params.moduli.iter().map(move |m| ideal(*score, *m)));
                let phases = Opened::answer(&spec, &key).phases(&glwe);
                errors.extend(phases.iter().zip(ideals).map(|(phase, ideal)| distance(*phase, ideal) / sigma));
            }
        }
        let ratio = errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64;
        println!("cmux-forest, reveal {reveal}: measured/bound variance {ratio:.3} over {} coefficients", errors.len());
        // The bound takes every bit for a one, every path for the longest, and masks at leaves that have none.
        assert!((0.05..1.0).contains(&ratio), "measured/bound variance {ratio}");
    }
}
