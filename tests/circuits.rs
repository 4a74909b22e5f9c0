//! Every circuit gives the scores of the integer model in clear, on many rows, for several models and keys.

mod common;

use fhectl_core::circuit::plan::{Plan, PlanRequest, plan};
use fhectl_core::circuit::{CircuitKind, ClientKey, Evaluator, Reveal, decode, encode};
use fhectl_core::error::ErrorCode;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::{Random, noise};
use fhectl_core::model::{Branch, IntegerForest, Model, Output, Quantizer, ValueLeaf};
use proptest::prelude::*;
use std::time::Instant;

fn planned(model: &Model, quantizer: &Quantizer, classes: usize, kind: CircuitKind, reveal: Reveal) -> Plan {
    let request = PlanRequest { circuit: Some(kind), reveal, ..PlanRequest::default() };
    let plan = plan(model, quantizer, Output::Classes(classes), &request).unwrap().remove(0);
    plan.spec.check(quantizer, Output::Classes(classes)).unwrap();
    assert!(plan.guarantees.p_fail_log2.unwrap() <= -128.0, "{:?}", plan.guarantees);
    for key in plan.spec.keys() {
        assert!(key.shape.lwe_dimension() >= noise::MIN_LWE_DIMENSION);
    }
    plan
}

/// Runs `rows` random rows under each of `keys` fresh keys and compares scores with the clear model.
fn assert_exact(model: &Model, quantizer: &Quantizer, plan: &Plan, keys: usize, rows: usize) {
    let spec = &plan.spec;
    let evaluator = Evaluator::new(spec, model, quantizer).unwrap();
    let mut random = common::random(99);
    let mut server = Random::fresh(&mut OsEntropy);
    for _ in 0..keys {
        let key = ClientKey::generate(spec, &mut OsEntropy);
        let wire = key.evaluation_key(spec, &mut OsEntropy);
        assert_eq!(wire.len(), spec.key_bytes());
        let unpacked = evaluator.unpack_key(&wire, &mut server).unwrap();
        let mut seconds = Vec::new();
        for _ in 0..rows {
            let row = common::row(quantizer, &mut random);
            let request = encode(spec, quantizer, &key, &row, &mut OsEntropy);
            assert_eq!(request.len(), spec.request_bytes());
            let start = Instant::now();
            let answer = evaluator.evaluate(&unpacked, &[&request], &mut server).unwrap().remove(0);
            seconds.push(start.elapsed().as_secs_f64());
            assert_eq!(answer.len(), spec.response_bytes());
            assert_eq!(decode(spec, &key, &answer).unwrap().values(), model.scores(&row), "row {row:?}");
        }
        seconds.sort_by(f64::total_cmp);
        println!(
            "{} key {} request {} response {} median {:.3} ms predicted {:.3} ms {:?} {spec:?}",
            spec.kind(),
            wire.len(),
            spec.request_bytes(),
            spec.response_bytes(),
            seconds[seconds.len() / 2] * 1e3,
            plan.seconds(2) * 1e3,
            plan.guarantees
        );
    }
}

#[test]
fn path_cost_equals_the_tree() {
    for (seed, classes, depth) in [(1, 2, 5), (2, 2, 8), (3, 3, 4), (4, 10, 6), (5, 2, 1)] {
        let quantizer = common::quantizer(57, 64);
        let model = Model::Tree(common::tree(&quantizer, depth, classes, &mut common::random(seed)));
        let plan = planned(&model, &quantizer, classes as usize, CircuitKind::PathCost, Reveal::Size);
        assert!(plan.guarantees.flooding_log2.unwrap() <= -30.0);
        assert_exact(&model, &quantizer, &plan, 2, 150);
    }
}

