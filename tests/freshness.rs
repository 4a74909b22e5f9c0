//! Equal requests do not give equal noise. Attacks of a client, which has its secret key: it sends one ciphertext many times,
//! changes the noise of a feature's bits, or repeats the server's computation.
//!
//! The attacker gets more than the wire carries: answers at full precision without flooding. Each attack is first shown to
//! work on the same circuit without fresh encryptions of zero (`--reveal model`).

mod common;

use common::chance::{chi_square_bound, correlation, mean, standard_errors, variance};
use common::opened::Opened;
use fhectl_core::circuit::boxes::Boxes;
use fhectl_core::circuit::leaf_sum::{self, LeafSumParams};
use fhectl_core::circuit::network::layer_program::LayerProgram;
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::circuit::{CircuitKind, CircuitSpec, ClientKey, EvaluationKey, Evaluator, Reveal, encode};
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::pbs::BootstrapKey;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::rerandomize::Rerandomizer;
use fhectl_core::fhe::zeros::Zeros;
use fhectl_core::fhe::{GlweSecret, Lwe, PartialGlwe, Random, SeededLayout, wire};
use fhectl_core::model::{ClassNode, IntegerForest, IntegerTree, Model, Output, Quantizer};

/// The distance of a phase from the nearest of `modulus` messages, in turns.
fn noise(phase: u64, modulus: u64) -> f64 {
    let nearest = (u128::from(phase) * u128::from(modulus) + (1 << 63)) >> 64;
    phase.wrapping_sub(((nearest << 64) / u128::from(modulus)) as u64) as i64 as f64 / 2f64.powi(64)
}

/// Parameters whose answers are neither rounded nor flooded, and without `fresh` not re-randomized.
fn spec(model: &Model, quantizer: &Quantizer, kind: CircuitKind, fresh: bool) -> CircuitSpec {
    // A failure rate that keeps keys small: what is measured does not depend on it.
    let request =
        PlanRequest { circuit: Some(kind), reveal: Reveal::Nothing, p_fail_log2: -30.0, ..PlanRequest::default() };
    let mut spec = plan(model, quantizer, Output::Classes(2), &request).unwrap().remove(0).spec;
    let (bits, flood) = match &mut spec {
        CircuitSpec::LeafSum(params) => (&mut params.response_bits, &mut params.noise_flooding),
        CircuitSpec::CmuxForest(params) => (&mut params.response_bits, &mut params.noise_flooding),
        CircuitSpec::Table(params) => (&mut params.response_bits, &mut params.noise_flooding),
        CircuitSpec::Network(params) => (&mut params.response_bits, &mut params.noise_flooding),
        _ => panic!("{kind} floods its noise away"),
    };
    (*bits, *flood) = (64, fresh.then_some(1));
    spec
}

/// A model, and a client that measures the noise of its answers.
struct Served<'a> {
    spec: CircuitSpec,
    quantizer: &'a Quantizer,
    evaluator: Evaluator,
    client: ClientKey,
    key: EvaluationKey,
    opened: Opened,
}

impl<'a> Served<'a> {
    fn new(model: &Model, quantizer: &'a Quantizer, kind: CircuitKind, fresh: bool) -> Self {
        let spec = spec(model, quantizer, kind, fresh);
        let evaluator = Evaluator::new(&spec, model, quantizer).unwrap();
        let client = ClientKey::generate(&spec, &mut OsEntropy);
        let wire = client.evaluation_key(&spec, &mut OsEntropy);
        let key = evaluator.unpack_key(&wire, &mut Random::fresh(&mut OsEntropy)).unwrap();
        let opened = Opened::of(client.answer());
        Self { spec, quantizer, evaluator, client, key, opened }
    }

    fn request(&self, row: &[u32]) -> Vec<u8> {
        encode(&self.spec, self.quantizer, &self.client, row, &mut OsEntropy)
    }

