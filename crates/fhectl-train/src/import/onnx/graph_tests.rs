use super::*;
use crate::import::onnx::proto::TensorProto;

fn relu(input: &str, output: &str) -> NodeProto {
    operation("Relu", &[input], output)
}

fn operation(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        input: inputs.iter().map(|name| (*name).to_owned()).collect(),
        output: vec![output.into()],
        ..NodeProto::default()
    }
}

fn named(name: &str) -> ValueInfoProto {
    ValueInfoProto { name: name.into(), r#type: None }
}

fn weights(name: &str) -> TensorProto {
    TensorProto { name: name.into(), dims: vec![2], data_type: 1, float_data: vec![1.0, 2.0], ..TensorProto::default() }
}

fn model(node: Vec<NodeProto>, output: &str) -> ModelProto {
    let graph = GraphProto {
        node,
        input: vec![named("x"), named("w")],
        output: vec![named(output)],
        initializer: vec![weights("w")],
        ..GraphProto::default()
    };
    ModelProto { graph: Some(graph), ..ModelProto::default() }
}

fn refusal(model: &ModelProto) -> String {
    let error = Graph::read(&model.encode_to_vec()).unwrap_err();
    format!("{}: {}", error.code, error.message)
}

#[test]
fn nodes_come_in_an_order_that_can_be_computed() {
    let nodes = vec![
        relu("b", "y"),
        operation("Mul", &["a", "w"], "b"),
        operation("Identity", &["x"], "same"),
        relu("same", "a"),
        relu("a", "unused"),
    ];
    let graph = Graph::read(&model(nodes, "y").encode_to_vec()).unwrap();
    let order: Vec<&str> = graph.nodes.iter().map(|node| node.outputs[0].as_str()).collect();
    assert_eq!(order, ["a", "b", "y"]);
    assert_eq!(graph.nodes[0].inputs, ["x"]);
    assert_eq!(graph.inputs.len(), 1);
    assert_eq!(graph.constant("w").unwrap().floats().unwrap(), [1.0, 2.0]);
    assert_eq!(graph.source("b").unwrap().op, "Mul");
    assert_eq!(graph.users("a").count(), 1);
}

#[test]
fn cycles_and_names_without_a_source_are_refused() {
    assert!(refusal(&model(vec![relu("b", "a"), relu("a", "b")], "a")).contains("depends on itself"));
    assert!(refusal(&model(vec![operation("Identity", &["a"], "a")], "a")).contains("depends on itself"));
    assert!(refusal(&model(vec![relu("nowhere", "a")], "a")).contains("nothing makes `nowhere`"));
    assert!(refusal(&model(vec![relu("x", "a")], "b")).contains("nothing makes `b`"));
    assert!(refusal(&model(vec![relu("x", "a"), relu("x", "a")], "a")).contains("two sources"));
    assert!(refusal(&model(vec![relu("x", "w")], "w")).contains("two sources"));
}

#[test]
fn what_is_not_read_is_named() {
    let with = |change: fn(&mut GraphProto)| {
        let mut model = model(vec![relu("x", "y")], "y");
        change(model.graph.as_mut().unwrap());
        refusal(&model)
    };
    assert!(with(|graph| graph.sparse_initializer.push(Default::default())).contains("sparse"));
    assert!(with(|graph| graph.initializer[0].data_location = 1).contains("another file"));
    assert!(with(|graph| graph.initializer[0].dims = vec![-2]).contains("dimension of -2"));
    assert!(with(|graph| graph.initializer[0].dims = vec![50_000, 50_000]).contains("2 elements for the shape"));
    assert!(with(|graph| graph.output.clear()).contains("no output"));
    assert!(with(|graph| graph.node = vec![Default::default(); 70_000]).contains("70000 nodes"));
    assert!(refusal(&ModelProto::default()).contains("no graph"));
}

#[test]
fn constants_are_no_nodes() {
    let mut constant = operation("Constant", &[], "c");
    constant.attribute.push(AttributeProto { name: "value_float".into(), f: 2.5, r#type: 1, ..Default::default() });
    let graph = Graph::new(&model(vec![constant, operation("Mul", &["x", "c"], "y")], "y")).unwrap();
    assert_eq!(graph.nodes.len(), 1);
    assert_eq!(graph.constant("c").unwrap().floats().unwrap(), [2.5]);
}

#[test]
fn no_prefix_of_a_file_panics() {
    let bytes = model(vec![relu("x", "y")], "y").encode_to_vec();
    for length in 0..bytes.len() {
        let _ = Graph::read(&bytes[..length]);
    }
    Graph::read(&bytes).unwrap();
}