#[test]
fn path_cost_equals_a_sum_of_trees() {
    // Many trees, several scores, one tree of many scores.
    for (seed, trees, depth, classes, levels, rows) in
        [(1, 50, 3, 2, 64, 40), (2, 12, 4, 3, 16, 40), (3, 1, 4, 10, 16, 60), (4, 2, 1, 0, 9, 60)]
    {
        let quantizer = common::quantizer(57, levels);
        let output = if classes == 0 { Output::Value } else { Output::Classes(classes) };
        let forest = common::forest(&quantizer, [trees, depth, output.margins()], 120, &mut common::random(seed));
        let model = Model::Forest(forest);
        model.check(&quantizer, output).unwrap();
        let request = PlanRequest { circuit: Some(CircuitKind::PathCost), ..PlanRequest::default() };
        let start = Instant::now();
        let plan = plan(&model, &quantizer, output, &request).unwrap().remove(0);
        println!("searched in {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
        plan.spec.check(&quantizer, output).unwrap();
        assert!(plan.guarantees.p_fail_log2.unwrap() <= -128.0, "{:?}", plan.guarantees);
        assert!(plan.guarantees.flooding_log2.unwrap() <= -30.0, "{:?}", plan.guarantees);
        assert_exact(&model, &quantizer, &plan, 2, rows);
    }
}

/// A forest with thresholds that contradict earlier ones, leaves that no row reaches, and constant trees.
fn wild_forest(quantizer: &Quantizer, trees: usize, scores: usize, random: &mut Random) -> IntegerForest {
    fn grow(quantizer: &Quantizer, depth: u32, scores: usize, random: &mut Random) -> Branch<u32, ValueLeaf> {
        let values = (0..scores).map(|_| random.below(31) as i32 - 15).collect();
        if depth == 0 || random.below(5) == 0 {
            return Branch::Leaf(ValueLeaf { values });
        }
        let feature = random.below(quantizer.features.len() as u64) as usize;
        let threshold = 1 + random.below(u64::from(quantizer.features[feature].levels()) - 1) as u32;
        let low = grow(quantizer, depth - 1, scores, random);
        Branch::split(feature as u32, threshold, low, grow(quantizer, depth - 1, scores, random))
    }
    let mut tree = || grow(quantizer, 4, scores, random).depth_first();
    IntegerForest { trees: (0..trees).map(|_| tree()).collect(), biases: vec![-7; scores] }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn path_cost_equals_any_sum_of_trees(
        seed in any::<u8>(),
        features in 1usize..6,
        levels in 2u32..9,
        trees in 1usize..7,
        classes in 2usize..5,
        open in any::<bool>(),
    ) {
        let mut random = common::random(seed);
        let quantizer = common::quantizer(features, levels);
        let output = Output::Classes(classes);
        let model = Model::Forest(wild_forest(&quantizer, trees, output.margins(), &mut random));
        model.check(&quantizer, output).unwrap();
        let reveal = if open { Reveal::Model } else { Reveal::Size };
        let plan = planned(&model, &quantizer, classes, CircuitKind::PathCost, reveal);
        prop_assert_eq!(plan.spec.key_bytes() == 0, open);
        assert_exact(&model, &quantizer, &plan, 1, 12);
    }
}

#[test]
fn path_cost_without_rerandomization_needs_no_key() {
    let quantizer = common::quantizer(8, 16);
    let model = Model::Tree(common::tree(&quantizer, 4, 3, &mut common::random(6)));
    let plan = planned(&model, &quantizer, 3, CircuitKind::PathCost, Reveal::Model);
    assert_eq!(plan.spec.key_bytes(), 0);
    assert_exact(&model, &quantizer, &plan, 1, 200);
}

#[test]
fn leaf_sum_equals_the_tree() {
    for (seed, classes, depth, rows) in [(1, 2, 5, 60), (2, 3, 4, 60), (3, 10, 5, 20), (5, 2, 1, 60)] {
        let quantizer = common::quantizer(57, 64);
        let model = Model::Tree(common::tree(&quantizer, depth, classes, &mut common::random(seed)));
        let plan = planned(&model, &quantizer, classes as usize, CircuitKind::LeafSum, Reveal::Nothing);
        assert_exact(&model, &quantizer, &plan, 2, rows);
    }
}

#[test]
fn linear_equals_the_model() {
    for (seed, classes, features, weight_bits) in [(1, 2, 30, 8), (2, 3, 4, 8), (3, 10, 64, 5)] {
        let quantizer = common::quantizer(features, 256);
        let model = Model::Linear(common::linear(&quantizer, classes, weight_bits, &mut common::random(seed)));
        let plan = planned(&model, &quantizer, classes, CircuitKind::Linear, Reveal::Nothing);
        assert!(plan.guarantees.flooding_log2.unwrap() <= -30.0);
        assert_exact(&model, &quantizer, &plan, 3, 200);
        let open = planned(&model, &quantizer, classes, CircuitKind::Linear, Reveal::Model);
        assert_eq!(open.spec.key_bytes(), 0);
        assert_exact(&model, &quantizer, &open, 1, 200);
    }
}

#[test]
fn cmux_forest_equals_the_forest() {
    // Boosted trees as they come, classes, levels that are no power of two, a forest of several blocks of splits.
    let shapes =
        [([50, 3, 1], 64, 127, 20), ([10, 4, 3], 64, 63, 20), ([5, 6, 10], 5, 1000, 10), ([150, 4, 1], 16, 9, 4)];
    for (seed, (shape, levels, largest, rows)) in shapes.into_iter().enumerate() {
        let quantizer = common::quantizer(57, levels);
        let forest = common::forest(&quantizer, shape, largest, &mut common::random(seed as u8));
        let classes = if shape[2] == 1 { 2 } else { shape[2] };
        let model = Model::Forest(forest);
        model.check(&quantizer, Output::Classes(classes)).unwrap();
        let plan = planned(&model, &quantizer, classes, CircuitKind::CmuxForest, Reveal::Nothing);
        assert_exact(&model, &quantizer, &plan, 2, rows);
    }
}

#[test]
fn cmux_forest_equals_a_tree_and_one_leaf() {
    let quantizer = common::quantizer(6, 8);
    let tree = Model::Tree(common::tree(&quantizer, 5, 3, &mut common::random(6)));
    let plan = planned(&tree, &quantizer, 3, CircuitKind::CmuxForest, Reveal::Model);
    assert_eq!(plan.spec.key_bytes(), 0);
    assert_exact(&tree, &quantizer, &plan, 1, 40);
    // Nothing is compared, so nothing is unpacked.
    let constant = Model::Forest(common::forest(&quantizer, [3, 0, 1], 100, &mut common::random(7)));
    let plan = planned(&constant, &quantizer, 2, CircuitKind::CmuxForest, Reveal::Nothing);
    assert_exact(&constant, &quantizer, &plan, 1, 3);
}

#[test]
fn a_table_equals_any_model() {
    // Levels that are no power of two, several answers, more and fewer entries than a polynomial.
    let small = common::quantizer(3, 5);
    let wide = common::quantizer(4, 16);
    let tree = Model::Tree(common::tree(&small, 4, 3, &mut common::random(1)));
    let linear = Model::Linear(common::linear(&wide, 3, 8, &mut common::random(2)));
    let shapes = [common::dense(4, 6), common::dense(6, 3)];
    let network = Model::Network(common::network(&wide, &shapes, &[0, 1, 2, 3], &mut common::random(3)));
    for (model, quantizer, classes, rows) in
        [(&tree, &small, 3, 100), (&linear, &wide, 3, 60), (&network, &wide, 3, 60)]
    {
        let plan = planned(model, quantizer, classes, CircuitKind::Table, Reveal::Nothing);
        assert_exact(model, quantizer, &plan, 2, rows);
    }
    let open = planned(&network, &wide, 3, CircuitKind::Table, Reveal::Model);
    assert_eq!(open.spec.key_bytes(), 0);
    assert_exact(&network, &wide, &open, 1, 20);
    // A network whose inputs fit a table is one, unless asked otherwise.
    assert_eq!(
        plan(&network, &wide, Output::Classes(3), &PlanRequest::default()).unwrap()[0].spec.kind(),
        CircuitKind::Table
    );
    let many = common::quantizer(5, 16);
    let model = Model::Linear(common::linear(&many, 2, 8, &mut common::random(2)));
    let request = PlanRequest { circuit: Some(CircuitKind::Table), ..PlanRequest::default() };
    let error = plan(&model, &many, Output::Classes(2), &request).unwrap_err();
    assert!(error.code == ErrorCode::CircuitUnfit && error.message.contains("20 bits"), "{error:?}");
}

#[test]
fn auto_takes_the_cheapest_that_reveals_no_more_than_allowed() {
    let quantizer = common::quantizer(10, 16);
    let model = Model::Tree(common::tree(&quantizer, 4, 2, &mut common::random(1)));
    let choose = |reveal| {
        let request = PlanRequest { reveal, ..PlanRequest::default() };
        plan(&model, &quantizer, Output::Classes(2), &request).unwrap()[0].spec.kind()
    };
    assert_eq!(choose(Reveal::Size), CircuitKind::PathCost);
    assert_eq!(choose(Reveal::Nothing), CircuitKind::LeafSum);
    let forest = Model::Forest(common::forest(&quantizer, [3, 2, 1], 9, &mut common::random(1)));
    let hidden =
        PlanRequest { circuit: Some(CircuitKind::PathCost), reveal: Reveal::Nothing, ..PlanRequest::default() };
    assert_eq!(plan(&forest, &quantizer, Output::Classes(2), &hidden).unwrap_err().code, ErrorCode::CircuitUnfit);
    let request = PlanRequest { circuit: Some(CircuitKind::Linear), ..PlanRequest::default() };
    assert_eq!(plan(&model, &quantizer, Output::Classes(2), &request).unwrap_err().code, ErrorCode::CircuitUnfit);
    let request =
        PlanRequest { circuit: Some(CircuitKind::PathCost), reveal: Reveal::Nothing, ..PlanRequest::default() };
    assert_eq!(plan(&model, &quantizer, Output::Classes(2), &request).unwrap_err().code, ErrorCode::CircuitUnfit);
}

#[test]
fn a_tree_too_deep_is_refused_with_the_depth_that_fits() {
    // A path over 200 features: no blind rotation resolves 1/400 of the torus with a failure rate of 2^-128.
    use fhectl_core::model::{ClassNode, IntegerTree};
    let quantizer = common::quantizer(200, 4);
    let mut nodes = Vec::new();
    for feature in 0..200u32 {
        let at = nodes.len() as u32;
        nodes.push(ClassNode::Split { feature, threshold: 2, low: at + 1, high: at + 2 });
        nodes.push(ClassNode::leaf(0));
    }
    nodes.push(ClassNode::leaf(1));
    let model = Model::Tree(IntegerTree::new(2, nodes).unwrap());
    model.check(&quantizer, Output::Classes(2)).unwrap();
    let request = PlanRequest { circuit: Some(CircuitKind::LeafSum), ..PlanRequest::default() };
    let error = plan(&model, &quantizer, Output::Classes(2), &request).unwrap_err();
    assert_eq!(error.code, ErrorCode::NoParameters);
    assert!(error.hint.as_ref().unwrap().contains("--max-depth"), "{error:?}");
    // The same tree runs in a circuit without bootstraps.
    let plan = planned(&model, &quantizer, 2, CircuitKind::PathCost, Reveal::Size);
    assert_exact(&model, &quantizer, &plan, 1, 50);
}