    /// The noise of the first score in so many answers to one request.
    fn ask(&self, request: &[u8], times: usize) -> Vec<f64> {
        let mut random = Random::fresh(&mut OsEntropy);
        let answers = self.evaluator.evaluate(&self.key, &vec![request; times], &mut random).unwrap();
        answers.iter().map(|answer| self.noise(answer)).collect()
    }

    fn noise(&self, answer: &[u8]) -> f64 {
        let (shape, modulus) = (self.spec.answer_shape(), self.modulus());
        if let CircuitSpec::CmuxForest(params) = &self.spec {
            let glwe = PartialGlwe::read(answer, shape, params.coefficients(), 64).unwrap();
            return noise(self.opened.phases(&glwe)[0], modulus);
        }
        let dimension = shape.lwe_dimension();
        let lwe = Lwe::read(&answer[..Lwe::wire_len(dimension, 64)], dimension, 64).unwrap();
        noise(self.opened.phase(&lwe), modulus)
    }

    fn modulus(&self) -> u64 {
        match &self.spec {
            CircuitSpec::LeafSum(params) => params.classes as u64,
            CircuitSpec::CmuxForest(params) => params.moduli[0],
            CircuitSpec::Table(params) => 1 << (params.score_bits as usize * params.scores_per_ciphertext),
            // Noise and score together: a network's differences are what is looked at.
            CircuitSpec::Network(_) => 1,
            spec => panic!("{spec:?}"),
        }
    }

    /// The request with the noise of all bits of a feature moved by the least that the server can see.
    fn moved(&self, request: &[u8], feature: usize) -> Vec<u8> {
        let layout = self.spec.input_layout();
        let each = layout.bodies / self.quantizer.features.len();
        let of_feature = feature * each..(feature + 1) * each;
        match &self.spec {
            CircuitSpec::CmuxForest(params) => shift(layout, request, |body| {
                of_feature.contains(&body).then(|| toward_constant(body, params.bits.shape.size, layout.bits))
            }),
            CircuitSpec::Table(params) => shift(layout, request, |body| {
                of_feature.contains(&body).then(|| toward_constant(body, params.bits.shape.size, layout.bits))
            }),
            _ => {
                let unit = least(layout.bits, self.spec.answer_shape().size);
                shift(layout, request, |body| of_feature.contains(&body).then_some(unit))
            }
        }
    }
}

/// A unit of the wire, or of the modulus switch before a bootstrap where that is more.
fn least(bits: u32, size: usize) -> u64 {
    1 << (64 - bits).max(63 - size.ilog2())
}

/// A unit of the wire with the sign with which digits of one sign add up in an answer's constant coefficient.
fn toward_constant(body: usize, size: usize, bits: u32) -> u64 {
    let unit = 1u64 << (64 - bits);
    if body.is_multiple_of(size) { unit } else { unit.wrapping_neg() }
}

/// A request whose bodies are moved.
fn shift(layout: SeededLayout, request: &[u8], by: impl Fn(usize) -> Option<u64>) -> Vec<u8> {
    let (seed, mut bodies) = layout.parse(request).unwrap();
    for (index, body) in bodies.iter_mut().enumerate() {
        *body = body.wrapping_add(by(index).unwrap_or(0));
    }
    let mut moved = seed.0.to_vec();
    wire::pack(&bodies, layout.bits, &mut moved);
    moved
}

/// A full tree that tests these features, one a split from the root on, with leaves that differ from their neighbors.
fn tree(features: &[u32]) -> IntegerTree {
    let splits = features.iter().enumerate().map(|(at, feature)| ClassNode::Split {
        feature: *feature,
        threshold: 1 + at as u32 % 3,
        low: 2 * at as u32 + 1,
        high: 2 * at as u32 + 2,
    });
    let leaves = (0..=features.len() as u32).map(|at| ClassNode::leaf(at % 2));
    IntegerTree::new(2, splits.chain(leaves).collect()).unwrap()
}

