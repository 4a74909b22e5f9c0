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
    refused(&[3], one("Sin", &[]), vec![], "onnx_unsupported", "Sin");
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
    let open = File { input: vec![None, None], nodes: vec![node("Relu", &["x"], "y", &[])], constants: vec![] };
    assert!(open.refused().1.contains("not fixed"));
}

#[test]
fn a_fixed_batch_is_one_row_unless_the_graph_mixes_rows() {
    let file = |nodes: Vec<NodeProto>, constants| File { input: vec![Some(7), Some(3)], nodes, constants };
    let reshape = |shape: &[i64]| file(vec![node("Reshape", &["x", "s"], "y", &[])], vec![integers("s", shape)]);
    assert_eq!(file(vec![node("Relu", &["x"], "y", &[])], vec![]).values(&[1.0, -2.0, 3.0]), [1.0, 0.0, 3.0]);
    assert_eq!(reshape(&[7, 3, 1]).values(&[1.0, -2.0, 3.0]), [1.0, -2.0, 3.0]);
    for shape in [vec![21], vec![3, 7]] {
        let (code, message) = reshape(&shape).refused();
        assert!(code == "onnx_unsupported" && message.contains("fixed batch"), "{message}");
    }
    let spread = file(vec![node("Expand", &["x", "s"], "y", &[])], vec![integers("s", &[7, 3])]);
    assert_eq!(spread.refused().0, "onnx_unsupported");
}

fn of_type(data_type: i32, name: &str, values: &[i32]) -> TensorProto {
    let dims = if values.len() == 1 { vec![] } else { vec![values.len() as i64] };
    TensorProto { name: name.into(), dims, data_type, int32_data: values.to_vec(), ..TensorProto::default() }
}

/// `x` quantized and taken back, with the zero point given.
fn qdq(zero: TensorProto) -> File {
    let nodes =
        vec![node("QuantizeLinear", &["x", "s", "z"], "q", &[]), node("DequantizeLinear", &["q", "s", "z"], "y", &[])];
    File::new(&[3], nodes, vec![floats("s", &[], &[0.5]), zero])
}

