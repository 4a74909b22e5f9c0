//! Encrypted networks: noise at every layer against its formula, and the simulator against encrypted inference.

mod common;

use common::opened::Opened;
use common::{dense, network, quantizer, row};
use fhectl_core::circuit::network::{NetworkParams, layer_program::LayerProgram};
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::circuit::{CircuitSpec, ClientKey, EvaluationKey, Evaluator, decode, encode};
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::{GlweSecret, Random};
use fhectl_core::model::{IntegerNetwork, MapShape, Model, Output, Quantizer};

const TURN: f64 = 18_446_744_073_709_551_616.0;

fn planned(network: &IntegerNetwork, quantizer: &Quantizer) -> NetworkParams {
    let model = Model::Network(network.clone());
    let classes = network.layers.last().unwrap().map.shape.outputs();
    model.check(quantizer, Output::Classes(classes)).unwrap();
    let chosen = plan(&model, quantizer, Output::Classes(classes), &PlanRequest::default()).unwrap().remove(0);
    chosen.spec.check(quantizer, Output::Classes(classes)).unwrap();
    let CircuitSpec::Network(params) = chosen.spec else { panic!("{:?}", chosen.spec) };
    println!("{params:?}, {:.1} ms of one core", chosen.core_seconds * 1e3);
    params
}

/// A convolution with padding, a dense layer, scores.
fn two_layers() -> (Quantizer, IntegerNetwork) {
    let conv = MapShape::Conv { height: 6, width: 5, channels: 1, filters: 3, kernel: [3, 3], stride: 2, padding: 1 };
    let quantizer = quantizer(30, 8);
    let shapes = [conv, dense(27, 12), dense(12, 4)];
    let network = network(&quantizer, &shapes, &[0, 1, 2, 3], &mut common::random(2));
    (quantizer, network)
}

fn one_layer() -> (Quantizer, IntegerNetwork) {
    let quantizer = quantizer(40, 16);
    let network = network(&quantizer, &[dense(40, 24), dense(24, 3)], &[-1, 1], &mut common::random(1));
    (quantizer, network)
}

#[test]
fn encrypted_scores_are_off_as_far_as_simulated_ones() {
    for ((quantizer, network), rows) in [(one_layer(), 150), (two_layers(), 100)] {
        let params = planned(&network, &quantizer);
        let spec = CircuitSpec::Network(params.clone());
        let model = Model::Network(network.clone());
        let simulator = spec.simulator(&model).unwrap().unwrap();
        let evaluator = Evaluator::new(&spec, &model, &quantizer).unwrap();
        let key = ClientKey::generate(&spec, &mut OsEntropy);
        let wire = key.evaluation_key(&spec, &mut OsEntropy);
        assert_eq!(wire.len(), spec.key_bytes());
        let mut server = Random::fresh(&mut OsEntropy);
        let unpacked = evaluator.unpack_key(&wire, &mut server).unwrap();
        let mut random = common::random(3);
        let rows: Vec<Vec<u32>> = (0..rows).map(|_| row(&quantizer, &mut random)).collect();
        let requests: Vec<Vec<u8>> =
            rows.iter().map(|row| encode(&spec, &quantizer, &key, row, &mut OsEntropy)).collect();
        let requests: Vec<&[u8]> = requests.iter().map(Vec::as_slice).collect();
        let answers = evaluator.evaluate(&unpacked, &requests, &mut server).unwrap();

        let square = |scores: &[i64], clear: &[i64]| -> f64 {
            scores
                .iter()
                .zip(clear)
                .map(|(a, b)| ((a - b) as f64 / params.score_plaintext_modulus as f64).powi(2))
                .sum()
        };
        let (mut encrypted, mut simulated) = (0.0, 0.0);
        for (index, (row, answer)) in rows.iter().zip(&answers).enumerate() {
            assert_eq!(answer.len(), spec.response_bytes());
            let clear = network.scores(row);
            assert_eq!(network.wraps(row), 0);
            encrypted += square(decode(&spec, &key, answer).unwrap().values(), &clear);
            let draws = (0..20).map(|draw| square(&simulator.scores(row, index as u64 * 20 + draw), &clear));
            simulated += draws.sum::<f64>() / 20.0;
        }
        // Errors of the scores of one row go together: a flipped activation moves all. Count rows, not scores.
        let deviation = (2.0 / rows.len() as f64).sqrt();
        let ratio = encrypted / simulated;
        println!("encrypted/simulated mean square error {ratio:.3}");
        assert!((ratio - 1.0).abs() < 4.0 * deviation, "encrypted/simulated mean square error {ratio}");
    }
}

fn phases(secret: &Opened, list: &LweList) -> Vec<f64> {
    (0..list.len()).map(|index| secret.phase(&list.lwe(index)) as f64 / TURN).collect()
}

/// `a - b` modulo 1, in `[-1/2, 1/2)`.
fn off(a: f64, b: f64) -> f64 {
    (a - b + 0.5).rem_euclid(1.0) - 0.5
}

/// Mean squares of standardized errors must be 1 within four chi-square deviations. Sums of one row share inputs: they
/// count for half of as many independent ones.
fn assert_unit(what: &str, standardized: &[f64]) {
    let n = standardized.len() as f64;
    let independent = n / 2.0;
    let ratio = standardized.iter().map(|e| e * e).sum::<f64>() / n;
    println!("{what}: measured/predicted variance {ratio:.3} over {n}");
    assert!(
        (ratio - 1.0).abs() < 4.0 * (2.0 / independent).sqrt(),
        "{what}: measured/predicted variance {ratio} over {n}"
    );
}