/// Models that read every second feature of `quantizer`.
fn subjects() -> Vec<(CircuitKind, Model, Quantizer)> {
    let all = [1, 3, 5, 7, 9, 11, 13];
    let large = Model::Tree(tree(&all));
    // Two trees that share a subtree, and one split alone.
    let shared = [tree(&all[..3]), tree(&[13, 3, 5]), tree(&all[3..6]), tree(&[9])];
    let trees = shared.iter().flat_map(|tree| IntegerForest::of_tree(tree).trees).collect();
    let forest = IntegerForest { trees, ..IntegerForest::of_tree(&shared[0]) };
    // A tree of CMUXes over polynomials, and a table that fits into one.
    let tables = [(6, vec![1, 3, 5]), (3, vec![1])];
    let tables = tables
        .into_iter()
        .map(|(count, features)| (CircuitKind::Table, Model::Tree(tree(&features)), common::quantizer(count, 4)));
    [
        (CircuitKind::LeafSum, large, common::quantizer(14, 4)),
        (CircuitKind::CmuxForest, Model::Forest(forest), common::quantizer(14, 4)),
    ]
    .into_iter()
    .chain(tables)
    .collect()
}

#[test]
fn two_answers_to_one_ciphertext_have_uncorrelated_noise() {
    const CIPHERTEXTS: usize = 400;
    for (kind, model, quantizer) in subjects() {
        for fresh in [false, true] {
            let served = Served::new(&model, &quantizer, kind, fresh);
            let mut random = common::random(1);
            let ciphertexts = if fresh { CIPHERTEXTS } else { 20 };
            let pairs = (0..ciphertexts).map(|_| {
                let request = served.request(&common::row(&quantizer, &mut random));
                let noise = served.ask(&request, 2);
                (noise[0], noise[1])
            });
            let (first, second): (Vec<f64>, Vec<f64>) = pairs.unzip();
            let r = correlation(&first, &second);
            println!("{kind}, {}: correlation {r:.3}", if fresh { "fresh zeros" } else { "without" });
            if fresh {
                // Of independent pairs it spreads by 1/20: four and a half deviations.
                assert!(r.abs() < 4.5 / (CIPHERTEXTS as f64).sqrt(), "{kind}: correlation {r}");
                assert!(variance(&first) > 0.0);
            } else {
                assert_eq!(first, second, "{kind}");
            }
        }
    }
}

/// Differences of mean noise, feature by feature, must be no larger than chance has them, for features that the model reads
/// as for others.
#[test]
fn moving_a_features_noise_does_not_tell_whether_the_model_reads_it() {
    // Not of the last table: all its bits rotate, whatever the model reads.
    for (kind, model, quantizer) in subjects().into_iter().take(3) {
        let used: Vec<bool> = (0..quantizer.features.len()).map(|feature| feature % 2 == 1).collect();
        let row = common::row(&quantizer, &mut common::random(7));

        let weak = Served::new(&model, &quantizer, kind, false);
        let request = weak.request(&row);
        let before = weak.ask(&request, 1);
        let found: Vec<bool> = (0..used.len()).map(|f| weak.ask(&weak.moved(&request, f), 1) != before).collect();
        match kind {
            // Bits that rotate reach the noise in any case; those that choose among polynomials where these differ.
            CircuitKind::Table => assert!(found != [true; 6] && used.iter().zip(&found).all(|(u, f)| *f || !u)),
            _ => assert_eq!(found, used, "{kind}: one answer a feature tells the features that are read"),
        }

        let served = Served::new(&model, &quantizer, kind, true);
        let request = served.request(&row);
        let times = if kind == CircuitKind::LeafSum { 150 } else { 60 };
        let errors: Vec<f64> = (0..used.len())
            .map(|f| standard_errors(&served.ask(&request, times), &served.ask(&served.moved(&request, f), times)))
            .collect();
        println!("{kind}: {} answers, {errors:.2?}", 2 * times * used.len());
        let largest = errors.iter().fold(0f64, |largest, error| largest.max(error.abs()));
        // Student's t of some 118 degrees is beyond 5.5 less than once in a million times.
        assert!(largest < 5.5, "{kind}: a difference of {largest} standard errors");
        for side in [true, false] {
            let squares = errors.iter().zip(&used).filter(|(_, used)| **used == side).map(|(error, _)| error * error);
            let squares: Vec<f64> = squares.collect();
            let (sum, bound) = (squares.iter().sum::<f64>(), chi_square_bound(squares.len()));
            assert!(sum < bound, "{kind}, read {side}: chi-square {sum:.1}, at most {bound:.1}");
        }
    }
}

