use super::*;
use crate::import::onnx::proto::{
    AttributeProto, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetId, TensorProto, TensorShape, TensorType,
    TypeProto, ValueInfoProto,
};

/// A graph of one input `x` and one output `y`, with the rest as given.
struct File {
    input: Vec<Option<i64>>,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

fn node(op: &str, inputs: &[&str], output: &str, attributes: &[(&str, Attr)]) -> NodeProto {
    let attribute = |(name, value): &(&str, Attr)| {
        let base = AttributeProto { name: (*name).into(), ..AttributeProto::default() };
        match value {
            Attr::Int(i) => AttributeProto { i: *i, r#type: 2, ..base },
            Attr::Ints(ints) => AttributeProto { ints: ints.clone(), r#type: 7, ..base },
            Attr::Float(f) => AttributeProto { f: *f, r#type: 1, ..base },
            Attr::Text(text) => AttributeProto { s: text.as_bytes().to_vec(), r#type: 3, ..base },
        }
    };
    NodeProto {
        input: inputs.iter().map(|name| (*name).into()).collect(),
        output: vec![output.into()],
        name: format!("/{op}"),
        op_type: op.into(),
        attribute: attributes.iter().map(attribute).collect(),
        domain: String::new(),
    }
}

enum Attr {
    Int(i64),
    Ints(Vec<i64>),
    Float(f32),
    Text(&'static str),
}

fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: 1,
        float_data: values.to_vec(),
        ..TensorProto::default()
    }
}

fn integers(name: &str, values: &[i64]) -> TensorProto {
    let dims = vec![values.len() as i64];
    TensorProto { name: name.into(), dims, data_type: 7, int64_data: values.to_vec(), ..TensorProto::default() }
}

impl File {
    fn new(input: &[i64], nodes: Vec<NodeProto>, constants: Vec<TensorProto>) -> Self {
        let batch = std::iter::once(None);
        Self { input: batch.chain(input.iter().map(|size| Some(*size))).collect(), nodes, constants }
    }

    fn lower(self) -> Result<Lowered> {
        let dim = self.input.iter().map(|size| Dimension { dim_value: *size, dim_param: None }).collect();
        let tensor = TensorType { elem_type: 1, shape: Some(TensorShape { dim }) };
        let value = |name: &str, kind| ValueInfoProto { name: name.into(), r#type: kind };
        let graph = GraphProto {
            node: self.nodes,
            initializer: self.constants,
            input: vec![value("x", Some(TypeProto { tensor_type: Some(tensor) }))],
            output: vec![value("y", None)],
            ..GraphProto::default()
        };
        let opset = OperatorSetId { domain: String::new(), version: 18 };
        lower(&Graph::new(&ModelProto { graph: Some(graph), opset_import: vec![opset], ..ModelProto::default() })?)
    }

    /// The error's code and message.
    fn refused(self) -> (&'static str, String) {
        let error = self.lower().unwrap_err();
        assert!(error.hint.is_some(), "{error:?}");
        (error.code.as_str(), error.message)
    }

    /// The scores of a row.
    fn values(self, row: &[f64]) -> Vec<f64> {
        self.lower().unwrap().graph.evaluate(row)
    }
}

#[test]
fn windows_pads_strides_and_dilations_are_onnxs() {
    let image: Vec<f64> = (0..16).map(f64::from).collect();
    let conv = |attributes: &[(&str, Attr)], weights: TensorProto| {
        File::new(&[1, 4, 4], vec![node("Conv", &["x", "w"], "y", attributes)], vec![weights])
    };
    let corners = floats("w", &[1, 1, 2, 2], &[1.0, 0.0, 0.0, 10.0]);
    let dilated = conv(&[("dilations", Attr::Ints(vec![2, 2]))], corners.clone());
    assert_eq!(dilated.values(&image), [100.0, 111.0, 144.0, 155.0]);
    let padded = conv(&[("strides", Attr::Ints(vec![2, 2])), ("auto_pad", Attr::Text("SAME_UPPER"))], corners.clone());
    assert_eq!(padded.values(&image), [50.0, 72.0, 138.0, 160.0]);
    let pads = [("pads", Attr::Ints(vec![1, 1, 0, 0])), ("strides", Attr::Ints(vec![2, 2]))];
    assert_eq!(conv(&pads, corners).values(&image), [0.0, 20.0, 80.0, 105.0]);

    let pool = |op: &str, attributes: &[(&str, Attr)]| {
        File::new(&[1, 4, 4], vec![node(op, &["x"], "y", attributes)], vec![]).values(&image)
    };
    let size = || ("kernel_shape", Attr::Ints(vec![3, 3]));
    let stride = || ("strides", Attr::Ints(vec![2, 2]));
    assert_eq!(pool("MaxPool", &[size(), stride(), ("ceil_mode", Attr::Int(1))]), [10.0, 11.0, 14.0, 15.0]);
    assert_eq!(pool("MaxPool", &[size()]), [10.0, 11.0, 14.0, 15.0]);
    let around = || ("pads", Attr::Ints(vec![1, 1, 1, 1]));
    let near = |got: &[f64], wanted: &[f64]| got.iter().zip(wanted).all(|(got, wanted)| (got - wanted).abs() < 1e-9);
    assert!(near(&pool("AveragePool", &[size(), stride(), around()]), &[2.5, 4.0, 8.5, 10.0]));
    assert!(near(&pool("GlobalAveragePool", &[]), &[7.5]) && near(&pool("GlobalMaxPool", &[]), &[15.0]));
    let counted = pool("AveragePool", &[size(), stride(), around(), ("count_include_pad", Attr::Int(1))]);
    assert!((counted[0] - 10.0 / 9.0).abs() < 1e-12, "{counted:?}");
}

#[test]
fn elements_move_as_in_onnx() {
    let row: Vec<f64> = (0..6).map(f64::from).collect();
    let slice = |starts: &[i64], ends: &[i64], axes: &[i64], steps: &[i64]| {
        let constants = vec![integers("s", starts), integers("e", ends), integers("a", axes), integers("t", steps)];
        File::new(&[2, 3], vec![node("Slice", &["x", "s", "e", "a", "t"], "y", &[])], constants).values(&row)
    };
    assert_eq!(slice(&[1], &[i64::MAX], &[-1], &[1]), [1.0, 2.0, 4.0, 5.0]);
    assert_eq!(slice(&[-1], &[i64::MIN], &[2], &[-2]), [2.0, 0.0, 5.0, 3.0]);
    let turned =
        File::new(&[2, 3], vec![node("Transpose", &["x"], "y", &[("perm", Attr::Ints(vec![0, 2, 1]))])], vec![]);
    assert_eq!(turned.values(&row), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    let taken = vec![node("Gather", &["x", "i"], "y", &[("axis", Attr::Int(2))])];
    assert_eq!(File::new(&[2, 3], taken, vec![integers("i", &[2, -3])]).values(&row), [2.0, 0.0, 5.0, 3.0]);
    let padded = vec![node("Pad", &["x", "p"], "y", &[])];
    assert_eq!(File::new(&[3], padded, vec![integers("p", &[0, 1, 0, -1])]).values(&[7.0, 8.0, 9.0]), [0.0, 7.0, 8.0]);
}

#[test]
fn activations_written_as_products_are_curves() {
    let row = [-3.0, -0.5, 0.0, 2.0];
    let silu = File::new(&[4], vec![node("Sigmoid", &["x"], "s", &[]), node("Mul", &["x", "s"], "y", &[])], vec![]);
    let lowered = silu.lower().unwrap();
    assert_eq!(lowered.graph.blocks.len(), 2, "the gate itself is left out");
    for (got, x) in lowered.graph.evaluate(&row).iter().zip(row) {
        assert!((got - x / (1.0 + (-x).exp())).abs() < 1e-12);
    }
    let nodes = vec![
        node("Div", &["x", "root"], "d", &[]),
        node("Erf", &["d"], "e", &[]),
        node("Add", &["e", "one"], "g", &[]),
        node("Mul", &["x", "g"], "m", &[]),
        node("Mul", &["m", "half"], "y", &[]),
    ];
    let constants = vec![floats("root", &[], &[2f32.sqrt()]), floats("one", &[], &[1.0]), floats("half", &[], &[0.5])];
    for (got, x) in File::new(&[4], nodes, constants).values(&row).iter().zip(row) {
        assert!((got - x * 0.5 * (1.0 + libm::erf(x / 2f64.sqrt()))).abs() < 1e-6);
    }
}

#[test]
fn probabilities_become_the_scores_behind_them() {
    let weights = || floats("w", &[2, 1], &[1.0, -2.0]);
    let nodes = || vec![node("MatMul", &["x", "w"], "z", &[]), node("Sigmoid", &["z"], "y", &[])];
    let margin = File::new(&[2], nodes(), vec![weights()]).lower().unwrap();
    assert!(margin.graph.blocks.is_empty());
    assert_eq!(margin.graph.evaluate(&[3.0, 1.0]), [1.0]);
    assert_eq!(margin.output, Output::Classes(2));
    let number = File::new(&[2], vec![node("MatMul", &["x", "w"], "y", &[])], vec![weights()]).lower().unwrap();
    assert_eq!(number.output, Output::Value);
    let both = vec![
        node("MatMul", &["x", "w"], "z", &[]),
        node("Sigmoid", &["z"], "p", &[]),
        node("Sub", &["one", "p"], "q", &[]),
        node("Concat", &["q", "p"], "y", &[("axis", Attr::Int(1))]),
    ];
    let pair = File::new(&[2], both, vec![weights(), floats("one", &[], &[1.0])]).lower().unwrap();
    assert_eq!(pair.graph.evaluate(&[3.0, 1.0]), [1.0]);
    let softmax = File::new(&[3], vec![node("Softmax", &["x"], "y", &[])], vec![]);
    assert_eq!(softmax.values(&[3.0, 1.0, 2.0]), [3.0, 1.0, 2.0]);
}

#[test]
fn what_cannot_be_run_is_refused_by_name() {
    let refused = |input: &[i64], nodes: Vec<NodeProto>, constants: Vec<TensorProto>, code: &str, part: &str| {
        let (got, message) = File::new(input, nodes, constants).refused();
        assert!(got == code && message.contains(part), "{got}: {message}");
    };
    let one = |op: &str, attributes: &[(&str, Attr)]| vec![node(op, &["x"], "y", attributes)];
    refused(&[3], one("LSTM", &[]), vec![], "onnx_unsupported", "LSTM `/LSTM`");
    refused(&[3], one("Exp", &[]), vec![], "onnx_unsupported", "Exp");
    refused(&[3], one("LeakyRelu", &[("alpha", Attr::Float(-1.0))]), vec![], "onnx_unsupported", "falls");
    refused(&[3], vec![node("Mul", &["x", "x"], "y", &[])], vec![], "onnx_unsupported", "product of two");
    refused(
        &[3],
        vec![node("Softmax", &["x"], "s", &[]), node("Add", &["s", "s"], "y", &[])],
        vec![],
        "onnx_unsupported",
        "Add",
    );
    refused(
        &[3],
        vec![node("Add", &["x", "w"], "y", &[])],
        vec![floats("w", &[2], &[1.0; 2])],
        "onnx_invalid",
        "go together",
    );
    refused(&[3], vec![node("Relu", &[""], "y", &[])], vec![], "onnx_invalid", "input 0");
    refused(&[1], one("Softmax", &[]), vec![], "onnx_output", "one class");

    let pool = |attributes: &[(&str, Attr)]| one("AveragePool", attributes);
    let kernel = |sizes: &[i64]| ("kernel_shape", Attr::Ints(sizes.to_vec()));
    let image = [1, 4, 4];
    refused(&image, pool(&[kernel(&[-1, 2])]), vec![], "onnx_invalid", "negative");
    refused(&image, pool(&[kernel(&[0, 2])]), vec![], "onnx_invalid", "kernel");
    refused(&image, pool(&[kernel(&[5, 5])]), vec![], "onnx_invalid", "reaches over 5 of 4");
    refused(&image, pool(&[kernel(&[i64::MAX, 2])]), vec![], "onnx_invalid", "kernel");
    refused(&image, pool(&[kernel(&[2, 2]), ("strides", Attr::Ints(vec![0, 1]))]), vec![], "onnx_invalid", "strides");
    refused(&image, pool(&[kernel(&[2, 2]), ("pads", Attr::Ints(vec![-1, 0, 0, 0]))]), vec![], "onnx_invalid", "pads");
    refused(&image, pool(&[kernel(&[2, 2]), ("pads", Attr::Ints(vec![1 << 40; 4]))]), vec![], "onnx_invalid", "pads");
    refused(&image, pool(&[kernel(&[2, 2]), ("pads", Attr::Ints(vec![2; 4]))]), vec![], "onnx_unsupported", "padding");
    refused(&image, pool(&[kernel(&[2])]), vec![], "onnx_invalid", "kernel");
    refused(&[4], pool(&[kernel(&[2])]), vec![], "onnx_unsupported", "shape [1, 4]");

    let conv = |groups: i64, dims: &[i64]| {
        let count: i64 = dims.iter().product();
        let weights = floats("w", dims, &vec![1.0; count as usize]);
        (vec![node("Conv", &["x", "w"], "y", &[("group", Attr::Int(groups))])], vec![weights])
    };
    for (groups, dims) in
        [(0, [2, 1, 2, 2]), (-1, [2, 1, 2, 2]), (3, [2, 1, 2, 2]), (2, [2, 2, 2, 2]), (i64::MAX, [2, 1, 2, 2])]
    {
        let (nodes, constants) = conv(groups, &dims);
        refused(&[2, 4, 4], nodes, constants, "onnx_invalid", "groups");
    }
}

#[test]
fn sizes_are_bounded_before_memory_is_taken() {
    let refused = |input: &[i64], nodes: Vec<NodeProto>, constants: Vec<TensorProto>, code: &str| {
        let (got, message) = File::new(input, nodes, constants).refused();
        assert_eq!(got, code, "{message}");
    };
    refused(&[1 << 30, 1 << 30], vec![node("Relu", &["x"], "y", &[])], vec![], "onnx_unsupported");
    refused(&[1 << 19], vec![node("Relu", &["x"], "y", &[])], vec![], "onnx_unsupported");
    let reshape = |shape: &[i64]| (vec![node("Reshape", &["x", "s"], "y", &[])], vec![integers("s", shape)]);
    for (shape, code) in [
        (vec![i64::MAX, i64::MAX], "onnx_unsupported"),
        (vec![-1, -1], "onnx_invalid"),
        (vec![-7, 3], "onnx_invalid"),
        (vec![2, 5], "onnx_unsupported"),
        (vec![0, 0, 0], "onnx_invalid"),
    ] {
        let (nodes, constants) = reshape(&shape);
        refused(&[3], nodes, constants, code);
    }
    let expand = vec![node("Expand", &["x", "s"], "y", &[])];
    refused(&[3], expand, vec![integers("s", &[1 << 40, 3])], "onnx_unsupported");
    let fill = vec![node("ConstantOfShape", &["s"], "c", &[]), node("Add", &["x", "c"], "y", &[])];
    refused(&[3], fill, vec![integers("s", &[1 << 40])], "onnx_unsupported");
    let pad = vec![node("Pad", &["x", "p"], "y", &[])];
    refused(&[3], pad, vec![integers("p", &[0, 0, 0, i64::MAX])], "onnx_invalid");
    // Sums that grow by doubling: each is of all before it, none is large.
    let mut nodes = vec![node("Expand", &["x", "s"], "n0", &[])];
    for step in 0..40 {
        let (from, to) = (format!("n{step}"), if step == 39 { "y".into() } else { format!("n{}", step + 1) });
        nodes.push(node("Concat", &[&from, &from], &to, &[("axis", Attr::Int(1))]));
    }
    refused(&[3], nodes, vec![integers("s", &[1, 3])], "onnx_unsupported");
    let fixed = File { input: vec![Some(7), Some(3)], nodes: vec![node("Relu", &["x"], "y", &[])], constants: vec![] };
    assert!(fixed.refused().1.contains("fixed batch of 7"));
    let open = File { input: vec![None, None], nodes: vec![node("Relu", &["x"], "y", &[])], constants: vec![] };
    assert!(open.refused().1.contains("not fixed"));
}
