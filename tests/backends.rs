//! Rows of several clients in one evaluation: each is answered under its own key, as if it were alone.

use fhectl_core::bundle::ServerBundle;
use fhectl_core::circuit::{
    CircuitSpec, ClientKey, EvaluationKey, Evaluator, GroupEvaluator, RowGroup, decode, encode,
};
use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::Random;
use fhectl_core::fhe::cpu::{Cpu, CpuKey};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::model::class_of_scores;

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

    /// Random quantized rows.
    fn rows(&self, count: usize, random: &mut Random) -> Vec<Vec<u32>> {
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
    // Scores carry noise: a class or two may differ. Of answers under another's key one in ten would agree.
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
