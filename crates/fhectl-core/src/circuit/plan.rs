//! Choosing a circuit and its parameters, and running what was chosen.

use super::boxes::Boxes;
use super::cmux_forest::CmuxForestParams;
use super::cmux_forest::evaluate::Memories;
use super::cmux_forest::program::Program as ForestProgram;
use super::network::evaluate::NetworkKey;
use super::network::program::Program as NetworkProgram;
use super::path_cost_sum::program::{ForestBoxes, Program as SumProgram};
use super::tag::evaluate::TagZeros;
use super::{
    CircuitKind, CircuitSpec, Reveal, cmux_forest, leaf_sum, linear, network, path_cost, path_cost_sum, residues,
    table, tag,
};
use crate::error::{Error, Result};
use crate::fhe::cost::{self, Work};
use crate::fhe::list::LweList;
use crate::fhe::pbs::BootstrapKey;
use crate::fhe::rerandomize::Rerandomizer;
use crate::fhe::{Random, noise, public_key};
use crate::model::{IntegerForest, Model, Output, Quantizer};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Cores of the machines that plans are made for.
pub const PLANNED_CORES: usize = 2;

/// The share of an answer's margin that flooding takes at least, where it drowns the model's noise: the rest is for cutting
/// the answer, which costs bits of every word. What it leaves free between messages can betray noise that a client put
/// into its question.
pub(super) const FLOODED_SHARE: f64 = 0.8;
/// The same where bootstraps or CMUXes take most of the margin: the share of what they leave.
const FLOODED_ROOM: f64 = 0.5;

/// The fewest bits of an answer's words, and the flooding, beside noise of bootstraps or CMUXes. `room` is the widest flooding
/// that words of so many bits leave room for; without flooding (`hides` is false) any is enough.
pub(super) fn cut_beside_flooding(hides: bool, mut room: impl FnMut(u32) -> Option<u64>) -> Option<(u32, Option<u64>)> {
    let most = noise::flooding_reach(room(64));
    let mut left = None;
    let bits = (2..=64).find(|bits| {
        left = room(*bits);
        left.is_some() && (!hides || noise::flooding_reach(left) >= FLOODED_ROOM * most)
    })?;
    // The own noise that room is left beside is the model's: all but three digits of it would tell.
    Some((bits, left.filter(|_| hides).map(|room| noise::leading_digits(room, 3))))
}

/// What is asked of a circuit.
#[derive(Debug, Clone, Copy)]
pub struct PlanRequest {
    /// `None`: the cheapest allowed.
    pub circuit: Option<CircuitKind>,
    pub reveal: Reveal,
    /// log2 of the chance that one whole inference goes wrong.
    pub p_fail_log2: f64,
    /// log2 of the statistical distance an answer of `Linear` and `PathCost` may keep from one that does not
    /// depend on the model's noise.
    pub flooding_log2: f64,
    /// Bits a second between client and server.
    pub bandwidth: f64,
}

impl Default for PlanRequest {
    fn default() -> Self {
        Self { circuit: None, reveal: Reveal::Size, p_fail_log2: -128.0, flooding_log2: -30.0, bandwidth: 100e6 }
    }
}

/// What the parameters were shown to give.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Guarantees {
    /// log2 of the chance that one inference differs from the clear integer model; `None` where noise is part of the
    /// answer, as in a network.
    pub p_fail_log2: Option<f64>,
    /// log2 of an answer's statistical distance from one whose noise is independent of the model; `None` where
    /// answers are not re-randomised.
    pub flooding_log2: Option<f64>,
}

/// A circuit that fits, and what it is predicted to cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Needs {
    pub spec: CircuitSpec,
    pub guarantees: Guarantees,
    /// Seconds of one core an inference.
    pub core_seconds: f64,
    /// How many cores one inference can use.
    pub parallelism: usize,
}

impl Needs {
    /// Predicted seconds of computing on `cores` cores.
    pub fn seconds(&self, cores: usize) -> f64 {
        let work = if self.spec.bootstraps() > 0 { Work::Bootstraps } else { Work::Evaluation };
        self.core_seconds / cost::speed_up(cores.min(self.parallelism), work)
    }