/// A server of `LeafSum` without the secret order of the bootstrap key's bits, which alone would hide a replay.
struct InOrder {
    params: LeafSumParams,
    bootstrap: BootstrapKey,
    public: Rerandomizer,
    opened: Opened,
}

impl InOrder {
    fn noise(&self, tree: &IntegerTree, quantizer: &Quantizer, request: &[u8], fresh: bool) -> f64 {
        let tests = Boxes::signed(tree, quantizer);
        let (mut random, key) = (Random::fresh(&mut OsEntropy), fresh.then_some(&self.public));
        // Without a key there is nothing to flood with.
        let noise_flooding = self.params.noise_flooding.filter(|_| fresh);
        let params = LeafSumParams { noise_flooding, ..self.params.clone() };
        let answer = leaf_sum::evaluate::evaluate(&params, &tests, &self.bootstrap, key, request, &mut random).unwrap();
        let dimension = self.params.bootstrap.output.lwe_dimension();
        noise(self.opened.phase(&Lwe::read(&answer, dimension, 64).unwrap()), self.params.classes as u64)
    }
}

/// A client repeats the computation with every candidate model and compares the noise.
#[test]
fn the_noise_of_answers_is_no_replays() {
    const CIPHERTEXTS: usize = 300;
    let quantizer = common::quantizer(3, 4);
    let stump = |feature: u32, threshold: u32| {
        let split = ClassNode::Split { feature, threshold, low: 1, high: 2 };
        IntegerTree::new(2, vec![split, ClassNode::leaf(0), ClassNode::leaf(1)]).unwrap()
    };
    let candidates: Vec<IntegerTree> =
        [(0, 1), (0, 3), (1, 1), (1, 2), (2, 2), (2, 3)].map(|(f, t)| stump(f, t)).into();
    let secret = 3;
    let spec = spec(&Model::Tree(candidates[secret].clone()), &quantizer, CircuitKind::LeafSum, true);
    let client = ClientKey::generate(&spec, &mut OsEntropy);
    let wire = client.evaluation_key(&spec, &mut OsEntropy);
    let CircuitSpec::LeafSum(params) = &spec else { unreachable!() };
    let (own, public) = wire.split_at(params.bootstrap.layout().wire_len());
    let server = InOrder {
        params: params.clone(),
        bootstrap: BootstrapKey::unpack(&params.bootstrap, own, None).unwrap(),
        public: Rerandomizer::unpack(params.bootstrap.output, public).unwrap(),
        opened: Opened::of(client.answer()),
    };
    let mut random = common::random(2);
    let requests: Vec<Vec<u8>> = (0..CIPHERTEXTS)
        .map(|_| encode(&spec, &quantizer, &client, &common::row(&quantizer, &mut random), &mut OsEntropy))
        .collect();
    let noise = |tree: &IntegerTree, fresh: bool| -> Vec<f64> {
        requests.iter().map(|request| server.noise(tree, &quantizer, request, fresh)).collect()
    };
    let replays: Vec<Vec<f64>> = candidates.iter().map(|tree| noise(tree, false)).collect();

    let weak = noise(&candidates[secret], false);
    let matches: Vec<bool> = replays.iter().map(|replay| *replay == weak).collect();
    assert_eq!(matches.iter().position(|found| *found), Some(secret));
    assert_eq!(matches.iter().filter(|found| **found).count(), 1);

    let answers = noise(&candidates[secret], true);
    let correlations: Vec<f64> = replays.iter().map(|replay| correlation(replay, &answers)).collect();
    println!("correlations with replays of {} models: {correlations:.3?}", candidates.len());
    // Each is beyond four and a half deviations less than once in 100,000 times.
    let bound = 4.5 / (CIPHERTEXTS as f64).sqrt();
    assert!(correlations.iter().all(|r| r.abs() < bound), "{correlations:.3?}, at most {bound:.3}");
}

