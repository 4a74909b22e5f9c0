//! The small models of the test vectors, at least one per circuit.

use crate::common::{self, dense};
use fhectl_core::bundle::{ClientSpec, FORMAT, Head, Metrics, Quality, ScoreUnit, ServerSpec};
use fhectl_core::circuit::path_cost_sum::PathCostSumParams;
use fhectl_core::circuit::plan::{PlanRequest, plan};
use fhectl_core::circuit::table::TableParams;
use fhectl_core::circuit::{CircuitKind, CircuitSpec, Reveal};
use fhectl_core::fhe::{GlweShape, SeededLayout};
use fhectl_core::model::{
    ClearStep, Column, ColumnRule, FeatureQuantizer, Function, InputSchema, Model, Norm, Output, Part, Quantizer,
};

/// Rows of every case.
pub const ROWS: usize = 2;

/// A model and rows to ask of it.
pub struct Case {
    pub client: ClientSpec,
    pub server: ServerSpec,
    pub rows: Vec<Vec<f64>>,
}

type Make = fn() -> Case;

/// Every case by its folder. A case is made anew only where vectors are written; else it is read.
pub const CASES: [(&str, Make); 11] = [
    ("linear", linear),
    ("linear-public", linear_public),
    ("path-cost", path_cost),
    ("path-cost-sum", path_cost_sum),
    ("path-cost-sum-copies", path_cost_sum_copies),
    ("leaf-sum", leaf_sum),
    ("cmux-forest", cmux_forest),
    ("table", table),
    ("network", network),
    ("network-coarse", network_coarse),
    ("linear-head", linear_head),
];

/// A case before its parameters are planned.
struct Draft {
    kind: &'static str,
    circuit: CircuitKind,
    reveal: Reveal,
    classes: usize,
    quantizer: Quantizer,
    model: Model,
}

impl Draft {
    fn case(self) -> Case {
        let Self { kind, circuit, reveal, classes, quantizer, model } = self;
        let output = if classes == 0 { Output::Value } else { Output::Classes(classes) };
        let request = PlanRequest { circuit: Some(circuit), reveal, ..PlanRequest::default() };
        let chosen = plan(&model, &quantizer, output, &request).unwrap().remove(0);
        let rows = rows(&model, &quantizer);
        let client = ClientSpec {
            format: FORMAT,
            name: format!("vector-{circuit}"),
            kind: kind.into(),
            features: (0..quantizer.features.len()).map(|index| format!("x{index}")).collect(),
            target: "y".into(),
            classes: (0..classes).map(|class| format!("class {class}")).collect(),
            input: None,
            preprocessing: Vec::new(),
            circuit: chosen.spec,
            reveal,
            p_fail_log2: chosen.guarantees.p_fail_log2,
            flooding_log2: chosen.guarantees.flooding_log2,
            security_bits: 132,
            score_scale: None,
            score_offset: None,
            score_unit: ScoreUnit::Logit,
            head: None,
            evaluation: None,
            quantizer: quantizer.clone(),
        };
        let metrics = Metrics { train_rows: 0, test_rows: 0, quality: Quality::Unmeasured {} };
        let server = ServerSpec { format: FORMAT, salt: "00".repeat(32), model, metrics };
        Case { rows, client, server }
    }
}

/// Rows of different scores.
fn rows(model: &Model, quantizer: &Quantizer) -> Vec<Vec<f64>> {
    let mut random = common::random(21);
    let mut rows = vec![common::row(quantizer, &mut random)];
    for _ in 0..1000 {
        let row = common::row(quantizer, &mut random);
        if rows.len() < ROWS && rows.iter().all(|other| model.scores(other) != model.scores(&row)) {
            rows.push(row);
        }
    }
    assert_eq!(rows.len(), ROWS, "the model always says the same");
    rows.into_iter().map(|row| row.into_iter().map(f64::from).collect()).collect()
}

fn affine(features: usize, levels: u32) -> Quantizer {
    let feature = FeatureQuantizer::Affine { low: -0.5, step: 0.125, levels };
    Quantizer { features: vec![feature; features] }
}

/// Scaled and normalized before it is quantized; logits of three classes.
fn linear() -> Case {
    let quantizer = affine(5, 13);
    let model = Model::Linear(common::linear(&quantizer, 3, 6, &mut common::random(1)));
    let draft =
        Draft { kind: "logreg", circuit: CircuitKind::Linear, reveal: Reveal::Size, classes: 3, quantizer, model };
    let mut case = draft.case();
    case.client.preprocessing = vec![
        ClearStep::Scale { offsets: vec![0.5, -0.25, 1.0, 0.0, 2.0], scales: vec![1.0, 2.0, 0.5, 1.5, 1.0] },
        ClearStep::Normalize { norm: Norm::L2 },
    ];
    case.client.score_scale = Some(0.01);
    case.rows = vec![vec![0.75, -1.5, 3.0, 0.25, 1.0], vec![-2.0, 0.5, 0.125, 1.0, 4.0]];
    case
}