    /// Predicted seconds of the client's work, encrypting and decrypting, on `cores` cores.
    pub fn client_seconds(&self, cores: usize) -> f64 {
        let input = self.spec.input_layout();
        let encryption = cost::encrypt_seconds(&input);
        let worth_it = encryption > cost::WORTH_A_THREAD;
        let threads = if worth_it { cores.min(input.ciphertexts().div_ceil(4)) } else { 1 };
        cost::EXCHANGE_SECONDS
            + encryption / cost::speed_up(threads, Work::Encryption)
            + cost::pack_seconds(input.bodies)
            + self.decrypt_seconds()
    }

    fn decrypt_seconds(&self) -> f64 {
        let shape = self.spec.answer_shape();
        match &self.spec {
            CircuitSpec::CmuxForest(_) => cost::decrypt_partial_seconds(shape),
            CircuitSpec::Linear(params) => params.scores as f64 * cost::decrypt_seconds(shape),
            CircuitSpec::PathCost(params) => params.answers() as f64 * cost::decrypt_seconds(shape),
            CircuitSpec::PathCostSum(params) => params.ciphertexts() as f64 * cost::decrypt_partial_seconds(shape),
            CircuitSpec::LeafSum(_) => cost::decrypt_seconds(shape),
            CircuitSpec::Table(params) => params.answers() as f64 * cost::decrypt_seconds(shape),
            CircuitSpec::Network(params) => params.scores as f64 * cost::decrypt_seconds(shape),
        }
    }

    /// Predicted seconds of a whole inference on machines of `cores` cores, over so many bits a second.
    pub fn total_seconds(&self, bandwidth: f64, cores: usize) -> f64 {
        let bytes = self.spec.request_bytes() + self.spec.response_bytes();
        self.seconds(cores) + self.client_seconds(cores) + 8.0 * bytes as f64 / bandwidth
    }
}

pub(super) fn no_parameters(message: impl Into<String>) -> Error {
    Error::user("no_parameters", message)
}