/// The keys of a network of one activation layer, with a client's in hand.
struct Layer {
    program: LayerProgram,
    input: SeededLayout,
    key: EvaluationKey,
    public: Rerandomizer,
    opened: Opened,
}

impl Layer {
    /// The noise of every activation, in `times` evaluations one after the other: the distance from the nearest entry of its
    /// table.
    fn ask(&self, request: &[u8], times: usize, fresh: bool) -> Vec<Vec<f64>> {
        let layer = &self.program.layers[0];
        let look_up = layer.look_up.as_ref().unwrap();
        let values = self.input.expand(request).unwrap().to_list();
        let sums = layer.sum(&LweList::concat(vec![values; times]), times);
        let zeros = fresh.then(|| Zeros::new(&self.public, &mut Random::fresh(&mut OsEntropy)));
        let outputs = self.key.parts().look_up(look_up, sums, layer.sums.len(), zeros.as_ref()).unwrap();
        let count = layer.sums.len();
        let off = |index: usize| {
            let phase = self.opened.phase(&outputs.lwe(index));
            let entries = look_up.table(index % count).iter().flat_map(|word| [*word, word.wrapping_neg()]);
            let distances = entries.map(|word| phase.wrapping_sub(word) as i64);
            distances.min_by_key(|distance| distance.unsigned_abs()).unwrap() as f64 / 2f64.powi(64)
        };
        (0..count).map(|output| (0..times).map(|time| off(time * count + output)).collect()).collect()
    }
}

/// Where a sum stands on its table is the input's own noise; that of the activation after it is not.
#[test]
fn a_networks_activations_have_new_noise_each_time() {
    const TIMES: usize = 60;
    let quantizer = common::quantizer(12, 8);
    let shapes = [common::dense(12, 6), common::dense(6, 2)];
    let network = common::network(&quantizer, &shapes, &[-1, 1], &mut common::random(6));
    let model = Model::Network(network.clone());
    let spec = spec(&model, &quantizer, CircuitKind::Network, true);
    let CircuitSpec::Network(params) = &spec else { unreachable!() };
    let client = ClientKey::generate(&spec, &mut OsEntropy);
    let wire = client.evaluation_key(&spec, &mut OsEntropy);
    let (own, public) = wire.split_at(params.first.bootstrap.layout().wire_len());
    let layer = Layer {
        program: LayerProgram::new(params, &network).unwrap(),
        input: params.input,
        key: EvaluationKey::unpack(&spec.part_params(), None, own, None).unwrap(),
        public: Rerandomizer::unpack(params.output(), public).unwrap(),
        opened: Opened::of(client.answer()),
    };
    let row = common::row(&quantizer, &mut common::random(7));
    let request = encode(&spec, &quantizer, &client, &row, &mut OsEntropy);
    let moved = |feature: usize| {
        let unit = least(params.input.bits, params.output().size);
        shift(params.input, &request, |body| (body == feature).then_some(unit))
    };
    let sums = &layer.program.layers[0].sums;
    let reads = |sum: usize, feature: usize| sums[sum].iter().any(|term| term.input as usize == feature);
    let (mut read, mut unread) = (Vec::new(), Vec::new());
    let before = layer.ask(&request, 1, false);
    assert_eq!(layer.ask(&request, 2, false)[0], [before[0][0]; 2]);
    for feature in 0..12 {
        let moved = moved(feature);
        let weak = layer.ask(&moved, 1, false);
        let found: Vec<bool> = weak.iter().zip(&before).map(|(a, b)| a != b).collect();
        let wanted: Vec<bool> = (0..sums.len()).map(|sum| reads(sum, feature)).collect();
        assert_eq!(found, wanted, "feature {feature}: one evaluation tells the sums that read it");

        let (own, others) = (layer.ask(&request, TIMES, true), layer.ask(&moved, TIMES, true));
        for (sum, errors) in own.iter().zip(&others).map(|(a, b)| standard_errors(a, b)).enumerate() {
            // Student's t of some 118 degrees is beyond 6 less than once in ten million times.
            assert!(errors.abs() < 6.0, "feature {feature}, sum {sum}: a difference of {errors} standard errors");
            if reads(sum, feature) { &mut read } else { &mut unread }.push(errors * errors);
        }
    }
    for (what, squares) in [("read", read), ("not read", unread)] {
        // The square of Student's t has a mean of 1.02, within the bound's reserve.
        let (sum, bound) = (squares.iter().sum::<f64>(), chi_square_bound(squares.len()));
        println!("{what}: chi-square {sum:.1} of {} degrees, at most {bound:.1}", squares.len());
        assert!(sum < bound, "{what}: chi-square {sum:.1} of {} degrees, at most {bound:.1}", squares.len());
    }
}