#[test]
fn stated_quantization_is_kept_where_it_says_something() {
    let near = |got: &[f64], wanted: &[f64]| {
        assert!(got.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{got:?} {wanted:?}");
    };
    let row = [-1.0, 3.2, 200.0];
    // The lowest integer is zero: a ReLU was left out. Many levels are not rounded to.
    near(&qdq(of_type(2, "z", &[0])).values(&row), &[0.0, 3.2, 127.5]);
    near(&qdq(of_type(3, "z", &[0])).values(&row), &row);
    near(&qdq(of_type(2, "z", &[9])).values(&row), &row);
    // Few levels are the network's own.
    near(&qdq(of_type(22, "z", &[0])).values(&row), &[-1.0, 3.0, 3.5]);
    let quant = |bits: f32, attributes: &[(&str, Attr)]| {
        let quant = node("Quant", &["x", "s", "z", "b"], "y", attributes);
        let quant = NodeProto { domain: "onnx.brevitas".into(), ..quant };
        let constants = vec![floats("s", &[], &[0.5]), floats("z", &[], &[0.0]), floats("b", &[], &[bits])];
        File::new(&[3], vec![quant], constants)
    };
    near(&quant(2.0, &[]).values(&row), &[-1.0, 0.5, 0.5]);
    near(&quant(2.0, &[("narrow", Attr::Int(1))]).values(&row), &[-0.5, 0.5, 0.5]);
    near(&quant(2.0, &[("signed", Attr::Int(0))]).values(&row), &[0.0, 1.5, 1.5]);
    let bipolar = NodeProto { domain: "onnx.brevitas".into(), ..node("BipolarQuant", &["x", "s"], "y", &[]) };
    near(&File::new(&[3], vec![bipolar], vec![floats("s", &[], &[0.5])]).values(&row), &[-0.5, 0.5, 0.5]);
    for bad in [0.0, -3.0, 64.0, f32::NAN] {
        assert_eq!(quant(bad, &[]).refused().0, "onnx_invalid");
    }
    let zero_scale = vec![floats("s", &[], &[0.0]), of_type(2, "z", &[0])];
    let nodes = vec![node("QuantizeLinear", &["x", "s", "z"], "y", &[])];
    assert_eq!(File::new(&[3], nodes, zero_scale).refused().0, "onnx_invalid");
}

#[test]
fn integer_operators_and_normalizations_are_refused_with_what_to_do() {
    let refused = |node: NodeProto, constants: Vec<TensorProto>| {
        let error = File::new(&[3], vec![node], constants).lower().unwrap_err();
        assert_eq!(error.code.as_str(), "onnx_unsupported");
        (error.message.clone(), error.hint.unwrap().to_string())
    };
    for op in ["QGemm", "QLinearAdd", "MatMulInteger", "DynamicQuantizeLinear"] {
        let domain = if op == "QGemm" { "com.microsoft" } else { "" };
        let (_, hint) = refused(NodeProto { domain: domain.into(), ..node(op, &["x"], "y", &[]) }, vec![]);
        assert!(hint.contains("QuantFormat.QDQ"), "{op}: {hint}");
    }
    let norm = node("LayerNormalization", &["x", "block.norm.weight"], "y", &[]);
    let (message, hint) = refused(norm, vec![floats("block.norm.weight", &[3], &[1.0; 3])]);
    assert!(message.contains("layer `block.norm`"), "{message}");
    assert!(hint.contains("batch normalization"), "{hint}");
}

#[test]
fn constants_are_folded_and_what_depends_on_the_row_is_named() {
    let choice = |condition: Vec<NodeProto>, constants: Vec<TensorProto>| {
        let nodes = [condition, vec![node("Where", &["c", "x", "a"], "y", &[])]].concat();
        File::new(&[3], nodes, [vec![floats("a", &[1, 3], &[7.0, 8.0, 9.0])], constants].concat())
    };
    let compare = |op: &str| {
        choice(
            vec![node(op, &["k", "l"], "c", &[])],
            vec![floats("k", &[1, 3], &[1.0, 2.0, 3.0]), floats("l", &[1], &[2.0])],
        )
    };
    let row = [0.1, 0.2, 0.3];
    assert_eq!(compare("Greater").values(&row), [7.0, 8.0, 0.3]);
    assert_eq!(compare("LessOrEqual").values(&row), [0.1, 0.2, 9.0]);
    assert_eq!(compare("Equal").values(&row), [7.0, 0.2, 9.0]);
    let of_rows = choice(vec![node("Greater", &["x", "a"], "c", &[])], vec![]).refused();
    assert!(of_rows.0 == "onnx_unsupported" && of_rows.1.contains("depend on the row"), "{of_rows:?}");
    let power = |by: f32| File::new(&[3], vec![node("Pow", &["x", "p"], "y", &[])], vec![floats("p", &[], &[by])]);
    assert_eq!(power(1.0).values(&row), row);
    assert_eq!(power(2.0).refused().0, "onnx_unsupported");
    let softplus =
        vec![node("Exp", &["x"], "e", &[]), node("Add", &["e", "one"], "s", &[]), node("Log", &["s"], "y", &[])];
    let softplus = File::new(&[3], softplus, vec![floats("one", &[], &[1.0])]).values(&row);
    assert!(softplus.iter().zip(row).all(|(got, x)| (got - x.exp().ln_1p()).abs() < 1e-9), "{softplus:?}");
}

#[test]
fn a_last_exponential_is_the_clients() {
    let nodes = |last: &str| vec![node("Tanh", &["x"], "t", &[]), node(last, &["t"], "y", &[])];
    let lowered = File::new(&[1], nodes("Exp"), vec![]).lower().unwrap();
    assert_eq!(lowered.link, Some(ClearFunction::Exp));
    assert_eq!(lowered.graph.evaluate(&[0.5]), [0.5f64.tanh()]);
    assert_eq!(File::new(&[1], nodes("Relu"), vec![]).lower().unwrap().link, None);
    // Of several numbers it is a step of the network.
    let several = File::new(&[3], nodes("Exp"), vec![]).lower().unwrap();
    assert_eq!((several.link, several.graph.blocks.len()), (None, 2));
}

#[test]
fn average_pooling_is_offered_for_max_pooling_before_the_activation() {
    let pool = |op: &str| {
        let window = [("kernel_shape", Attr::Ints(vec![2, 2])), ("strides", Attr::Ints(vec![2, 2]))];
        File::new(&[1, 4, 4], vec![node("Relu", &["x"], "r", &[]), node(op, &["r"], "y", &window)], vec![])
    };
    let lowered = pool("MaxPool").lower().unwrap();
    let averaged = lowered.averaged.unwrap();
    let rows = |graph: &FloatGraph| graph.blocks.iter().map(|block| block.rows.len()).sum::<usize>();
    assert_eq!((rows(&averaged), rows(&lowered.graph)), (4, 16 + 8 + 4));
    let image: Vec<f64> = (0..16).map(|at| f64::from(at) - 8.0).collect();
    assert_eq!(averaged.evaluate(&image), [0.0, 0.0, 2.5, 4.5]);
    // The mean behind an activation costs one a value as well.
    let mean = pool("AveragePool").lower().unwrap();
    assert_eq!((rows(&mean.averaged.unwrap()), rows(&mean.graph)), (4, 16));
    let linear = File::new(&[1, 4, 4], vec![node("GlobalAveragePool", &["x"], "y", &[])], vec![]);
    assert!(linear.lower().unwrap().averaged.is_none());
}

#[test]
fn the_largest_of_many_filters_is_taken_below_their_activation() {
    let weights: Vec<f32> = (0..72).map(|at| ((at * 37 % 19) as f32 - 9.0) / 8.0).collect();
    let window = [("kernel_shape", Attr::Ints(vec![2, 2])), ("strides", Attr::Ints(vec![2, 2]))];
    let file = |last: &str| {
        let nodes = vec![
            node("Conv", &["x", "w"], "c", &[]),
            node("Relu", &["c"], if last == "Relu" { "y" } else { "r" }, &[]),
            node("MaxPool", &["r"], "y", &window),
        ];
        let nodes = nodes.into_iter().filter(|node| last == "MaxPool" || node.op_type != "MaxPool").collect();
        File::new(&[1, 8, 8], nodes, vec![floats("w", &[8, 1, 3, 3], &weights)]).lower().unwrap().graph
    };
    let (plain, pooled) = (file("Relu"), file("MaxPool"));
    let image: Vec<f64> = (0..64).map(|at| f64::from(at * 29 % 17) - 6.0).collect();
    let (values, largest) = (plain.evaluate(&image), pooled.evaluate(&image));
    // Classes are compared: what all have in common may go.
    let of = |values: &[f64], channel: usize, y: usize, x: usize| {
        let at = |down: usize, across: usize| values[channel * 36 + (2 * y + down) * 6 + 2 * x + across];
        at(0, 0).max(at(0, 1)).max(at(1, 0)).max(at(1, 1))
    };
    for (index, got) in largest.iter().enumerate() {
        let wanted = of(&values, index / 9, index / 3 % 3, index % 3);
        assert!((got - wanted).abs() < 1e-9, "{index}: {got} for {wanted}");
    }
    // A comparison a pair, and an activation a window; none of the 288 values before pooling.
    let rows: usize = pooled.blocks.iter().map(|block| block.rows.len()).sum();
    assert_eq!(rows, 144 + 72 + 72);
}