/// A public model: no evaluation key, no tag. A margin of two classes.
fn linear_public() -> Case {
    let quantizer = affine(7, 9);
    let model = Model::Linear(common::linear(&quantizer, 2, 5, &mut common::random(2)));
    let draft =
        Draft { kind: "svm", circuit: CircuitKind::Linear, reveal: Reveal::Model, classes: 2, quantizer, model };
    let mut case = draft.case();
    (case.client.name, case.client.score_unit) = ("vector-linear-public".into(), ScoreUnit::Margin);
    case.client.score_scale = Some(0.01);
    case.rows = vec![vec![-0.5, 0.5, -0.4, -0.45, -0.5, -9.0, 0.0], vec![0.5, 0.4, -0.3, -9.0, 0.2, 9.0, -0.0625]];
    case
}

/// Gaps, categories and products before the sums, and what a client makes of three scores after them: two classes.
fn linear_head() -> Case {
    let quantizer = affine(6, 17);
    let model = Model::Linear(common::linear(&quantizer, 3, 6, &mut common::random(8)));
    let draft =
        Draft { kind: "import", circuit: CircuitKind::Linear, reveal: Reveal::Size, classes: 3, quantizer, model };
    let mut case = draft.case();
    let of = |source, rule| Column { source, rule };
    let columns = vec![
        of(0, ColumnRule::Impute { value: 0.25 }),
        of(0, ColumnRule::Missing),
        of(1, ColumnRule::OneOf { values: vec![0.0, 2.0], missing: true }),
        of(1, ColumnRule::Lookup { keys: vec![0.0, 1.0], values: vec![0.5, -0.25], other: 0.125 }),
        of(2, ColumnRule::Interpolate { xs: vec![0.0, 1.0, 4.0], ys: vec![0.0, 0.5, 1.0] }),
    ];
    let products = ClearStep::Products { terms: vec![vec![0], vec![1], vec![2], vec![3], vec![4], vec![0, 4]] };
    let client = &mut case.client;
    client.preprocessing = vec![ClearStep::Columns { columns }, products];
    client.name = "vector-linear-head".into();
    client.input = Some(InputSchema::numbers(&["a".into(), "b".into(), "c".into()]));
    client.classes.truncate(2);
    client.score_scale = Some(0.01);
    let sigmoid = ClearStep::Function { function: Function::Sigmoid };
    let parts = vec![Part { sources: vec![1, 0], steps: vec![sigmoid] }, Part { sources: vec![2], steps: Vec::new() }];
    let mixed = ClearStep::Linear { weights: vec![vec![1.0, 0.0, 0.5], vec![0.0, 2.0, 0.0]], biases: vec![0.1, -0.2] };
    client.head = Some(Head { scores: 3, steps: vec![ClearStep::Parts { parts }, mixed, ClearStep::Softmax {}] });
    case.rows = vec![vec![0.5, 2.0, 2.5], vec![-0.25, 1.0, 0.5]];
    case
}

fn path_cost() -> Case {
    let quantizer = common::quantizer(4, 6);
    let model = Model::Tree(common::tree(&quantizer, 3, 3, &mut common::random(3)));
    Draft { kind: "tree", circuit: CircuitKind::PathCost, reveal: Reveal::Size, classes: 3, quantizer, model }.case()
}

/// Three scores a tree, as shares of votes.
fn path_cost_sum() -> Case {
    let quantizer = common::quantizer(4, 6);
    let model = Model::Forest(common::forest(&quantizer, [4, 2, 3], 40, &mut common::random(4)));
    let draft =
        Draft { kind: "forest", circuit: CircuitKind::PathCost, reveal: Reveal::Size, classes: 3, quantizer, model };
    let mut case = draft.case();
    case.client.name = "vector-path-cost-sum".into();
    (case.client.score_scale, case.client.score_unit) = (Some(1.0 / 160.0), ScoreUnit::Share);
    case
}

