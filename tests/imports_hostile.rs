//! Untrusted model files: damaged and crafted ones give an error with a code, never a panic or a hang.

use fhectl_train::import::onnx::proto::{
    AttributeProto, Dimension, GraphProto, ModelProto, NodeProto, TensorProto, TensorShape, TensorType, TypeProto,
    ValueInfoProto,
};
use fhectl_train::import::{FloatModel, exact_levels, read};
use prost::Message;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let listed =
        ["import", "boosters", "pipelines"].into_iter().flat_map(|name| fs::read_dir(folder.join(name)).unwrap());
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    let model = |path: &PathBuf| {
        path.extension().is_some_and(|kind| ["onnx", "json", "ubj", "txt"].iter().any(|of| kind == *of))
    };
    paths.retain(model);
    paths.sort();
    assert!(paths.len() > 30);
    paths
        .into_iter()
        .map(|path| (path.file_name().unwrap().to_str().unwrap().into(), fs::read(path).unwrap()))
        .collect()
}

/// Reads bytes and, if they are a model, uses it.
fn digest(bytes: &[u8]) {
    let Ok(imported) = read(bytes, "file") else { return };
    let row = imported.prepared(&vec![0.5; imported.features]);
    let scores = imported.model.scores(&row);
    assert!(scores.len() <= imported.output().margins().max(1));
    let _ = imported.decoder().predict_real(&scores);
    if let FloatModel::Forest(forest) = &imported.model {
        let _ = exact_levels(forest, imported.prepared_width());
    }
}

#[test]
fn truncated_files() {
    for (name, bytes) in fixtures() {
        // Every length of small files; of large ones every length near the beginning, then samples.
        let step = |length: usize| if length < 2000 { 1 } else { 1 + bytes.len() / 200 };
        let mut length = 0;
        while length < bytes.len() {
            digest(&bytes[..length]);
            length += step(length);
        }
        let network = name.starts_with("torch") || name.starts_with("sklearn_mlp");
        assert!(read(&bytes, &name).is_ok() || network || name.starts_with("refused"), "{name}");
    }
}

#[test]
fn damaged_files() {
    let mut state = 1u64;
    let mut next = move |bound: usize| {
        // The generator of Knuth's MMIX; only its upper bits are used.
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % bound
    };
    for (_, bytes) in fixtures() {
        for _ in 0..150 {
            let mut damaged = bytes.clone();
            for _ in 0..=next(4) {
                let at = next(damaged.len());
                let end = (at + 1 + next(16)).min(damaged.len());
                match next(4) {
                    0 => damaged[at] ^= 1 << next(8),
                    1 => damaged[at] = [0, 1, 0x7F, 0x80, 0xFF][next(5)],
                    2 => drop(damaged.drain(at + 1..end)),
                    _ => {
                        let copied = damaged[at..end].to_vec();
                        let to = next(damaged.len());
                        damaged.splice(to..to, copied);
                    }
                }
            }
            digest(&damaged);
        }
    }
}

fn refusal(bytes: &[u8]) -> String {
    let Err(error) = read(bytes, "file") else { return "it was read".into() };
    assert!(error.message.starts_with("file: "), "{}", error.message);
    format!("{}: {} ({})", error.code, error.message, error.hint.unwrap_or_default())
}

/// An XGBoost model of one stump, changed by `change`.
fn xgboost(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut file = json!({
        "version": [3, 0, 0],
        "learner": {
            "gradient_booster": {
                "name": "gbtree",
                "model": {
                    "tree_info": [0],
                    "trees": [{
                        "left_children": [1, -1, -1],
                        "right_children": [2, -1, -1],
                        "split_indices": [0, 0, 0],
                        "split_conditions": [0.5, -1.0, 1.0],
                        "split_type": [0, 0, 0],
                        "tree_param": {"size_leaf_vector": "1"}
                    }]
                }
            },
            "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "2"},
            "objective": {"name": "binary:logistic"}
        }
    });
    change(&mut file);
    file.to_string().into_bytes()
}