/// Two answers of a whole network differ by twice the noise that its bootstraps have: nothing of it is shared.
#[test]
fn two_answers_of_a_network_share_no_noise_of_its_bootstraps() {
    // One key's encryptions of zero are noisier or less noisy than the formula's, by 0.1 in the deviation: so several keys.
    const KEYS: usize = 4;
    const ROWS: usize = 100;
    let quantizer = common::quantizer(12, 8);
    let shapes = [common::dense(12, 6), common::dense(6, 2)];
    let network = common::network(&quantizer, &shapes, &[-1, 1], &mut common::random(6));
    let model = Model::Network(network.clone());
    for fresh in [false, true] {
        let mut random = common::random(3);
        let of_a_key = |_| {
            let served = Served::new(&model, &quantizer, CircuitKind::Network, fresh);
            let CircuitSpec::Network(params) = &served.spec else { unreachable!() };
            let program = LayerProgram::new(params, &network).unwrap();
            let norm: f64 = program.layers[1].sums[0].iter().map(|term| f64::from(term.weight).powi(2)).sum();
            let predicted = 2.0 * norm * params.output_variance(0);
            let differences = (0..ROWS).map(|_| {
                let noise = served.ask(&served.request(&common::row(&quantizer, &mut random)), 2);
                ((noise[0] - noise[1] + 0.5).rem_euclid(1.0) - 0.5).powi(2)
            });
            mean(&differences.collect::<Vec<f64>>()) / predicted
        };
        let ratio = mean(&(0..KEYS).map(of_a_key).collect::<Vec<f64>>());
        println!("a network's answers, fresh {fresh}: mean square difference {ratio:.3} of what is predicted");
        if fresh {
            // Chi-square of 300 samples: four deviations, here of rows and keys together.
            assert!((ratio - 1.0).abs() < 4.0 * (2.0 / 300.0f64).sqrt(), "mean square difference {ratio}");
        } else {
            assert_eq!(ratio, 0.0);
        }
    }
}

/// The secret type is what the helper opens: its phases are the client's own.
#[test]
fn the_helper_opens_what_the_client_encrypts() {
    let layout = SeededLayout { shape: fhectl_core::fhe::GlweShape::new(2, 512), bodies: 3, bits: 64 };
    let secret = GlweSecret::generate(layout.shape, &mut OsEntropy);
    let list = layout.expand(&layout.encrypt(&secret, &[0, 1 << 62, 1 << 63], &mut OsEntropy)).unwrap();
    let opened = Opened::of(&secret);
    for (index, message) in [0, 1u64 << 62, 1 << 63].into_iter().enumerate() {
        let mut lwe = Lwe::zero(layout.shape.lwe_dimension());
        list.add_coefficient(index, 1, &mut lwe);
        assert!((opened.phase(&lwe).wrapping_sub(message) as i64).unsigned_abs() < 1 << 50);
    }
}