/// Two copies of the input, three moduli, two scores in a sum and several groups of slots, which no search finds for so
/// small a model.
fn path_cost_sum_copies() -> Case {
    let quantizer = common::quantizer(3, 5);
    let model = Model::Forest(common::forest(&quantizer, [3, 2, 3], 25, &mut common::random(10)));
    let draft =
        Draft { kind: "forest", circuit: CircuitKind::PathCost, reveal: Reveal::Size, classes: 3, quantizer, model };
    let mut case = draft.case();
    case.client.name = "vector-path-cost-sum-copies".into();
    let shape = GlweShape::new(5, 512);
    case.client.circuit = CircuitSpec::PathCostSum(PathCostSumParams {
        // 12 bits, twice, 4 coefficients apart, in whole ciphertexts.
        input: SeededLayout { shape, bodies: 512, bits: 62 },
        stride: 4,
        plaintext_moduli: vec![vec![3 * 35], vec![143, 17]],
        count_modulus: 3,
        trees: 3,
        slots: 16,
        scores: 3,
        scores_per_sum: 2,
        low: -128,
        width: 256,
        response_bits: 19,
        noise_flooding: Some(1 << 54),
    });
    case
}

fn leaf_sum() -> Case {
    let quantizer = common::quantizer(4, 5);
    let model = Model::Tree(common::tree(&quantizer, 3, 3, &mut common::random(5)));
    Draft { kind: "tree", circuit: CircuitKind::LeafSum, reveal: Reveal::Nothing, classes: 3, quantizer, model }.case()
}

/// A number, with an offset.
fn cmux_forest() -> Case {
    let quantizer = common::quantizer(3, 7);
    let model = Model::Forest(common::forest(&quantizer, [3, 2, 1], 500, &mut common::random(6)));
    let draft = Draft {
        kind: "boost",
        circuit: CircuitKind::CmuxForest,
        reveal: Reveal::Nothing,
        classes: 0,
        quantizer,
        model,
    };
    let mut case = draft.case();
    (case.client.score_scale, case.client.score_offset) = (Some(0.25), Some(100.0));
    case
}

/// Two of three scores share a ciphertext, in parameters that were found for a number of more bits than both have.
fn table() -> Case {
    let quantizer = common::quantizer(2, 6);
    let random = &mut common::random(7);
    let model = Model::Tree(common::tree(&quantizer, 3, 3, random));
    let finer = Model::Forest(common::forest(&quantizer, [1, 2, 1], 3, random));
    let request = PlanRequest { circuit: Some(CircuitKind::Table), reveal: Reveal::Nothing, ..PlanRequest::default() };
    let found = plan(&finer, &quantizer, Output::Value, &request).unwrap().remove(0).spec;
    let CircuitSpec::Table(found) = found else { panic!("not a table") };
    assert!(found.score_bits > 2);
    let draft =
        Draft { kind: "tree", circuit: CircuitKind::Table, reveal: Reveal::Nothing, classes: 3, quantizer, model };
    let mut case = draft.case();
    case.client.circuit =
        CircuitSpec::Table(TableParams { scores: 3, low: 0, score_bits: 1, scores_per_ciphertext: 2, ..found });
    case
}

/// Two activation layers, so that there is a keyswitch, and so little noise that scores are the clear model's.
fn network() -> Case {
    let quantizer = common::quantizer(6, 8);
    let shapes = [dense(6, 4), dense(4, 4), dense(4, 3)];
    let mut model = common::network(&quantizer, &shapes, &[0, 1, 2], &mut common::random(8));
    model.layers.iter_mut().for_each(|layer| layer.noise = 0.05 / layer.plaintext_modulus as f64);
    let model = Model::Network(model);
    let draft =
        Draft { kind: "mlp", circuit: CircuitKind::Network, reveal: Reveal::Nothing, classes: 3, quantizer, model };
    let mut case = draft.case();
    case.client.score_scale = Some(0.5);
    case
}

/// One activation layer, and scores with finer steps than may be disclosed.
fn network_coarse() -> Case {
    let quantizer = common::quantizer(6, 8);
    let mut model = common::network(&quantizer, &[dense(6, 4), dense(4, 2)], &[-1, 1], &mut common::random(9));
    model.layers[0].noise = 0.05 / model.layers[0].plaintext_modulus as f64;
    let last = &mut model.layers[1];
    (last.plaintext_modulus, last.noise) = (60_000, 0.002);
    last.map.weights.iter_mut().for_each(|weight| *weight = *weight * 3000 + 41);
    let model = Model::Network(model);
    let draft =
        Draft { kind: "mlp", circuit: CircuitKind::Network, reveal: Reveal::Nothing, classes: 2, quantizer, model };
    let mut case = draft.case();
    case.client.name = "vector-network-coarse".into();
    case.client.score_scale = Some(0.001);
    let CircuitSpec::Network(params) = &case.client.circuit else { panic!("not a network") };
    assert!(params.shown_levels().unwrap() < params.score_plaintext_modulus, "scores are shown in whole steps");
    case
}
