//! Backends: rows of several clients in one evaluation, each answered under its own key, as if it were alone; and plans for
//! a device.

mod common;

use fhectl_core::bundle::ServerBundle;
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::circuit::{
    CircuitKind, CircuitSpec, ClientKey, EvaluationKey, Evaluator, GroupEvaluator, RowGroup, decode, encode,
};
use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::cpu::{Cpu, CpuKey};
use fhectl_core::fhe::device_profile::{DeviceProfile, ShapeProfile, Timing};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::{GlweShape, Random};
use fhectl_core::model::{Model, Output, class_of_scores};
use fhectl_train::data;
use std::path::Path;
use std::sync::Arc;

struct Hosted {
    bundle: ServerBundle,
    evaluator: Evaluator,
    groups: GroupEvaluator<Cpu>,
}

/// A client's keys, in its hands and in the server's.
struct Client {
    key: ClientKey,
    evaluation: EvaluationKey,
    loaded: CpuKey,
}

fn hosted(name: &str) -> Hosted {
    let bundle = ServerBundle::read(&std::fs::read(format!("compiled_model/{name}/server.zip")).unwrap()).unwrap();
    let evaluator = Evaluator::new(&bundle.spec.circuit, &bundle.server.model, &bundle.spec.quantizer).unwrap();
    let groups = GroupEvaluator::new(&evaluator, &Cpu).unwrap().expect("its circuit has layers");
    Hosted { bundle, evaluator, groups }
}

impl Hosted {
    fn circuit(&self) -> &CircuitSpec {
        &self.bundle.spec.circuit
    }

    fn client(&self) -> Client {
        let mut random = Random::fresh(&mut OsEntropy);
        let key = ClientKey::generate(self.circuit(), &mut OsEntropy);
        let wire = key.evaluation_key(self.circuit(), &mut OsEntropy);
        let evaluation = self.evaluator.unpack_key(&wire, &mut random).unwrap();
        let loaded = self.groups.load_key(&Cpu, &wire, &mut random).unwrap();
        Client { key, evaluation, loaded }
    }

    /// Quantized rows: random ones of a tree, whose classes are exact; a network's are told apart in its own data.
    fn rows(&self, count: usize, random: &mut Random) -> Vec<Vec<u32>> {
        let spec = &self.bundle.spec;
        if !spec.circuit.is_exact() {
            let digits = data::load("digits", Path::new("datasets"), None, None).unwrap();
            let any = |_| &digits.rows[random.below(digits.rows.len() as u64) as usize];
            return (0..count).map(any).map(|row| spec.quantize(row).unwrap()).collect();
        }
        let features = &self.bundle.spec.quantizer.features;
        let row = |random: &mut Random| features.iter().map(|f| random.below(u64::from(f.levels())) as u32).collect();
        (0..count).map(|_| row(random)).collect()
    }

    fn class(&self, row: &[u32]) -> usize {
        class_of_scores(&self.bundle.server.model.scores(row))
    }

    /// Of rows of two clients in one evaluation, those that have the class of the model in clear.
    fn agreeing(&self, each: [usize; 2]) -> usize {
        let mut random = Random::fresh(&mut OsEntropy);
        let clients = [self.client(), self.client()];
        let rows = each.map(|count| self.rows(count, &mut random));
        let requests: Vec<Vec<Vec<u8>>> = clients
            .iter()
            .zip(&rows)
            .map(|(client, rows)| {
                let quantizer = &self.bundle.spec.quantizer;
                rows.iter().map(|row| encode(self.circuit(), quantizer, &client.key, row, &mut OsEntropy)).collect()
            })
            .collect();
        let borrowed: Vec<Vec<&[u8]>> = requests.iter().map(|of| of.iter().map(Vec::as_slice).collect()).collect();
        let groups: Vec<RowGroup<'_, Cpu>> = clients
            .iter()
            .zip(&borrowed)
            .map(|(client, requests)| RowGroup { key: &client.evaluation, loaded: &client.loaded, requests })
            .collect();
        let answers = self.groups.evaluate(&Cpu, &groups, &mut random).unwrap();
        assert_eq!(answers.len(), 2);
        let mut agreeing = 0;
        for ((client, rows), answers) in clients.iter().zip(&rows).zip(answers) {
            let answers = answers.unwrap();
            assert_eq!(answers.len(), rows.len());
            for (row, answer) in rows.iter().zip(answers) {
                let scores = decode(self.circuit(), &client.key, &answer).unwrap();
                agreeing += usize::from(scores.class() == self.class(row));
            }
        }
        agreeing
    }
}

#[test]
fn a_trees_rows_of_two_clients_are_exact() {
    assert_eq!(hosted("tree-spam-leaf-sum").agreeing([40, 25]), 65);
}

#[test]
fn a_networks_rows_of_two_clients_are_answered_under_their_own_keys() {
    // Scores carry noise: a class may differ. Of answers under another's key one in ten would agree.
    let agreeing = hosted("cnn-digits").agreeing([9, 7]);
    assert!(agreeing >= 12, "{agreeing} of 16");
}