#[test]
fn noise_at_every_layer_is_the_formulas() {
    let (quantizer, network) = two_layers();
    let params = planned(&network, &quantizer);
    let spec = CircuitSpec::Network(params.clone());
    let program = LayerProgram::new(&params, &network).unwrap();
    let squared_norm = |layer: usize, sum: usize| -> f64 {
        program.layers[layer].sums[sum].iter().map(|term| f64::from(term.weight).powi(2)).sum()
    };
    let sums_of = |layer: usize, values: &[f64]| -> Vec<f64> {
        let stage = &program.layers[layer];
        let sums = stage.sums.iter().zip(&stage.constants);
        sums.map(|(terms, constant)| {
            let sum: f64 = terms.iter().map(|t| f64::from(t.weight) * values[t.input as usize]).sum();
            sum + *constant as f64 / TURN
        })
        .collect()
    };
    // Table entries nearest to noisy outputs: what they would be without noise.
    let clean = |layer: usize, values: &[f64]| -> Vec<f64> {
        let nearest = |(sum, value): (usize, &f64)| {
            let entries =
                program.layers[layer].look_up.as_ref().unwrap().table(sum).iter().flat_map(|w| [*w, w.wrapping_neg()]);
            let entries = entries.map(|word| word as f64 / TURN);
            entries.min_by(|a, b| off(*a, *value).abs().total_cmp(&off(*b, *value).abs())).unwrap()
        };
        values.iter().enumerate().map(nearest).collect()
    };
    let parts = spec.part_params();
    let activate = |key: &EvaluationKey, layer: usize, sums: LweList| {
        let layer = &program.layers[layer];
        key.parts().look_up(layer.look_up.as_ref().unwrap(), sums, layer.sums.len(), None).unwrap()
    };
    let (mut first_sums, mut outputs, mut inner_sums, mut scores) = (vec![], vec![], vec![], vec![]);
    let mut random = common::random(4);
    let inner = params.inner.unwrap();
    // Many keys: a keyswitch has an error of each that all its ciphertexts share.
    for _ in 0..8 {
        // Secrets of the shapes that a client's keys have, in its order, so that each layer can be opened.
        let [small, middle, big] = [params.input.shape, inner.keyswitch.to, params.output()]
            .map(|shape| GlweSecret::generate(shape, &mut OsEntropy));
        let mut stored = Vec::new();
        [&small, &middle, &big].into_iter().for_each(|secret| secret.write(&mut stored));
        let [small, middle, big] = [&small, &middle, &big].map(Opened::of);
        let key = ClientKey::read(&spec, &stored).unwrap();
        let wire = key.evaluation_key(&spec, &mut OsEntropy);
        let own = &wire[..wire.len() - fhectl_core::fhe::public_key::layout(params.output()).wire_len()];
        let unpacked = |shuffle: Option<&mut Random>| EvaluationKey::unpack(&parts, None, own, shuffle);
        let network_key = unpacked(None).unwrap();
        let shuffled = unpacked(Some(&mut Random::fresh(&mut OsEntropy))).unwrap();
        for _ in 0..8 {
            let row = row(&quantizer, &mut random);
            let request = encode(&spec, &quantizer, &key, &row, &mut OsEntropy);
            let values = params.input.expand(&request).unwrap().to_list();
            let exact: Vec<f64> = row.iter().map(|q| f64::from(*q) / params.plaintext_modulus as f64).collect();

            let sums = program.layers[0].sum(&values, 1);
            for (index, (got, want)) in phases(&small, &sums).iter().zip(sums_of(0, &exact)).enumerate() {
                let variance = squared_norm(0, index) * params.input_variance();
                if variance > 0.0 {
                    first_sums.push(off(*got, want) / variance.sqrt());
                }
            }
            let activations = activate(&network_key, 0, sums.clone());
            // With the key's bits in another order the outputs are the same, with other noise.
            let other = activate(&shuffled, 0, sums);
            assert_ne!(activations, other);
            assert_eq!(clean(0, &phases(&big, &activations)), clean(0, &phases(&big, &other)));
            let got = phases(&big, &activations);
            let want = clean(0, &got);
            outputs.extend(got.iter().zip(&want).map(|(a, b)| off(*a, *b) / params.output_variance(0).sqrt()));

            let sums = program.layers[1].sum(&activations, 1);
            let switched = network_key.parts().keyswitch(1).unwrap().switch(&sums);
            for (index, (got, want)) in phases(&middle, &switched).iter().zip(sums_of(1, &want)).enumerate() {
                let variance = squared_norm(1, index) * params.output_variance(0) + inner.keyswitch.variance();
                inner_sums.push(off(*got, want) / variance.sqrt());
            }
            let activations = activate(&network_key, 1, sums);
            let want = clean(1, &phases(&big, &activations));
            let sums = program.layers[2].sum(&activations, 1);
            for (index, (got, want)) in phases(&big, &sums).iter().zip(sums_of(2, &want)).enumerate() {
                let variance = squared_norm(2, index) * params.output_variance(1);
                scores.push(off(*got, want) / variance.sqrt());
            }
        }
    }
    assert_unit("sums of the first layer", &first_sums);
    assert_unit("outputs of the first bootstraps", &outputs);
    assert_unit("switched sums of the second layer", &inner_sums);
    assert_unit("scores", &scores);
}
