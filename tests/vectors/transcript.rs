//! One exchange of a client and a server at fixed seeds, as files.

use super::cases::Case;
use fhectl_core::bundle::{ClientSpec, Predicted};
use fhectl_core::bundle::{ModelId, pack};
use fhectl_core::circuit::{self, CircuitSpec, Scores};
use fhectl_core::client::{ClientKeys, ClientModel, Detail};
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::{Entropy, Random, Seed};
use fhectl_core::protocol::frame::{self, Asked, KeyDigest, Lengths, NO_KEY};
use fhectl_core::server_model::ServerModel;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Framed evaluation keys up to this many bytes are kept whole.
const WHOLE: usize = 64 << 10;

/// Seeds for tests only: 1, 2, 3, ...
pub struct Counter(u128);

impl Entropy for Counter {
    fn seed(&mut self) -> Seed {
        self.0 += 1;
        Seed(self.0.to_le_bytes())
    }
}

/// What an exchange leaves, by the names of files.
pub type Files = BTreeMap<&'static str, Vec<u8>>;

/// A client with its keys, and its server.
pub struct Transcript {
    client: ClientModel,
    server: ServerModel,
    pub keys: ClientKeys,
    entropy: u128,
}

impl Transcript {
    pub fn new(case: &Case) -> Self {
        let (client_zip, server_zip) = pack(&case.client, &case.server).unwrap();
        let client = ClientModel::read(&client_zip).unwrap();
        let server = ServerModel::read(&server_zip).unwrap();
        let mut entropy = Counter(0);
        let keys = client.generate_keys(&mut entropy);
        Self { client, server, keys, entropy: entropy.0 }
    }

    fn circuit(&self) -> &CircuitSpec {
        &self.client.spec().circuit
    }

    /// The framed evaluation key; empty where there is none.
    fn key(&self) -> &[u8] {
        self.keys.evaluation()
    }

    fn digest(&self) -> KeyDigest {
        if self.key().is_empty() { NO_KEY } else { Sha256::digest(self.key()).into() }
    }

    /// Makes all files.
    pub fn make(&self, case: &Case) -> Files {
        let mut secret = Vec::new();
        self.keys.secret().write(&mut secret);
        let (request, answers) = self.exchange(case);
        let scores = self.scores_json(case, &answers);
        let mut files = Files::from([
            ("client.json", line(serde_json::to_string(&case.client).unwrap())),
            ("model.json", line(serde_json::to_string(&case.server).unwrap())),
            ("rows.json", line(serde_json::to_string(&case.rows).unwrap())),
            ("facts.json", self.facts(case)),
            ("secret.bin", secret),
            ("request.bin", request),
            ("answers.bin", answers),
            ("scores.json", scores),
        ]);
        let ranges = self.ranges();
        if !ranges.is_empty() {
            files.insert("key.bin", ranges.iter().flat_map(|(from, to)| &self.key()[*from..*to]).copied().collect());
        }
        files
    }

    /// The framed request, and the server's framed answer to it.
    fn exchange(&self, case: &Case) -> (Vec<u8>, Vec<u8>) {
        let rows: Vec<Vec<u32>> = case.rows.iter().map(|row| self.client.quantize(row).unwrap()).collect();
        let request = self.client.encrypt(&self.keys, &rows, true, &mut Counter(self.entropy)).unwrap();
        let (request, pending) = request.into_parts();

        let mut random = Random::new(Seed([0xA5; 16]));
        let key = self.server.accept_key(self.key(), &mut random).unwrap();
        let answers = self.server.evaluate(&key, &request, &mut random).unwrap();

        let shown = self.client.decrypt(&self.keys, pending, &answers, Detail::Scores).trusted().unwrap();
        let shown: Vec<&Scores> = shown.iter().map(|prediction| prediction.scores().unwrap()).collect();
        assert!(shown.into_iter().eq(&self.scores(&answers)));
        (request, answers)
    }

    /// The scores of framed answers.
    pub fn scores(&self, answers: &[u8]) -> Vec<Scores> {
        let items = self.items(answers);
        items.iter().map(|item| circuit::decode(self.circuit(), self.keys.secret(), item).unwrap()).collect()
    }