#[test]
fn crafted_xgboost_files() {
    let tree =
        |change: fn(&mut Value)| xgboost(|file| change(&mut file["learner"]["gradient_booster"]["model"]["trees"][0]));
    let learner = |change: fn(&mut Value)| xgboost(|file| change(&mut file["learner"]));
    // The root asks for category 3.
    let categorical = |change: fn(&mut Value)| {
        xgboost(|file| {
            let tree = &mut file["learner"]["gradient_booster"]["model"]["trees"][0];
            tree["split_type"][0] = json!(1);
            tree["categories"] = json!([3]);
            for (name, value) in [("nodes", 0), ("segments", 0), ("sizes", 1)] {
                tree[format!("categories_{name}")] = json!([value]);
            }
            change(tree);
        })
    };
    let named = |encoding: Value| {
        xgboost(|file| file["learner"]["gradient_booster"]["model"]["cats"] = json!({"enc": [encoding]}))
    };
    let set = read(&categorical(|_| {}), "file").unwrap();
    let of = |x: f64| set.model.scores(&set.prepared(&[x, 0.0]))[0];
    assert_eq!([of(3.0), of(2.0), of(-1.0)], [1.0, -1.0, -1.0]);
    assert_eq!(read(&xgboost(|_| {}), "file").unwrap().model.scores(&[0.4, 0.0]), [-1.0]);
    for (wanted, bytes) in [
        ("below itself", tree(|tree| tree["left_children"][0] = json!(0))),
        ("two parents", tree(|tree| tree["left_children"][0] = json!(2))),
        ("child 9", tree(|tree| tree["left_children"][0] = json!(9))),
        ("a child -7", tree(|tree| tree["right_children"][0] = json!(-7))),
        ("feature 2 of 2", tree(|tree| tree["split_indices"][0] = json!(2))),
        ("different lengths", tree(|tree| tree["split_indices"] = json!([0]))),
        ("not listed", tree(|tree| tree["split_type"][0] = json!(1))),
        ("in the way 2", tree(|tree| tree["split_type"][0] = json!(2))),
        ("categories from 0, 2", categorical(|tree| tree["categories_sizes"] = json!([2]))),
        ("categories from 18446744073709551615", categorical(|tree| tree["categories_segments"] = json!([u64::MAX]))),
        ("categories of a node 7", categorical(|tree| tree["categories_nodes"] = json!([7]))),
        ("categories of different lengths", categorical(|tree| tree["categories_sizes"] = json!([]))),
        ("the category -3", categorical(|tree| tree["categories"] = json!([-3]))),
        ("category at bytes 0 to 9", named(json!({"offsets": [0, 9], "values": [65]}))),
        ("category at bytes 2 to 1", named(json!({"offsets": [2, 1], "values": [65, 66, 67]}))),
        ("several outputs", tree(|tree| tree["tree_param"]["size_leaf_vector"] = json!("3"))),
        ("out of range", tree(|tree| tree["split_conditions"][1] = json!(1e39))),
        (
            "child 0",
            tree(|tree| {
                for list in ["left_children", "right_children", "split_indices", "split_conditions", "split_type"] {
                    tree[list] = json!([]);
                }
            }),
        ),
        ("objective `reg:mystery`", learner(|learner| learner["objective"]["name"] = json!("reg:mystery"))),
        (
            "not positive",
            learner(|learner| {
                learner["objective"]["name"] = json!("count:poisson");
                learner["learner_model_param"]["base_score"] = json!("0E0");
            }),
        ),
        ("booster `gbforest`", learner(|learner| learner["gradient_booster"]["name"] = json!("gbforest"))),
        ("several targets", learner(|learner| learner["learner_model_param"]["num_target"] = json!("2"))),
        ("no probability", learner(|learner| learner["learner_model_param"]["base_score"] = json!("1E0"))),
        ("no number", learner(|learner| learner["learner_model_param"]["base_score"] = json!("[,]"))),
        ("4000000000 features", learner(|learner| learner["learner_model_param"]["num_feature"] = json!("4000000000"))),
        ("feature 0 of 0", learner(|learner| learner["learner_model_param"]["num_feature"] = json!("0"))),
        ("score that there is not", learner(|learner| learner["gradient_booster"]["model"]["tree_info"] = json!([1]))),
        ("1 trees", learner(|learner| learner["gradient_booster"]["model"]["tree_info"] = json!([]))),
        (
            "0 trees",
            learner(|learner| {
                learner["gradient_booster"]["model"]["tree_info"] = json!([]);
                learner["gradient_booster"]["model"]["trees"] = json!([]);
            }),
        ),
        ("feature names", learner(|learner| learner["feature_names"] = json!(["a"]))),
        (
            "dart",
            learner(|learner| learner["gradient_booster"] = json!({"name": "dart", "gbtree": {"name": "gbtree"}})),
        ),
        (
            "2 weights",
            learner(|learner| {
                learner["gradient_booster"] = json!({"name": "gblinear", "model": {"weights": [1.0, 2.0]}})
            }),
        ),
    ] {
        let got = refusal(&bytes);
        assert!(got.contains(wanted), "{got} instead of {wanted}");
    }
    let classes = learner(|learner| {
        learner["objective"]["name"] = json!("multi:softmax");
        learner["learner_model_param"]["num_class"] = json!("1000000000000");
    });
    assert!(refusal(&classes).contains("classes"));
    assert!(refusal(&[b"{\"learner\":".repeat(100_000), vec![b'1']].concat()).contains("import_invalid"));
    assert!(refusal(&b"{i\x01a".repeat(100_000)).contains("import_invalid"));
}

