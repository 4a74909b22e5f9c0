//! Whole circuits of two clients in one evaluation: answers are what the model says in the clear.

#![allow(clippy::print_stdout)]

mod support;

#[path = "../../../tests/common/mod.rs"]
mod common;

use common::{dense, network, quantizer, row, tree};
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::circuit::{
    CircuitKind, CircuitSpec, ClientKey, EvaluationKey, Evaluator, GroupEvaluator, RowGroup, Scores, decode, encode,
};
use fhectl_core::error::Result;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::{GlweShape, Random};
use fhectl_core::model::{IntegerNetwork, Model, Output, Quantizer};
use fhectl_cuda::{Device, Key};
use support::device;

/// A client with its key on both sides.
struct Party {
    key: ClientKey,
    unpacked: EvaluationKey,
    loaded: Key,
}

/// A model on a device, with clients.
struct Setting<'a> {
    device: &'a Device,
    spec: CircuitSpec,
    quantizer: Quantizer,
    on_device: GroupEvaluator<Device>,
    parties: Vec<Party>,
}

impl<'a> Setting<'a> {
    fn new(device: &'a Device, spec: CircuitSpec, model: &Model, quantizer: Quantizer, clients: usize) -> Self {
        let evaluator = Evaluator::new(&spec, model, &quantizer).unwrap();
        let on_device = GroupEvaluator::new(&evaluator, device).unwrap().expect("a circuit of layers");
        let mut random = Random::fresh(&mut OsEntropy);
        let parties = (0..clients).map(|_| {
            let key = ClientKey::generate(&spec, &mut OsEntropy);
            let wire = key.evaluation_key(&spec, &mut OsEntropy);
            let loaded = on_device.load_key(device, &wire, &mut random).unwrap();
            Party { unpacked: evaluator.unpack_key(&wire, &mut random).unwrap(), key, loaded }
        });
        let parties = parties.collect();
        Self { device, spec, quantizer, on_device, parties }
    }

    /// The scores of each client's rows.
    fn scores(&self, rows: &[Vec<Vec<u32>>]) -> Vec<Vec<Scores>> {
        let encrypt = |(party, rows): (&Party, &Vec<Vec<u32>>)| -> Vec<Vec<u8>> {
            rows.iter().map(|row| encode(&self.spec, &self.quantizer, &party.key, row, &mut OsEntropy)).collect()
        };
        let requests: Vec<Vec<Vec<u8>>> = self.parties.iter().zip(rows).map(encrypt).collect();
        let slices: Vec<Vec<&[u8]>> = requests.iter().map(|rows| rows.iter().map(Vec::as_slice).collect()).collect();
        let groups: Vec<RowGroup<'_, Device>> = self
            .parties
            .iter()
            .zip(&slices)
            .map(|(party, requests)| RowGroup { key: &party.unpacked, loaded: &party.loaded, requests })
            .collect();
        let mut random = Random::fresh(&mut OsEntropy);
        let answers = self.on_device.evaluate(self.device, &groups, &mut random).unwrap();
        let decrypt = |(party, answers): (&Party, Result<Vec<Vec<u8>>>)| -> Vec<Scores> {
            answers.unwrap().iter().map(|answer| decode(&self.spec, &party.key, answer).unwrap()).collect()
        };
        self.parties.iter().zip(answers).map(decrypt).collect()
    }

    fn rows(&self, of: &[usize], random: &mut Random) -> Vec<Vec<Vec<u32>>> {
        of.iter().map(|count| (0..*count).map(|_| row(&self.quantizer, random)).collect()).collect()
    }
}

fn planned(model: &Model, quantizer: &Quantizer, output: Output, request: &PlanRequest) -> CircuitSpec {
    plan(model, quantizer, output, request).unwrap().remove(0).spec
}