    /// The items of framed answers.
    pub fn items(&self, answers: &[u8]) -> Vec<Vec<u8>> {
        let tagged = self.circuit().tag().is_some();
        let asked = Asked { model: self.client.id(), key: &self.digest(), rows: super::cases::ROWS, tagged };
        let batch = frame::read_answers(asked, Lengths::of_answers(self.circuit()), answers).unwrap();
        batch.items.into_iter().map(<[u8]>::to_vec).collect()
    }

    /// What follows from scores: the class, and a number a class or the predicted number.
    pub fn scores_json(&self, case: &Case, answers: &[u8]) -> Vec<u8> {
        let rows = self.scores(answers).into_iter().map(|scores| match case.client.classes.is_empty() {
            true => json!({ "scores": scores.values(), "value": value(&case.client, scores.values()) }),
            false => json!({
                "scores": scores.values(), "class": class(&case.client, scores.values()),
                "class_scores": case.client.class_scores(scores.values())
            }),
        });
        line(serde_json::to_string_pretty(&rows.collect::<Vec<_>>()).unwrap())
    }

    /// What a second implementation must come to by itself, and where in the key the bytes of `key.bin` stand.
    fn facts(&self, case: &Case) -> Vec<u8> {
        let circuit = self.circuit();
        let quantized: Vec<Vec<u32>> = case.rows.iter().map(|row| case.client.quantize(row).unwrap()).collect();
        let facts = json!({
            "id": self.client.id(),
            "quantized": quantized,
            "key_id": ModelId(self.digest()),
            "key_ranges": self.ranges(),
            "sizes": {
                "key": self.key().len(),
                "request": circuit.request_bytes(),
                "response": circuit.response_bytes(),
                "tag_request": circuit.tag_request_bytes(),
                "tag_response": circuit.tag_response_bytes(),
            },
        });
        line(serde_json::to_string_pretty(&facts).unwrap())
    }

    /// The parts of the framed key that are kept: all of it, or header, seeds, the first two GGSWs and the last of each
    /// bootstrap key, and all of the others.
    fn ranges(&self) -> Vec<(usize, usize)> {
        if self.key().len() <= WHOLE {
            return if self.key().is_empty() { Vec::new() } else { vec![(0, self.key().len())] };
        }
        let mut at = frame::KEY_HEADER;
        let mut ranges = vec![(0, at)];
        let mut bootstrap = |params: &BootstrapParams, at: &mut usize| {
            let ggsws = params.ggsws();
            let each = ggsws.rows() * ggsws.shape.size * ggsws.key_bits as usize / 8;
            let (first, end) = (*at + 16, *at + ggsws.layout().wire_len());
            ranges.push((*at, first + 2 * each));
            ranges.push((end - each, end));
            *at = end;
        };
        match self.circuit() {
            CircuitSpec::LeafSum(params) => bootstrap(&params.bootstrap, &mut at),
            CircuitSpec::Network(params) => {
                bootstrap(&params.first.bootstrap, &mut at);
                if let Some(inner) = &params.inner {
                    at += inner.keyswitch.layout().wire_len();
                    bootstrap(&inner.stage.bootstrap, &mut at);
                    let from = ranges[2].1;
                    ranges.insert(3, (from, from + inner.keyswitch.layout().wire_len()));
                }
            }
            _ => panic!("a large key without bootstraps"),
        }
        ranges.push((at, self.key().len()));
        ranges
    }
}

fn line(text: String) -> Vec<u8> {
    (text + "\n").into_bytes()
}

/// The predicted number, where the output is one.
fn value(client: &ClientSpec, scores: &[i64]) -> Option<f64> {
    match client.predict(scores) {
        Predicted::Value(value) => Some(value),
        Predicted::Class(_) => None,
    }
}

/// The predicted class.
fn class(client: &ClientSpec, scores: &[i64]) -> usize {
    match client.predict(scores) {
        Predicted::Class(class) => class,
        Predicted::Value(_) => unreachable!("a classifier"),
    }
}
