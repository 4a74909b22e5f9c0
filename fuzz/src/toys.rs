//! A model of every circuit, at the smallest keys that are taken: fast to compute, not meant to be right.

use crate::documents::zips;
use fhectl_core::bundle::ServerBundle;
use fhectl_core::circuit::{ClientKey, EvaluationKey, Evaluator};
use fhectl_core::fhe::{Entropy, Random, Seed};
use std::sync::{LazyLock, OnceLock};

/// `client.json` and `model.json` of the known answers, which are of the current format: also the first inputs of
/// `bundle_documents`.
macro_rules! documents {
    ($($name:literal),*) => {
        [$((
            include_str!(concat!("../../tests/vectors/", $name, "/client.json")),
            include_str!(concat!("../../tests/vectors/", $name, "/model.json")),
        )),*]
    };
}

const DOCUMENTS: [(&str, &str); 8] = documents![
    "cmux-forest", "leaf-sum", "linear", "network", "network-coarse", "path-cost", "path-cost-sum", "table"
];

/// A model with keys of a client.
pub struct Toy {
    pub bundle: ServerBundle,
    pub evaluator: Evaluator,
    pub secret: ClientKey,
    key: OnceLock<EvaluationKey>,
}

/// One of the models, by any byte.
pub fn toy(choice: u8) -> &'static Toy {
    static TOYS: LazyLock<Vec<Toy>> = LazyLock::new(|| DOCUMENTS.iter().map(|(client, model)| Toy::new(client, model)).collect());
    &TOYS[usize::from(choice) % TOYS.len()]
}

impl Toy {
    fn new(client_json: &str, model_json: &str) -> Self {
        let (client_json, model_json) = (client_json.trim_end(), model_json.trim_end());
        let bundle = ServerBundle::read(&zips(client_json, model_json).1).expect(client_json);
        let (spec, mut entropy) = (&bundle.spec, Counter(0));
        let evaluator = Evaluator::new(&spec.circuit, &bundle.server.model, &spec.quantizer).expect(client_json);
        let secret = ClientKey::generate(&spec.circuit, &mut entropy);
        Self { bundle, evaluator, secret, key: OnceLock::new() }
    }

    /// The evaluation key of `secret`, as the server holds it.
    pub fn key(&self) -> &EvaluationKey {
        self.key.get_or_init(|| {
            let wire = self.secret.evaluation_key(self.evaluator.spec(), &mut Counter(2));
            self.evaluator.unpack_key(&wire, &mut Random::fresh(&mut Counter(3))).expect("its own key")
        })
    }
}

/// The same seeds in every run, so that what was found is found again.
pub struct Counter(pub u128);

impl Entropy for Counter {
    fn seed(&mut self) -> Seed {
        self.0 += 1;
        Seed(self.0.to_le_bytes())
    }
}

/// Bytes repeated up to a length: what passes for a ciphertext, because those of the models here are whole bytes.
pub fn fill(bytes: &[u8], length: usize) -> Vec<u8> {
    let source = if bytes.is_empty() { &[0] } else { bytes };
    source.iter().copied().cycle().take(length).collect()
}