/// Scores of encrypted networks have noise, which moves a row's scores together. They are as near to the clear ones as
/// the simulator's.
fn check_network(quantizer: Quantizer, network: &IntegerNetwork, rows: &[usize]) {
    let Some(device) = device() else { return };
    let model = Model::Network(network.clone());
    let classes = network.layers.last().unwrap().map.shape.outputs();
    let spec = planned(&model, &quantizer, Output::Classes(classes), &PlanRequest::default());
    let CircuitSpec::Network(params) = &spec else { panic!("{spec:?}") };
    println!("{params:?}");
    assert_eq!(params.inner.is_some(), network.layers.len() > 2);
    let simulator = spec.simulator(&model).unwrap().unwrap();
    let modulus = params.score_plaintext_modulus as f64;
    let setting = Setting::new(&device, spec.clone(), &model, quantizer, rows.len());
    let rows = setting.rows(rows, &mut common::random(5));
    let got = setting.scores(&rows);
    let square =
        |a: &[i64], b: &[i64]| -> f64 { a.iter().zip(b).map(|(a, b)| ((a - b) as f64 / modulus).powi(2)).sum() };
    let (mut encrypted, mut simulated, mut draw) = (0.0, 0.0, 0);
    for (row, got) in rows.iter().flatten().zip(got.iter().flatten()) {
        let clear = network.scores(row);
        encrypted += square(got.values(), &clear);
        for _ in 0..50 {
            draw += 1;
            simulated += square(&simulator.scores(row, draw), &clear) / 50.0;
        }
    }
    println!("square error: encrypted {encrypted:.2e}, simulated {simulated:.2e}");
    // A wrong bootstrap would be off by a good part of the modulus.
    let deviation = (2.0 / rows.iter().flatten().count() as f64).sqrt();
    assert!(encrypted <= simulated * (1.0 + 6.0 * deviation) + 0.01);
}

#[test]
fn networks_of_one_hidden_layer_answer_two_clients() {
    let quantizer = quantizer(60, 32);
    let mut network = network(&quantizer, &[dense(60, 4), dense(4, 3)], &[0, 1, 2, 3], &mut common::random(1));
    // With less noise the planner takes polynomials that there are kernels for.
    network.layers.iter_mut().for_each(|layer| layer.noise = 0.005);
    check_network(quantizer, &network, &[1, 2]);
}

#[test]
fn networks_of_two_hidden_layers_answer_two_clients() {
    let quantizer = quantizer(12, 8);
    let shapes = [dense(12, 3), dense(3, 3), dense(3, 3)];
    let network = network(&quantizer, &shapes, &[0, 1], &mut common::random(2));
    check_network(quantizer, &network, &[2, 1]);
}

#[test]
fn trees_by_leaf_sum_answer_two_clients() {
    let Some(device) = device() else { return };
    let quantizer = quantizer(5, 6);
    let tree = tree(&quantizer, 3, 3, &mut common::random(3));
    let model = Model::Tree(tree.clone());
    let request = PlanRequest { circuit: Some(CircuitKind::LeafSum), ..PlanRequest::default() };
    let spec = planned(&model, &quantizer, Output::Classes(3), &request);
    let setting = Setting::new(&device, spec, &model, quantizer, 2);
    let rows = setting.rows(&[3, 2], &mut common::random(4));
    let got = setting.scores(&rows);
    for (row, got) in rows.iter().flatten().zip(got.iter().flatten()) {
        assert_eq!(got.class(), tree.class(row) as usize);
    }
}

/// The planner is free to take shapes that there are no kernels for; the processor computes them.
#[test]
fn other_shapes_are_left_to_the_processor() {
    let Some(device) = device() else { return };
    let quantizer = quantizer(12, 8);
    let network = network(&quantizer, &[dense(12, 4), dense(4, 3)], &[-1, 1], &mut common::random(1));
    let model = Model::Network(network);
    let mut spec = planned(&model, &quantizer, Output::Classes(3), &PlanRequest::default());
    let CircuitSpec::Network(params) = &mut spec else { panic!("{spec:?}") };
    params.first.bootstrap.output = GlweShape::new(6, 256);
    let evaluator = Evaluator::new(&spec, &model, &quantizer).unwrap();
    assert!(GroupEvaluator::new(&evaluator, &device).unwrap().is_none());
}
