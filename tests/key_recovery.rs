//! Key recovery by a server that sees the scores that its client wrote down.

mod common;

use common::recovery::{assert_key_stays, written_scores};
use fhectl_core::bundle::{ClientSpec, folder};
use fhectl_core::circuit::network::NetworkParams;
use fhectl_core::circuit::{CircuitSpec, ClientKey};
use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::disclosure::WORDS;
use fhectl_core::fhe::random::OsEntropy;
use std::collections::BTreeMap;
use std::path::Path;

const NETWORKS: [&str; 3] = ["cnn-digits", "mlp-mnist", "cnn-mnist"];

fn committed(name: &str) -> ClientSpec {
    folder::read_client(&Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model").join(name)).unwrap().spec
}

fn network(spec: &ClientSpec) -> NetworkParams {
    match &spec.circuit {
        CircuitSpec::Network(params) => params.clone(),
        other => panic!("{other:?}"),
    }
}

/// Bundles that ask for the finest scores.
fn hostile() -> Vec<(&'static str, NetworkParams)> {
    let params = network(&committed("cnn-digits"));
    let fine = |score_plaintext_modulus, response_bits| NetworkParams {
        score_plaintext_modulus,
        response_bits,
        ..params.clone()
    };
    let hostile =
        [("a fine modulus", fine(1 << 40, 14)), ("odd levels", fine(6006, 15)), ("wide words", fine(1 << 40, 40))];
    for (_, params) in &hostile {
        let spec = ClientSpec { circuit: CircuitSpec::Network(params.clone()), ..committed("cnn-digits") };
        spec.check().unwrap();
    }
    hostile.into()
}

#[test]
fn written_scores_of_networks_do_not_give_the_key() {
    let mut random = common::random(11);
    for name in NETWORKS {
        assert_key_stays(name, &network(&committed(name)), &mut random);
    }
    for (name, params) in hostile() {
        assert_key_stays(name, &params, &mut random);
    }
}

/// Whatever the bundle says, each score that can be written stands for at least as many adjacent phases as
/// `fhe::disclosure` requires.
#[test]
fn every_written_score_stands_for_many_phases() {
    let committed: Vec<_> = NETWORKS.iter().map(|name| (*name, network(&committed(name)))).collect();
    for (name, mut params) in committed.into_iter().chain(hostile()) {
        // The rule looks at nothing else of the key's shape but its dimension; all phases of longer words are too many.
        params.response_bits = params.response_bits.min(18);
        let key = ClientKey::generate(&CircuitSpec::Network(params.clone()), &mut OsEntropy);
        let written = written_scores(&params, &key);
        let mut phases: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        written.iter().enumerate().for_each(|(phase, score)| phases.entry(*score).or_default().push(phase));
        let least = phases.values().map(Vec::len).min().unwrap();
        println!("{name}: {} scores, each of at least {least} phases", phases.len());
        assert!(least as u64 >= WORDS, "{name}: a score of {least} phases");
        let whole_turn = written.len();
        for of_one in phases.values() {
            let span = |from: usize| {
                (of_one[(from + of_one.len() - 1) % of_one.len()] + whole_turn - of_one[from]) % whole_turn
            };
            assert!((0..of_one.len()).any(|from| span(from) + 1 == of_one.len()), "{name}: {of_one:?}");
        }
    }
}

#[test]
fn what_could_not_be_written_safely_is_refused() {
    let spec = committed("cnn-digits");
    for (score_plaintext_modulus, response_bits) in [(1 << 20, 41), (1 << 20, 64), (494, 7)] {
        let params = NetworkParams { score_plaintext_modulus, response_bits, ..network(&spec) };
        let hostile = ClientSpec { circuit: CircuitSpec::Network(params), ..spec.clone() };
        assert_eq!(hostile.check().unwrap_err().code, ErrorCode::ParametersInvalid, "{response_bits}");
    }
    // Masks that are not re-randomized are sums of the model's choice, all multiples of 16 words if it likes.
    let bare = NetworkParams { noise_flooding: None, ..network(&spec) };
    let hostile = ClientSpec { circuit: CircuitSpec::Network(bare), ..spec.clone() };
    assert_eq!(hostile.check().unwrap_err().code, ErrorCode::ParametersInvalid);
}

macro_rules! lie {
    ($circuit:ident, |$params:ident| $change:expr) => {
        |spec| match spec {
            CircuitSpec::$circuit($params) => {
                $change;
            }
            other => panic!("{other:?}"),
        }
    };
}

/// A change of the parameters that raises the failure rate while the bundle still states the old one.
type Lie = fn(&mut CircuitSpec);

/// Exact circuits with parameters of a hostile bundle: with steps as fine as the noise, answers would be equations in the key.
#[test]
fn bundles_whose_parameters_cannot_be_exact_are_refused_whatever_they_say() {
    let lies: [(&str, Lie); 13] = [
        ("linreg-diabetes", lie!(Linear, |p| p.step_log2 = 40)),
        ("linreg-diabetes", lie!(Linear, |p| (p.step_log2, p.response_bits, p.noise_flooding) = (6, 64, None))),
        ("tree-spam", lie!(PathCost, |p| p.response_bits = 9)),
        ("tree-spam", lie!(PathCost, |p| p.modulus = 65_521)),
        ("tree-spam", lie!(PathCost, |p| p.noise_flooding = p.noise_flooding.map(|f| f + f / 4))),
        ("tree-spam", lie!(PathCost, |p| p.input.bits = 8)),
        ("boost-spam", lie!(PathCostSum, |p| p.response_bits = 11)),
        ("boost-spam-cmux-forest", lie!(CmuxForest, |p| p.bits.key_bits = 20)),
        ("boost-spam-cmux-forest", lie!(CmuxForest, |p| p.response_bits = 10)),
        ("boost-spam-cmux-forest", lie!(CmuxForest, |p| (p.cmuxes, p.bits.key_bits) = (0, 20))),
        ("tree-spam-leaf-sum", lie!(LeafSum, |p| p.bootstrap.base_log = 23)),
        ("tree-spam-leaf-sum", lie!(LeafSum, |p| p.plaintext_modulus = 64)),
        ("qnn-iris", lie!(Table, |p| p.bits.key_bits = 24)),
    ];
    for (index, (name, lie)) in lies.into_iter().enumerate() {
        let mut spec = committed(name);
        spec.check_failure(-128.0).unwrap();
        lie(&mut spec.circuit);
        spec.check().unwrap();
        let refused = spec.check_failure(-128.0).map_err(|error| error.code);
        assert_eq!(refused, Err(ErrorCode::FailureRate), "{index}: {:?}", spec.circuit);
    }
}
