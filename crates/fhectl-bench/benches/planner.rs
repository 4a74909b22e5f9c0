//! Predictions of the planner compared with measurements, for each circuit: computing, and the client's work.
//!
//! `cargo bench -p fhectl-bench --bench planner`: medians on all cores of this machine, and what plans predict in parts
//! of them, at the speed that the machine had meanwhile; the figures of `fhe::cost` are fitted to them.

#[path = "../../../tests/common/mod.rs"]
mod common;

use fhectl_core::circuit::plan::{Plan, PlanRequest, plan};
use fhectl_core::circuit::{CircuitKind, ClientKey, Evaluator, Reveal, decode, encode};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::rerandomize::Rerandomizer;
use fhectl_core::fhe::{GlweSecret, GlweShape, Lwe, Random, cost, encrypt};
use fhectl_core::model::{Model, Output, Quantizer};
use std::time::Instant;

/// How fast the machine is at a moment: a virtual one changes by a third from minute to minute. The figures of
/// `fhe::cost` say how long a fixed piece of work takes; it is run between those that are measured.
struct Machine {
    rerandomizer: Rerandomizer,
}

impl Machine {
    const SHAPE: GlweShape = GlweShape { dimension: 3, size: 512 };
    const PIECES: usize = 32;

    fn new() -> Self {
        let key = encrypt::public_key(&GlweSecret::generate(Self::SHAPE, &mut OsEntropy), &mut OsEntropy);
        Self { rerandomizer: Rerandomizer::unpack(Self::SHAPE, &key).unwrap() }
    }

    /// Seconds now, in parts of those predicted.
    fn slowness(&self) -> f64 {
        let begun = Instant::now();
        let piece = |_| {
            let mut lwe = Lwe::zero(Self::SHAPE.lwe_dimension());
            self.rerandomizer.apply(&mut lwe, 10, &mut Random::fresh(&mut OsEntropy));
            lwe.body
        };
        std::hint::black_box((0..Self::PIECES).map(piece).fold(0, u64::wrapping_add));
        begun.elapsed().as_secs_f64() / (Self::PIECES as f64 * cost::rerandomize_seconds(Self::SHAPE))
    }
}

/// A plan may be off by so much.
const TOLERANCE: f64 = 0.3;

struct Case {
    name: &'static str,
    model: Model,
    quantizer: Quantizer,
    output: Output,
}

fn case(name: &'static str, model: Model, quantizer: &Quantizer, output: Output) -> Case {
    Case { name, model, quantizer: quantizer.clone(), output }
}

fn cases() -> Vec<Case> {
    let mut random = common::random(1);
    let (spam, iris, grid) = (common::quantizer(57, 64), common::quantizer(4, 16), common::quantizer(64, 256));
    let two = Output::Classes(2);
    let tree = |depth, random: &mut _| Model::Tree(common::tree(&spam, depth, 2, random));
    let forest = |shape: [usize; 3], random: &mut _| Model::Forest(common::forest(&spam, shape, 127, random));
    vec![
        case("tree of depth 5", tree(5, &mut random), &spam, two),
        case("tree of depth 8", tree(8, &mut random), &spam, two),
        case("50 trees of depth 3", forest([50, 3, 1], &mut random), &spam, two),
        case("50 trees of depth 4", forest([50, 4, 1], &mut random), &spam, two),
        case("100 trees of depth 6", forest([100, 6, 1], &mut random), &spam, two),
        case("20 trees of depth 5, ten classes", forest([20, 5, 10], &mut random), &spam, Output::Classes(10)),
        case("linear", Model::Linear(common::linear(&grid, 2, 7, &mut random)), &grid, two),
        case(
            "linear, ten classes",
            Model::Linear(common::linear(&grid, 10, 4, &mut random)),
            &grid,
            Output::Classes(10),
        ),
        case("tree on 16 bits", Model::Tree(common::tree(&iris, 5, 3, &mut random)), &iris, Output::Classes(3)),
        case(
            "network 4-16-3",
            Model::Network(common::network(
                &iris,
                &[common::dense(4, 16), common::dense(16, 3)],
                &[0, 1, 2, 3],
                &mut random,
            )),
            &iris,
            Output::Classes(3),
        ),
    ]
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Seconds of computing and of the client's work, and how slow the machine was meanwhile.
fn measure(case: &Case, plan: &Plan, machine: &Machine) -> [f64; 3] {
    let spec = &plan.spec;
    let evaluator = Evaluator::new(spec, &case.model, &case.quantizer).unwrap();
    let key = ClientKey::generate(spec, &mut OsEntropy);
    let mut server = Random::fresh(&mut OsEntropy);
    let unpacked = evaluator.unpack_key(&key.evaluation_key(spec, &mut OsEntropy), &mut server).unwrap();
    let mut random = common::random(2);
    let (mut compute, mut client, mut slowness) = (Vec::new(), Vec::new(), Vec::new());
    let begun = Instant::now();
    while compute.len() < 15 || (begun.elapsed().as_secs_f64() < 1.0 && compute.len() < 300) {
        slowness.push(machine.slowness());
        let row = common::row(&case.quantizer, &mut random);
        let start = Instant::now();
        let request = encode(spec, &case.quantizer, &key, &row, &mut OsEntropy);
        let encoded = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let answer = evaluator.evaluate(&unpacked, &[&request], &mut server).unwrap().remove(0);
        compute.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        decode(spec, &key, &answer).unwrap();
        client.push(encoded + start.elapsed().as_secs_f64());
    }
    [compute, client, slowness].map(median)
}

fn main() {
    let only: Option<String> = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    println!(
        "{:36}{:13}{:>11}{:>11}{:>7}{:>11}{:>11}{:>7}{:>9}",
        "model", "circuit", "compute", "predicted", "ratio", "client", "predicted", "ratio", "slowness"
    );
    let machine = Machine::new();
    let mut all = [Vec::new(), Vec::new()];
    for case in cases() {
        let request = PlanRequest { reveal: Reveal::Size, ..PlanRequest::default() };
        let mut plans = plan(&case.model, &case.quantizer, case.output, &request).unwrap();
        // A network on inputs that fit a table is planned as both.
        plans.sort_by_key(|plan| plan.spec.kind() == CircuitKind::Network);
        for plan in plans {
            let kind = plan.spec.kind().to_string();
            if only.as_ref().is_some_and(|only| *only != kind) {
                continue;
            }
            let [compute, client, slowness] = measure(&case, &plan, &machine);
            let (predicted, by_client) = (plan.seconds(2), plan.client_seconds(2));
            let ratios = [predicted / compute, by_client / client].map(|ratio| ratio * slowness);
            all.iter_mut().zip(ratios).for_each(|(all, ratio)| all.push(ratio));
            println!(
                "{:36}{kind:13}{:8.3} ms{:8.3} ms{:7.2}{:8.3} ms{:8.3} ms{:7.2}{slowness:9.2}",
                case.name,
                compute * 1e3,
                predicted * 1e3,
                ratios[0],
                client * 1e3,
                by_client * 1e3,
                ratios[1]
            );
        }
    }
    for (name, ratios) in ["compute", "client"].into_iter().zip(all) {
        let within = ratios.iter().filter(|ratio| (1.0 - TOLERANCE..=1.0 + TOLERANCE).contains(*ratio)).count();
        println!("{name}: {within} of {} within {:.0} %", ratios.len(), TOLERANCE * 100.0);
    }
}