#[test]
fn other_formats_are_named() {
    for (wanted, bytes) in [
        ("an empty file", &b""[..]),
        ("pickle", b"\x80\x04\x95"),
        ("zip archive", b"PK\x03\x04"),
        ("HDF5", b"\x89HDF\r\n"),
        ("trees", b"tree\nversion=v4\n"),
        ("old binary", b"binf...."),
        ("not an ONNX model", b"hello there"),
        ("no graph", b"\x08\x08"),
    ] {
        assert!(refusal(bytes).contains(wanted), "{}", refusal(bytes));
    }
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), ints: ints.to_vec(), r#type: 7, ..AttributeProto::default() }
}

fn floats(name: &str, floats: &[f32]) -> AttributeProto {
    AttributeProto { name: name.into(), floats: floats.to_vec(), r#type: 6, ..AttributeProto::default() }
}

fn texts(name: &str, texts: &[&str]) -> AttributeProto {
    let strings = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    AttributeProto { name: name.into(), strings, r#type: 8, ..AttributeProto::default() }
}

fn input(shape: &[i64]) -> ValueInfoProto {
    let dim = shape.iter().map(|size| Dimension { dim_value: Some(*size), dim_param: None }).collect();
    let tensor_type = TensorType { elem_type: 1, shape: Some(TensorShape { dim }) };
    ValueInfoProto { name: "x".into(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}

/// A graph of one node that takes `x` of two features.
fn onnx(op_type: &str, domain: &str, attribute: Vec<AttributeProto>, change: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    let node = NodeProto {
        input: vec!["x".into()],
        output: vec!["y".into()],
        op_type: op_type.into(),
        domain: domain.into(),
        attribute,
        ..NodeProto::default()
    };
    let output = vec![ValueInfoProto { name: "y".into(), r#type: None }];
    let mut graph = GraphProto { node: vec![node], input: vec![input(&[-1, 2])], output, ..GraphProto::default() };
    change(&mut graph);
    ModelProto { ir_version: 8, graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
}

/// A regression stump, its attributes changed by `change`.
fn stump(change: impl FnOnce(&mut Vec<AttributeProto>)) -> Vec<u8> {
    let mut attributes = vec![
        ints("nodes_treeids", &[0, 0, 0]),
        ints("nodes_nodeids", &[0, 1, 2]),
        ints("nodes_featureids", &[1, 0, 0]),
        floats("nodes_values", &[0.5, 0.0, 0.0]),
        texts("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"]),
        ints("nodes_truenodeids", &[1, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 0]),
        ints("target_treeids", &[0, 0]),
        ints("target_nodeids", &[1, 2]),
        ints("target_ids", &[0, 0]),
        floats("target_weights", &[10.0, 20.0]),
    ];
    change(&mut attributes);
    onnx("TreeEnsembleRegressor", "ai.onnx.ml", attributes, |_| {})
}

#[test]
fn trees_decide_by_their_modes() {
    for (mode, wanted) in [
        ("BRANCH_LEQ", [10.0, 10.0, 20.0]),
        ("BRANCH_LT", [10.0, 20.0, 20.0]),
        ("BRANCH_GTE", [20.0, 10.0, 10.0]),
        ("BRANCH_GT", [20.0, 20.0, 10.0]),
        ("BRANCH_EQ", [20.0, 10.0, 20.0]),
        ("BRANCH_NEQ", [10.0, 20.0, 10.0]),
    ] {
        let imported = read(&stump(|list| list[4] = texts("nodes_modes", &[mode, "LEAF", "LEAF"])), "file").unwrap();
        let values = [0.4, 0.5, 0.6].map(|x| imported.model.scores(&[0.0, x])[0]);
        assert_eq!(values, wanted, "{mode}");
    }
    let average = read(
        &stump(|list| {
            list.push(AttributeProto {
                name: "aggregate_function".into(),
                s: b"AVERAGE".to_vec(),
                r#type: 3,
                ..AttributeProto::default()
            });
            list.push(floats("base_values", &[1.0]));
        }),
        "file",
    );
    assert_eq!(average.unwrap().model.scores(&[0.0, 0.0]), [11.0]);
}

/// A tree of so many nodes on column 1, whose leaves 2 and 3 add 10 and 20.
fn chain(modes: &[&str; 4], thresholds: &[f32; 4], yes: &[i64; 4], no: &[i64; 4], tracks: &[i64]) -> Vec<u8> {
    stump(|list| {
        list[0] = ints("nodes_treeids", &[0; 4]);
        list[1] = ints("nodes_nodeids", &[0, 1, 2, 3]);
        list[2] = ints("nodes_featureids", &[1, 1, 0, 0]);
        list[3] = floats("nodes_values", thresholds);
        list[4] = texts("nodes_modes", modes);
        list[5] = ints("nodes_truenodeids", yes);
        list[6] = ints("nodes_falsenodeids", no);
        list[8] = ints("target_nodeids", &[2, 3]);
        list.push(ints("nodes_missing_value_tracks_true", tracks));
    })
}

#[test]
fn chains_of_equalities_are_sets() {
    let modes = ["BRANCH_EQ", "BRANCH_EQ", "LEAF", "LEAF"];
    let read = |bytes: Vec<u8>| read(&bytes, "file").unwrap();
    let set = read(chain(&modes, &[1.0, 4.0, 0.0, 0.0], &[3, 3, 0, 0], &[1, 2, 0, 0], &[]));
    let of = |model: &fhectl_train::import::Imported, x: f64| model.model.scores(&model.prepared(&[0.0, x]))[0];
    assert_eq!([1.0, 4.0, 2.0, f64::NAN].map(|x| of(&set, x)), [20.0, 20.0, 10.0, 10.0]);
    let FloatModel::Forest(forest) = &set.model else { panic!("{set:?}") };
    assert_eq!(forest.trees[0].nodes().len(), 3);
    // A side that both of its parents share.
    let modes = ["BRANCH_LEQ", "BRANCH_LEQ", "LEAF", "LEAF"];
    let shared = read(chain(&modes, &[1.0, 4.0, 0.0, 0.0], &[3, 3, 0, 0], &[1, 2, 0, 0], &[1, 0, 0, 0]));
    assert_eq!([0.0, 2.0, 5.0, f64::NAN].map(|x| of(&shared, x)), [20.0, 20.0, 10.0, 20.0]);
    let missing = read(chain(&modes, &[1.0, 4.0, 0.0, 0.0], &[3, 3, 0, 0], &[1, 2, 0, 0], &[0, 1, 0, 0]));
    assert_eq!([0.0, 2.0, 5.0, f64::NAN].map(|x| of(&missing, x)), [20.0, 20.0, 10.0, 20.0]);
    let neither = read(chain(&modes, &[f32::INFINITY, 4.0, 0.0, 0.0], &[3, 3, 0, 0], &[1, 2, 0, 0], &[0, 1, 0, 0]));
    assert_eq!([0.0, 5.0, f64::NAN].map(|x| of(&neither, x)), [20.0, 20.0, 20.0]);
}

#[test]
fn chains_that_are_no_trees_are_refused() {
    let modes = ["BRANCH_LEQ", "BRANCH_EQ", "BRANCH_EQ", "LEAF"];
    for (wanted, bytes) in [
        ("below itself", chain(&modes, &[1.0, 4.0, 5.0, 0.0], &[3, 3, 3, 0], &[1, 2, 1, 0], &[])),
        ("below itself", chain(&modes, &[1.0, 4.0, 5.0, 0.0], &[2, 3, 3, 0], &[1, 1, 3, 0], &[])),
        ("two roots", chain(&modes, &[1.0, 4.0, 5.0, 0.0], &[3, 3, 3, 0], &[3, 3, 3, 0], &[])),
        ("no root reaches", chain(&modes, &[1.0, 4.0, 5.0, 0.0], &[3, 2, 1, 0], &[3, 2, 1, 0], &[])),
        ("different lengths", chain(&modes, &[1.0, 4.0, 5.0, 0.0], &[3, 3, 3, 0], &[1, 2, 3, 0], &[1])),
    ] {
        let got = refusal(&bytes);
        assert!(got.contains(wanted), "{got} instead of {wanted}");
    }
}

#[test]
fn crafted_onnx_trees() {
    let with = |index: usize, attribute: AttributeProto| stump(|list| list[index] = attribute);
    for (wanted, bytes) in [
        ("no root reaches", with(5, ints("nodes_truenodeids", &[0, 0, 0]))),
        ("two roots", with(5, ints("nodes_truenodeids", &[2, 0, 0]))),
        ("has no node 8", with(5, ints("nodes_truenodeids", &[8, 0, 0]))),
        ("same number", with(1, ints("nodes_nodeids", &[0, 1, 1]))),
        ("no number", with(3, floats("nodes_values", &[f32::NAN, 0.0, 0.0]))),
        ("column 2 of 2", with(2, ints("nodes_featureids", &[2, 0, 0]))),
        ("column -1", with(2, ints("nodes_featureids", &[-1, 0, 0]))),
        ("different lengths", with(2, ints("nodes_featureids", &[1]))),
        ("different lengths", with(10, floats("target_weights", &[1.0]))),
        ("score 5 of 1", with(9, ints("target_ids", &[0, 5]))),
        ("leaf that no tree has", with(8, ints("target_nodeids", &[1, 7]))),
        ("two roots", with(4, texts("nodes_modes", &["LEAF", "LEAF", "LEAF"]))),
        ("mode `BRANCH_MEMBER`", with(4, texts("nodes_modes", &["BRANCH_MEMBER", "LEAF", "LEAF"]))),
        ("finite", with(10, floats("target_weights", &[f32::INFINITY, 1.0]))),
        ("another type", with(2, floats("nodes_featureids", &[1.0]))),
        ("given twice", stump(|list| list.push(ints("nodes_treeids", &[0, 0, 0])))),
        (
            "MIN",
            stump(|list| {
                let name = "aggregate_function".into();
                list.push(AttributeProto { name, s: b"MIN".to_vec(), r#type: 3, ..AttributeProto::default() });
            }),
        ),
        (
            "predicts 0 numbers",
            stump(|list| {
                list.push(AttributeProto { name: "n_targets".into(), i: -1, r#type: 2, ..AttributeProto::default() });
            }),
        ),
    ] {
        let got = refusal(&bytes);
        assert!(got.contains(wanted), "{got} instead of {wanted}");
    }
}

#[test]
fn crafted_onnx_graphs() {
    let scaler = |change: fn(&mut GraphProto)| onnx("Scaler", "ai.onnx.ml", vec![], change);
    let matrix = |dims: Vec<i64>, count: usize| TensorProto {
        name: "w".into(),
        dims,
        data_type: 1,
        float_data: vec![1.0; count],
        ..TensorProto::default()
    };
    let product = |tensor: TensorProto| {
        onnx("MatMul", "", vec![], |graph| {
            graph.node[0].input.push("w".into());
            graph.initializer.push(tensor);
        })
    };
    for (wanted, bytes) in [
        ("depends on itself", scaler(|graph| graph.node[0].input[0] = "y".into())),
        ("nothing makes", scaler(|graph| graph.node[0].input[0] = "z".into())),
        ("input `x`", scaler(|graph| graph.input[0] = input(&[-1, -1]))),
        ("dimension of 5000000000", scaler(|graph| graph.input[0] = input(&[1, 5_000_000_000]))),
        ("`x`", scaler(|graph| graph.input[0] = input(&[1, 4_000_000_000]))),
        ("operator `TreeEnsemble` ", onnx("TreeEnsemble", "ai.onnx.ml", vec![], |_| {})),
        ("operator Loop ", onnx("Loop", "", vec![], |_| {})),
        ("two sources", product(TensorProto { name: "y".into(), ..matrix(vec![2, 1], 2) })),
        ("dimension of -2", product(matrix(vec![-2, 1], 2))),
        ("2 elements for the shape", product(matrix(vec![50_000, 50_000], 2))),
        ("a matrix product of [1, 2]", product(matrix(vec![3, 1], 3))),
        ("another file", product(TensorProto { data_location: 1, ..matrix(vec![2, 1], 2) })),
    ] {
        let got = refusal(&bytes);
        assert!(got.contains(wanted), "{got} instead of {wanted}");
    }
    let value = read(&product(matrix(vec![2, 1], 2)), "file").unwrap();
    assert_eq!(value.model.scores(&[3.0, 4.0]), [7.0]);
}

/// A graph that begins with `first` of `x` and goes on with `rounds` nodes, each of the one before, twice.
fn doubled(first: NodeProto, op: &str, rounds: usize) -> Vec<u8> {
    onnx("Abs", "", vec![], |graph| {
        graph.node[0] = first;
        for round in 0..rounds {
            let before = if round == 0 { "y".to_owned() } else { format!("s{round}") };
            graph.node.push(NodeProto {
                op_type: op.into(),
                input: vec![before.clone(), before],
                output: vec![format!("s{}", round + 1)],
                attribute: if op == "Concat" {
                    vec![AttributeProto { name: "axis".into(), i: 1, r#type: 2, ..AttributeProto::default() }]
                } else {
                    vec![]
                },
                ..NodeProto::default()
            });
        }
        graph.output[0].name = format!("s{rounds}");
    })
}

#[test]
fn sums_of_sums_end() {
    let forest = ModelProto::decode(&stump(|_| {})[..]).unwrap().graph.unwrap().node[0].clone();
    // Sixty doublings of a forest are one, of larger leaves.
    let imported = read(&doubled(forest.clone(), "Add", 60), "file").unwrap();
    assert_eq!(imported.model.scores(&[0.0, 0.0]), [10.0 * 2f64.powi(60)]);
    assert_eq!(read(&doubled(forest.clone(), "Mul", 3), "file").unwrap().model.scores(&[0.0, 0.0]), [1e8]);
    let size =
        NodeProto { op_type: "Abs".into(), input: vec!["x".into()], output: vec!["y".into()], ..NodeProto::default() };
    for (first, op) in
        [(&forest, "Concat"), (&size, "Concat"), (&size, "Mul"), (&size, "Pow"), (&size, "Max"), (&size, "Where")]
    {
        let bytes = doubled(first.clone(), op, 60);
        digest(&bytes);
        let error = refusal(&bytes);
        let known = ["it was read", "import_large", "onnx_unsupported", "onnx_invalid", "import_invalid"];
        assert!(known.iter().any(|code| error.starts_with(code)), "{op}: {error}");
    }
    // Nearly as deep as a file may have nodes.
    digest(&doubled(size, "Sub", 20_000));
    digest(&doubled(forest, "Mul", 20_000));
}

fn tensor(name: &str, dims: Vec<i64>, values: &[f32]) -> TensorProto {
    TensorProto { name: name.into(), dims, data_type: 1, float_data: values.to_vec(), ..TensorProto::default() }
}

fn whole(name: &str, dims: Vec<i64>, values: &[i64]) -> TensorProto {
    TensorProto { name: name.into(), dims, data_type: 7, int64_data: values.to_vec(), ..TensorProto::default() }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i, r#type: 2, ..AttributeProto::default() }
}

fn text(name: &str, text: &str) -> AttributeProto {
    AttributeProto { name: name.into(), s: text.as_bytes().to_vec(), r#type: 3, ..AttributeProto::default() }
}

/// The file as skl2onnx would have written it: what is wrong with a pipeline is said, not what is with a network.
fn of_sklearn(bytes: &[u8]) -> Vec<u8> {
    ModelProto { producer_name: "skl2onnx".into(), ..ModelProto::decode(bytes).unwrap() }.encode_to_vec()
}

/// The refusal of a node of `x` of two columns and these constants.
fn of_constants(op: &str, attributes: Vec<AttributeProto>, constants: Vec<TensorProto>) -> String {
    refusal(&of_sklearn(&onnx(op, "", attributes, |graph| {
        graph.node[0].input.extend(constants.iter().map(|constant| constant.name.clone()));
        graph.initializer.extend(constants);
    })))
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let numbers = |count: usize| tensor("c", vec![count as i64], &vec![1.0; count]);
    let many = || whole("c", vec![3], &[1 << 20, 1 << 20, 2]);
    for (wanted, got) in [
        ("shapes [1, 2] and [3]", of_constants("Add", vec![], vec![numbers(3)])),
        ("division by zero", of_constants("Div", vec![], vec![tensor("c", vec![1], &[0.0])])),
        ("does not fit [7]", of_constants("Reshape", vec![], vec![whole("c", vec![1], &[7])])),
        ("a dimension of -5", of_constants("Reshape", vec![], vec![whole("c", vec![1], &[-5])])),
        ("no whole number", of_constants("Reshape", vec![], vec![whole("c", vec![1], &[1 << 62])])),
        ("import_large", of_constants("Expand", vec![], vec![many()])),
        ("axis 5 of 2", of_constants("ReduceSum", vec![ints("axes", &[5])], vec![])),
        ("axis -9 of 2", of_constants("ArgMin", vec![int("axis", -9)], vec![])),
        ("an index beyond 2", of_constants("Gather", vec![int("axis", 1)], vec![whole("c", vec![1], &[2])])),
        ("an index beyond 2", of_constants("Gather", vec![int("axis", 1)], vec![tensor("c", vec![1], &[0.5])])),
        ("parts of 2 columns", of_constants("Split", vec![int("axis", 1)], vec![whole("c", vec![1], &[9])])),
        ("axes [0, 0]", of_constants("Transpose", vec![ints("perm", &[0, 0])], vec![])),
        ("TopK `y` whose numbers count", of_constants("TopK", vec![], vec![whole("c", vec![1], &[5])])),
        ("metric", of_constants("Scan", vec![], vec![numbers(2)])),
        (
            "between 1 and 0",
            of_constants("Clip", vec![], vec![tensor("c", vec![], &[1.0]), tensor("d", vec![], &[0.0])]),
        ),
    ] {
        assert!(got.contains(wanted), "{got} instead of {wanted}");
    }
}

#[test]
fn encoders_that_do_not_fit_are_refused() {
    let ml =
        |op: &str, attributes: Vec<AttributeProto>| refusal(&of_sklearn(&onnx(op, "ai.onnx.ml", attributes, |_| {})));
    let texts_in = |op: &str, domain: &str, attributes: Vec<AttributeProto>| {
        refusal(&of_sklearn(&onnx(op, domain, attributes, |graph| {
            let kind = graph.input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
            kind.elem_type = 8;
            kind.shape = Some(TensorShape { dim: vec![Dimension { dim_value: None, dim_param: None }; 1] });
        })))
    };
    for (wanted, got) in [
        ("0 categories", ml("OneHotEncoder", vec![])),
        ("without keys", ml("LabelEncoder", vec![])),
        ("2 keys for 1 values", ml("LabelEncoder", vec![ints("keys_int64s", &[1, 2]), ints("values_int64s", &[1])])),
        (
            "not finite",
            ml("LabelEncoder", vec![floats("keys_floats", &[1.0]), floats("values_floats", &[f32::INFINITY])]),
        ),
        ("3 values for 2 columns", ml("Imputer", vec![floats("imputed_value_floats", &[1.0; 3])])),
        (
            "threshold of NaN",
            ml(
                "Binarizer",
                vec![AttributeProto { name: "threshold".into(), f: f32::NAN, r#type: 1, ..AttributeProto::default() }],
            ),
        ),
        ("not a finite number", ml("Scaler", vec![floats("scale", &[f32::NAN])])),
        (
            "keys that its input does not have",
            ml("LabelEncoder", vec![texts("keys_strings", &["a"]), ints("values_int64s", &[1])]),
        ),
        ("pattern of words", texts_in("Tokenizer", "com.microsoft", vec![text("tokenexp", "[^ ]+")])),
        ("case change", texts_in("StringNormalizer", "", vec![text("case_change_action", "UPPER")])),
        ("other texts than one column's words", texts_in("TfIdfVectorizer", "", vec![])),
        ("of texts", texts_in("Scaler", "ai.onnx.ml", vec![])),
    ] {
        assert!(got.contains(wanted), "{got} instead of {wanted}");
    }
}

#[test]
fn vocabularies_that_do_not_fit_are_refused() {
    let vectorizer = |attributes: Vec<AttributeProto>| {
        refusal(&onnx("Tokenizer", "com.microsoft", vec![text("tokenexp", "[a-zA-Z0-9_]+")], |graph| {
            let kind = graph.input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
            kind.elem_type = 8;
            kind.shape = Some(TensorShape { dim: vec![Dimension { dim_value: None, dim_param: None }; 1] });
            graph.node.push(NodeProto {
                op_type: "TfIdfVectorizer".into(),
                input: vec!["y".into()],
                output: vec!["z".into()],
                attribute: attributes,
                ..NodeProto::default()
            });
            graph.output[0].name = "z".into();
        }))
    };
    let list = |counts: &[i64], places: &[i64], pool: &[&str]| {
        vec![ints("ngram_counts", counts), ints("ngram_indexes", places), texts("pool_strings", pool)]
    };
    let with = |mut list: Vec<AttributeProto>, attribute: AttributeProto| {
        list.push(attribute);
        list
    };
    for (wanted, got) in [
        ("0 phrases", vectorizer(vec![])),
        ("do not go together", vectorizer(list(&[0], &[0, 1], &["aa"]))),
        ("do not go together", vectorizer(list(&[5], &[0], &["aa"]))),
        ("do not go together", vectorizer(list(&[-1], &[0], &["aa"]))),
        ("do not go together", vectorizer(list(&[0], &[1 << 40], &["aa"]))),
        ("the phrase `a`", vectorizer(list(&[0], &[0], &["a"]))),
        ("the phrase `don", vectorizer(list(&[0], &[0], &["don't"]))),
        ("phrases of 1 to 9 words", vectorizer(with(list(&[0], &[0], &["aa"]), int("max_gram_length", 9)))),
        ("3 weights for 1 phrases", vectorizer(with(list(&[0], &[0], &["aa"]), floats("weights", &[1.0; 3])))),
    ] {
        assert!(got.contains(wanted), "{got} instead of {wanted}");
    }
}