/// All circuits that can run the model as asked, the cheapest first, and why the others cannot.
///
/// # Errors
/// The first refusal where none can; `circuit_unfit` where the one asked for is not of the model's kind or reveals
/// more than allowed.
pub fn plan(model: &Model, quantizer: &Quantizer, output: Output, request: &PlanRequest) -> Result<Vec<Needs>> {
    let fitting: &[CircuitKind] = match model {
        Model::Tree(_) => &[CircuitKind::PathCost, CircuitKind::LeafSum, CircuitKind::CmuxForest, CircuitKind::Table],
        Model::Forest(_) => &[CircuitKind::PathCost, CircuitKind::CmuxForest, CircuitKind::Table],
        Model::Linear(_) => &[CircuitKind::Linear, CircuitKind::Table],
        Model::Network(_) => &[CircuitKind::Network, CircuitKind::Table],
    };
    if let Some(asked) = request.circuit
        && !fitting.contains(&asked)
    {
        let names: Vec<String> = fitting.iter().map(ToString::to_string).collect();
        return Err(Error::user("circuit_unfit", format!("circuit {asked} cannot run this kind of model"))
            .hint(format!("choose --circuit auto or one of: {}", names.join(", "))));
    }
    let mut fits = Vec::new();
    let mut refused = None;
    for kind in fitting.iter().filter(|kind| request.circuit.is_none_or(|asked| asked == **kind)) {
        match search(*kind, model, quantizer, output, request) {
            Ok(needs) => fits.push(needs),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let total = |needs: &Needs| needs.total_seconds(request.bandwidth, PLANNED_CORES);
    // An exact answer goes before one that carries noise, whatever it costs.
    let noisy = |needs: &Needs| needs.guarantees.p_fail_log2.is_none();
    fits.sort_by(|a, b| noisy(a).cmp(&noisy(b)).then(total(a).total_cmp(&total(b))));
    match (fits.is_empty(), refused) {
        (true, Some(error)) => Err(error),
        _ => Ok(fits),
    }
}

fn search(
    kind: CircuitKind,
    model: &Model,
    quantizer: &Quantizer,
    output: Output,
    request: &PlanRequest,
) -> Result<Needs> {
    let classes = output.classes();
    match (kind, model) {
        (CircuitKind::Linear, Model::Linear(model)) => linear::needs::search(model, quantizer, request),
        (CircuitKind::PathCost, Model::Tree(_)) if request.reveal == Reveal::Nothing => {
            Err(Error::user("circuit_unfit", "path-cost shows a client the rounded number of leaves")
                .hint("allow it with --reveal size, or choose --circuit leaf-sum"))
        }
        (CircuitKind::PathCost, Model::Forest(_)) if request.reveal == Reveal::Nothing => {
            Err(Error::user("circuit_unfit", "path-cost shows a client the numbers of trees and (rounded) of leaves")
                .hint("allow it with --reveal size, or choose --circuit cmux-forest"))
        }
        (CircuitKind::PathCost, Model::Forest(forest)) => {
            path_cost_sum::needs::search(&ForestBoxes::new(forest, quantizer), quantizer, request)
        }
        (CircuitKind::PathCost, Model::Tree(tree)) => {
            path_cost::needs::search(&Boxes::leaves(tree, quantizer), quantizer, classes, request)
        }
        (CircuitKind::LeafSum, Model::Tree(tree)) => {
            leaf_sum::needs::search(&Boxes::signed(tree, quantizer), quantizer, classes, request)
        }
        (CircuitKind::CmuxForest, Model::Tree(tree)) => {
            cmux_forest::needs::search(&IntegerForest::of_tree(tree), quantizer, request)
        }
        (CircuitKind::CmuxForest, Model::Forest(forest)) => cmux_forest::needs::search(forest, quantizer, request),
        (CircuitKind::Table, _) => table::needs::search(model, quantizer, request),
        (CircuitKind::Network, Model::Network(model)) => network::needs::search(model, quantizer),
        _ => Err(Error::user("circuit_unfit", format!("circuit {kind} cannot run this kind of model"))),
    }
}

/// log2 of the chance that an inference of this very model goes wrong; `None` for networks. A client, which does not have
/// the model, can only reckon with less ([`CircuitSpec::least_failure_log2`]): whoever serves a model of another's making has to look.
///
/// # Errors
/// `model_invalid` where spec and model do not belong together.
pub fn failure_log2(spec: &CircuitSpec, model: &Model, quantizer: &Quantizer) -> Result<Option<f64>> {
    let walk = |params: &CmuxForestParams, forest: &IntegerForest| {
        ForestProgram::new(forest, quantizer, params.low, &params.moduli).walk()
    };
    Ok(Some(match (spec, model) {
        (CircuitSpec::Linear(params), Model::Linear(model)) => {
            linear::needs::failure(params, linear::needs::norm2(model))
        }
        (CircuitSpec::PathCost(params), Model::Tree(tree)) => {
            path_cost::needs::failure(&Boxes::leaves(tree, quantizer), params)
        }
        (CircuitSpec::PathCostSum(params), Model::Forest(forest)) => {
            path_cost_sum::needs::failure(&ForestBoxes::new(forest, quantizer), params)
        }
        (CircuitSpec::LeafSum(params), Model::Tree(tree)) => {
            leaf_sum::needs::failure(&Boxes::signed(tree, quantizer), params)
        }
        (CircuitSpec::CmuxForest(params), Model::Tree(tree)) => {
            cmux_forest::needs::failure(params, &walk(params, &IntegerForest::of_tree(tree)))
        }
        (CircuitSpec::CmuxForest(params), Model::Forest(forest)) => {
            cmux_forest::needs::failure(params, &walk(params, forest))
        }
        (CircuitSpec::Table(params), _) => table::needs::failure(params),
        (CircuitSpec::Network(_), _) => return Ok(None),
        _ => return Err(unfit()),
    }))
}

/// A client's evaluation key, unpacked for use.
pub struct EvaluationKey {
    own: OwnKey,
    rerandomizer: Option<Rerandomizer>,
    name: [u8; 32],
}

impl EvaluationKey {
    /// The same key, bearing the SHA-256 of the message that it was unpacked from.
    #[must_use]
    pub fn named(self, name: [u8; 32]) -> Self {
        Self { name, ..self }
    }

    /// What the key was named; zeros where it was not.
    pub fn name(&self) -> &[u8; 32] {
        &self.name
    }
}

/// What a circuit needs beyond the public key.
enum OwnKey {
    Nothing,
    Bootstrap(BootstrapKey),
    Network(Box<NetworkKey>),
}

/// A model compiled for its circuit: the server's whole share of an inference.
pub struct Evaluator {
    spec: CircuitSpec,
    program: Program,
}

enum Program {
    Linear(crate::model::IntegerLinear),
    Boxes(Boxes),
    Sum(SumProgram),
    Tables(Vec<Vec<u64>>),
    Forest(ForestProgram, Memories),
    Network(NetworkProgram),
}

impl Evaluator {
    /// Compiles a model for a checked spec.
    ///
    /// # Errors
    /// `model_invalid` where spec and model do not belong together.
    pub fn new(spec: &CircuitSpec, model: &Model, quantizer: &Quantizer) -> Result<Self> {
        let program = match (spec, model) {
            (CircuitSpec::Linear(params), Model::Linear(model))
                if params.features == model.weights[0].len() && params.scores == model.weights.len() =>
            {
                Program::Linear(model.clone())
            }
            (CircuitSpec::PathCost(params), Model::Tree(tree)) => {
                let tests = Boxes::leaves(tree, quantizer);
                let fits = tests.tests.len() <= params.leaves
                    && u64::from(tests.depth()) < params.modulus
                    && tests.base as usize == params.default_class
                    && (params.values || !tests.needs_values());
                Program::boxes(tests, fits)?
            }
            (CircuitSpec::PathCostSum(params), Model::Forest(forest)) => {
                Program::Sum(SumProgram::new(params, &ForestBoxes::new(forest, quantizer))?)
            }
            (CircuitSpec::LeafSum(params), Model::Tree(tree)) => {
                let tests = Boxes::signed(tree, quantizer);
                let fits = tests.tests.len() == params.boxes
                    && u64::from(tests.depth()) * 2 <= params.circle
                    && tests.base as usize == params.default_class;
                Program::boxes(tests, fits)?
            }
            (CircuitSpec::CmuxForest(params), Model::Tree(tree)) => {
                Program::forest(params, &IntegerForest::of_tree(tree), quantizer)?
            }
            (CircuitSpec::CmuxForest(params), Model::Forest(forest)) => Program::forest(params, forest, quantizer)?,
            (CircuitSpec::Table(params), _) => {
                Program::Tables(table::evaluate::Enumerated::new(model, quantizer)?.tables(params)?)
            }
            (CircuitSpec::Network(params), Model::Network(model)) => {
                network::evaluate::check_fit(params, model)?;
                Program::Network(NetworkProgram::new(model, params.output().size))
            }
            _ => return Err(unfit()),
        };
        Ok(Self { spec: spec.clone(), program })
    }

    pub fn spec(&self) -> &CircuitSpec {
        &self.spec
    }

    /// Reads an evaluation key in its wire form, exactly [`CircuitSpec::key_bytes`] long. `random` orders the blind
    /// rotations, where answers are re-randomised.
    ///
    /// # Errors
    /// `key_invalid` where the length or padding is wrong.
    pub fn unpack_key(&self, bytes: &[u8], random: &mut Random) -> Result<EvaluationKey> {
        let expected = self.spec.key_bytes();
        let wrong = |what: String| {
            Error::user("key_invalid", what)
                .hint("make the keys again with this model's client.zip; they may belong to another model")
        };
        if bytes.len() != expected {
            return Err(wrong(format!("an evaluation key of {} bytes, this model's has {expected}", bytes.len())));
        }
        let (own, public) = match &self.spec {
            CircuitSpec::LeafSum(params) => {
                let (own, public) = bytes.split_at(params.bootstrap.layout().wire_len());
                let key = BootstrapKey::unpack(&params.bootstrap, own, params.noise_flooding.map(|_| random));
                (key.map(OwnKey::Bootstrap), public)
            }
            CircuitSpec::Network(params) => {
                let (own, public) = bytes.split_at(params.key_bytes());
                let key = NetworkKey::unpack(params, own, params.noise_flooding.map(|_| random));
                (key.map(|key| OwnKey::Network(Box::new(key))), public)
            }
            _ => (Ok(OwnKey::Nothing), bytes),
        };
        let own = own.map_err(|error| wrong(error.message))?;
        let rerandomizer = if self.spec.rerandomized() {
            let shape = self.spec.answer_shape();
            debug_assert_eq!(public.len(), public_key::layout(shape).wire_len());
            Some(Rerandomizer::unpack(shape, public).map_err(|error| wrong(error.message))?)
        } else {
            None
        };
        Ok(EvaluationKey { own, rerandomizer, name: [0; 32] })
    }

    /// Answers encrypted rows, on the threads of the current rayon pool.
    ///
    /// # Errors
    /// `ciphertext_invalid` naming the row where a request does not have the circuit's layout.
    pub fn evaluate(&self, key: &EvaluationKey, requests: &[&[u8]], random: &mut Random) -> Result<Vec<Vec<u8>>> {
        if let (CircuitSpec::Network(params), Program::Network(program), OwnKey::Network(own)) =
            (&self.spec, &self.program, &key.own)
        {
            return network::evaluate::evaluate(params, program, own, key.rerandomizer.as_ref(), requests, random);
        }
        if let Program::Forest(..) = &self.program {
            // One after the other: each takes some 40 MB, and a thread that waits within one would begin the next.
            let answers = requests.iter().enumerate().map(|(index, request)| {
                self.evaluate_one(key, request, random).map_err(|error| error.context(format!("input {index}")))
            });
            return answers.collect();
        }
        let tasks: Vec<_> = requests.iter().map(|request| (*request, random.fork())).collect();
        let tasks = tasks.into_par_iter().enumerate();
        let answers = tasks.map(|(index, (request, mut random))| {
            self.evaluate_one(key, request, &mut random).map_err(|error| error.context(format!("input {index}")))
        });
        answers.collect()
    }

    /// Answers an encrypted tag (see [`tag`]) with the same keys, on the threads of the current rayon pool.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the request does not have the layout of the circuit's tags.
    pub fn answer_tag(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        let layout = self.spec.tag();
        let layout = layout.ok_or_else(|| Error::user("ciphertext_invalid", "this model's batches have no tag"))?;
        let zeros = key.rerandomizer.as_ref();
        match &key.own {
            OwnKey::Nothing => tag::evaluate::add_zeros(&layout, zeros, request, random),
            OwnKey::Bootstrap(own) => {
                let look_up =
                    |symbols: &LweList, table: &[u64], zeros: TagZeros<'_>| own.look_up(symbols, |_| table, zeros[0]);
                tag::evaluate::look_up(&layout, look_up, zeros, request, random)
            }
            OwnKey::Network(own) => {
                let look_up = |symbols: &LweList, table: &[u64], zeros: TagZeros<'_>| {
                    own.look_up_through_all(symbols, table, zeros)
                };
                tag::evaluate::look_up(&layout, look_up, zeros, request, random)
            }
        }
        .map_err(|error| error.context("tag"))
    }

    fn evaluate_one(&self, key: &EvaluationKey, request: &[u8], random: &mut Random) -> Result<Vec<u8>> {
        let rerandomizer = key.rerandomizer.as_ref();
        match (&self.spec, &self.program) {
            (CircuitSpec::Linear(params), Program::Linear(model)) => {
                linear::evaluate::evaluate(params, model, rerandomizer, request, random)
            }
            (CircuitSpec::PathCost(params), Program::Boxes(tests)) => {
                path_cost::evaluate::evaluate(params, tests, rerandomizer, request, random)
            }
            (CircuitSpec::PathCostSum(params), Program::Sum(program)) => {
                path_cost_sum::evaluate::evaluate(params, program, rerandomizer, request, random)
            }
            (CircuitSpec::LeafSum(params), Program::Boxes(tests)) => {
                let OwnKey::Bootstrap(bootstrap) = &key.own else {
                    return Err(Error::fault("key_missing", "no bootstrap key"));
                };
                leaf_sum::evaluate::evaluate(params, tests, bootstrap, rerandomizer, request, random)
            }
            (CircuitSpec::CmuxForest(params), Program::Forest(program, memories)) => {
                cmux_forest::evaluate::evaluate(params, (program, memories), rerandomizer, request, random)
            }
            (CircuitSpec::Table(params), Program::Tables(tables)) => {
                table::evaluate::evaluate(params, tables, rerandomizer, request, random)
            }
            _ => Err(unfit()),
        }
    }
}

impl Program {
    fn boxes(tests: Boxes, fits: bool) -> Result<Self> {
        if fits { Ok(Self::Boxes(tests)) } else { Err(unfit()) }
    }

    fn forest(params: &CmuxForestParams, forest: &IntegerForest, quantizer: &Quantizer) -> Result<Self> {
        let top = residues::product(&params.moduli).and_then(|product| params.low.checked_add(product as i64));
        let held = |(low, high): &(i64, i64)| *low >= params.low && top.is_some_and(|top| *high < top);
        if forest.biases.len() != params.scores || !forest.score_ranges().iter().all(held) {
            return Err(unfit());
        }
        let program = ForestProgram::new(forest, quantizer, params.low, &params.moduli);
        Ok(Self::Forest(program, Memories::default()))
    }
}

fn unfit() -> Error {
    crate::model::invalid("the model does not fit the circuit's parameters")
}