#[test]
fn what_is_wrong_with_one_clients_rows_is_not_the_others_trouble() {
    let hosted = hosted("tree-spam-leaf-sum");
    let mut random = Random::fresh(&mut OsEntropy);
    let clients = [hosted.client(), hosted.client()];
    let row = hosted.rows(1, &mut random).remove(0);
    let good = encode(hosted.circuit(), &hosted.bundle.spec.quantizer, &clients[1].key, &row, &mut OsEntropy);
    let cut = &good[..good.len() - 1];
    let requests: [&[&[u8]]; 2] = [&[&good, cut], &[&good]];
    let groups = [0, 1].map(|index| RowGroup {
        key: &clients[index].evaluation,
        loaded: &clients[index].loaded,
        requests: requests[index],
    });
    let answers = hosted.groups.evaluate(&Cpu, &groups, &mut random).unwrap();
    let error = answers[0].as_ref().unwrap_err();
    assert_eq!(error.code, ErrorCode::CiphertextInvalid);
    assert!(error.to_string().contains("input 1"), "{error}");
    let scores = decode(hosted.circuit(), &clients[1].key, &answers[1].as_ref().unwrap()[0]).unwrap();
    assert_eq!(scores.class(), hosted.class(&row));
}

/// Answers that nothing is added to would show what the model computed.
#[test]
fn no_answer_is_given_under_a_key_without_its_public_part() {
    let hosted = hosted("tree-spam-leaf-sum");
    let mut random = Random::fresh(&mut OsEntropy);
    let client = hosted.client();
    let row = hosted.rows(1, &mut random).remove(0);
    let request = encode(hosted.circuit(), &hosted.bundle.spec.quantizer, &client.key, &row, &mut OsEntropy);
    let wire = client.key.evaluation_key(hosted.circuit(), &mut OsEntropy);
    let private = EvaluationKey::unpack(hosted.evaluator.key_parts(), None, &wire, None).unwrap();
    let groups = [RowGroup { key: &private, loaded: &client.loaded, requests: &[&request] }];
    let answers = hosted.groups.evaluate(&Cpu, &groups, &mut random).unwrap();
    assert_eq!(answers[0].as_ref().unwrap_err().code, ErrorCode::KeyMissing);
}

#[test]
fn circuits_that_do_more_than_sum_and_look_up_have_no_layers() {
    let bundle = ServerBundle::read(&std::fs::read("compiled_model/tree-spam/server.zip").unwrap()).unwrap();
    let evaluator = Evaluator::new(&bundle.spec.circuit, &bundle.server.model, &bundle.spec.quantizer).unwrap();
    assert!(GroupEvaluator::new(&evaluator, &Cpu).unwrap().is_none());
}

/// Where a device is planned for, its own times decide: of shapes that it has code for, and of no others.
#[test]
fn plans_for_a_device_follow_what_was_measured_there() {
    let quantizer = common::quantizer(40, 16);
    let shapes = [common::dense(40, 24), common::dense(24, 3)];
    let network = Model::Network(common::network(&quantizer, &shapes, &[-1, 1], &mut common::random(1)));
    let tree = Model::Tree(common::tree(&quantizer, 3, 2, &mut common::random(1)));
    let only = GlweShape::new(3, 512);
    let timings = vec![Timing { ciphertexts: 1, seconds: 1e-4 }, Timing { ciphertexts: 4096, seconds: 4e-3 }];
    let profile = DeviceProfile {
        device: "a device".into(),
        shapes: vec![ShapeProfile { output: only, lwe_dimension: 640, levels: 1, timings }],
    };
    for (model, output, circuit) in
        [(network, Output::Classes(3), CircuitKind::Network), (tree, Output::Classes(2), CircuitKind::LeafSum)]
    {
        let processor = PlanRequest { circuit: Some(circuit), ..PlanRequest::default() };
        let device = PlanRequest { device: Some(Arc::new(profile.clone())), ..processor.clone() };
        let [on_processor, on_device] =
            [&processor, &device].map(|request| plan(&model, &quantizer, output, request).unwrap().remove(0));
        assert_eq!(on_processor.device_seconds, None);
        let shape = on_device.spec.part_params()[0].bootstrap().unwrap().output;
        assert_eq!(shape, only, "{circuit}");
        let seconds = on_device.seconds(2);
        assert!(seconds < on_processor.seconds(2), "{circuit}: {seconds} s");
        on_device.spec.check(&quantizer, output).unwrap();
    }
    // A device without code for any shape changes nothing.
    let none = DeviceProfile { device: "another".into(), shapes: Vec::new() };
    let tree = Model::Tree(common::tree(&quantizer, 3, 2, &mut common::random(1)));
    let processor = PlanRequest { circuit: Some(CircuitKind::LeafSum), ..PlanRequest::default() };
    let device = PlanRequest { device: Some(Arc::new(none)), ..processor.clone() };
    let plans = [&processor, &device].map(|request| plan(&tree, &quantizer, Output::Classes(2), request).unwrap());
    assert_eq!(plans[0], plans[1]);
}
