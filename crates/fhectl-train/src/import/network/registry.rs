//! The operators that networks are made of. A new one is a function and a line.

use super::builder::GraphBuilder;
use super::call::{Call, refused};
use super::function::{Curve, Function};
use super::gates;
use super::operators::{folded, image, linear, quantized, scalar, shape};
use super::tensor::SymbolicTensor;
use crate::import::onnx::{Graph, Node, Operator};
use fhectl_core::error::{Error, Result};

/// What an operator does.
enum Run {
    /// It computes.
    One(fn(&mut GraphBuilder, &Call<'_>) -> Result<SymbolicTensor>),
    /// It takes a function of every element that never decreases.
    Activation(fn(&Call<'_>) -> Result<Function>),
    /// It takes a function of every element that has one valley.
    Valley(Curve),
    /// It moves elements.
    Moved(fn(&Call<'_>) -> Result<SymbolicTensor>),
    /// It moves elements to several outputs.
    Parts(fn(&Call<'_>) -> Result<Vec<SymbolicTensor>>),
    /// It makes probabilities or a class.
    Tail,
}

use Run::{Activation, Moved, One, Parts, Tail, Valley};

const OPERATORS: &[Operator<Run>] = &[
    Operator::onnx("Abs", 1, One(scalar::absolute)),
    Operator::onnx("Add", 1, One(linear::add)),
    Operator::onnx("And", 1, Moved(folded::both)),
    Operator::onnx("ArgMax", 1, Tail),
    Operator::onnx("AveragePool", 1, One(image::average_pool)),
    Operator::onnx("BatchNormalization", 1, One(linear::batch_normalization)),
    Operator::onnx("Cast", 1, Moved(shape::cast)),
    Operator::onnx("Ceil", 1, Moved(folded::ceil)),
    Operator::onnx("Celu", 1, Activation(scalar::celu)),
    Operator::onnx("Clip", 1, Activation(scalar::clip)),
    Operator::onnx("Concat", 1, Moved(shape::concat)),
    Operator::onnx("ConstantOfShape", 1, Moved(shape::constant_of_shape)),
    Operator::onnx("Conv", 1, One(image::conv)),
    Operator::onnx("DequantizeLinear", 1, One(quantized::dequantize_linear)),
    Operator::onnx("Div", 1, One(linear::divide)),
    Operator::onnx("Dropout", 1, Moved(shape::unchanged)),
    Operator::onnx("Elu", 1, Activation(scalar::elu)),
    Operator::onnx("Equal", 1, Moved(folded::equal)),
    Operator::onnx("Erf", 1, Activation(|_| Ok(Function::Erf))),
    Operator::onnx("Exp", 1, One(scalar::exp)),
    Operator::onnx("Expand", 1, Moved(shape::expand)),
    Operator::onnx("Flatten", 1, Moved(shape::flatten)),
    Operator::onnx("Floor", 1, Moved(folded::floor)),
    Operator::onnx("Gather", 1, Moved(shape::gather)),
    Operator::onnx("Gelu", 1, Valley(Curve::Gelu)),
    Operator::onnx("Gemm", 1, One(linear::gemm)),
    Operator::onnx("GlobalAveragePool", 1, One(image::global_average_pool)),
    Operator::onnx("GlobalMaxPool", 1, One(image::global_max_pool)),
    Operator::onnx("Greater", 1, Moved(folded::greater)),
    Operator::onnx("GreaterOrEqual", 1, Moved(folded::greater_or_equal)),
    Operator::onnx("GroupNormalization", 1, Moved(folded::normalization)),
    Operator::onnx("HardSigmoid", 1, Activation(scalar::hard_sigmoid)),
    Operator::onnx("HardSwish", 1, Valley(Curve::HardSwish)),
    Operator::onnx("Identity", 1, Moved(shape::unchanged)),
    Operator::onnx("InstanceNormalization", 1, Moved(folded::normalization)),
    Operator::onnx("LRN", 1, Moved(folded::normalization)),
    Operator::onnx("LayerNormalization", 1, Moved(folded::normalization)),
    Operator::onnx("LeakyRelu", 1, Activation(scalar::leaky_relu)),
    Operator::onnx("Less", 1, Moved(folded::less)),
    Operator::onnx("LessOrEqual", 1, Moved(folded::less_or_equal)),
    Operator::onnx("Log", 1, One(scalar::log)),
    Operator::onnx("LogSoftmax", 1, Tail),
    Operator::onnx("LpNormalization", 1, Moved(folded::normalization)),
    Operator::onnx("MatMul", 1, One(linear::matmul)),
    Operator::onnx("Max", 1, One(scalar::largest)),
    Operator::onnx("MaxPool", 1, One(image::max_pool)),
    Operator::onnx("Mean", 1, One(linear::mean)),
    Operator::onnx("Min", 1, One(scalar::smallest)),
    Operator::onnx("Mish", 1, Valley(Curve::Mish)),
    Operator::onnx("Mul", 1, One(gates::multiply)),
    Operator::onnx("Neg", 1, One(linear::negate)),
    Operator::onnx("Not", 1, Moved(folded::not)),
    Operator::onnx("Or", 1, Moved(folded::either)),
    Operator::onnx("PRelu", 1, One(scalar::parametric)),
    Operator::onnx("Pad", 1, Moved(shape::pad)),
    Operator::onnx("Pow", 1, Moved(folded::power)),
    Operator::onnx("QuantizeLinear", 1, One(quantized::quantize_linear)),
    Operator::onnx("RMSNormalization", 1, Moved(folded::normalization)),
    Operator::onnx("Range", 1, One(folded::range)),
    Operator::onnx("Reciprocal", 1, Moved(folded::reciprocal)),
    Operator::onnx("ReduceMean", 1, One(linear::reduce_mean)),
    Operator::onnx("ReduceSum", 1, One(linear::reduce_sum)),
    Operator::onnx("Relu", 1, Activation(|_| Ok(Function::RELU))),
    Operator::onnx("Reshape", 1, Moved(shape::reshape)),
    Operator::onnx("Round", 1, Moved(folded::round)),
    Operator::onnx("Selu", 1, Activation(scalar::selu)),
    Operator::onnx("Shape", 1, Moved(shape::shape)),
    Operator::onnx("Sigmoid", 1, Activation(|_| Ok(Function::Sigmoid))),
    Operator::onnx("Sign", 1, Activation(|_| Ok(Function::Sign))),
    Operator::onnx("Slice", 1, Moved(shape::slice)),
    Operator::onnx("Softmax", 1, Tail),
    Operator::onnx("Softplus", 1, Activation(|_| Ok(Function::Softplus))),
    Operator::onnx("Softsign", 1, Activation(|_| Ok(Function::Softsign))),
    Operator::onnx("Split", 1, Parts(shape::split)),
    Operator::onnx("Sqrt", 1, Moved(folded::sqrt)),
    Operator::onnx("Squeeze", 1, Moved(shape::squeeze)),
    Operator::onnx("Sub", 1, One(linear::subtract)),
    Operator::onnx("Sum", 1, One(linear::sum)),
    Operator::onnx("Swish", 1, One(scalar::swish)),
    Operator::onnx("Tanh", 1, Activation(|_| Ok(Function::Tanh))),
    Operator::onnx("ThresholdedRelu", 1, Activation(scalar::thresholded_relu)),
    Operator::onnx("Transpose", 1, Moved(shape::transpose)),
    Operator::onnx("Unsqueeze", 1, Moved(shape::unsqueeze)),
    Operator::onnx("Where", 1, Moved(folded::choose)),
    Operator::ml("Scaler", 1, One(linear::scaler)),
    Operator::ml("ZipMap", 1, Tail),
    Operator::of("com.microsoft", "DequantizeLinear", One(quantized::dequantize_linear)),
    Operator::of("com.microsoft", "QuantizeLinear", One(quantized::quantize_linear)),
    Operator::of("onnx.brevitas", "BipolarQuant", One(quantized::bipolar)),
    Operator::of("onnx.brevitas", "Quant", One(quantized::quant)),
    Operator::of("qonnx.custom_op.general", "BipolarQuant", One(quantized::bipolar)),
    Operator::of("qonnx.custom_op.general", "IntQuant", One(quantized::quant)),
    Operator::of("qonnx.custom_op.general", "Quant", One(quantized::quant)),
];

/// Operators on integers that quantization tools put in place of layers.
const QUANTIZED: &[&str] = &[
    "QGemm",
    "ConvInteger",
    "MatMulInteger",
    "DynamicQuantizeLinear",
    "DynamicQuantizeMatMul",
    "MatMulIntegerToFloat",
];

/// What a node gives.
pub(super) enum Computed {
    Values(Vec<SymbolicTensor>),
    /// Probabilities or a class.
    Tail,
}

/// Runs a node.
///
/// # Errors
/// `onnx_unsupported` for an operator that is not in the table, saying what could replace it; those of its function.
pub(super) fn compute(builder: &mut GraphBuilder, call: &Call<'_>, graph: &Graph) -> Result<Computed> {
    let operator = Operator::find(OPERATORS, call.node, graph).ok_or_else(|| unknown(call))?;
    Ok(Computed::Values(match &operator.run {
        One(run) => vec![run(builder, call)?],
        Activation(function) => vec![scalar::increasing(builder, call, function(call)?)?],
        Valley(curve) => vec![builder.curve(*curve, call.tensor(0)?)?],
        Moved(run) => vec![run(call)?],
        Parts(run) => run(call)?,
        Tail => return Ok(Computed::Tail),
    }))
}

fn unknown(call: &Call<'_>) -> Error {
    let Node { op, domain, .. } = call.node;
    let instead = match op.as_str() {
        "LSTM" | "GRU" | "RNN" | "Loop" | "If" | "Scan" => {
            "recurrent and branching networks are not run; use dense layers or convolutions"
        }
        "ConvTranspose" | "Resize" | "Upsample" => "networks that make images are not run",
        op if op.starts_with("QLinear") || QUANTIZED.contains(&op) => {
            "the file holds a network that computes with integers of its own: quantize it as \
             `quantize_static(..., quant_format=QuantFormat.QDQ)` instead of QOperator or quantize_dynamic, or export it in \
             floats, for fhectl quantizes it itself"
        }
        "Sin" | "Cos" | "Tan" | "Reciprocal" => "use an activation such as Relu, Tanh or Sigmoid",
        "Attention" | "MultiHeadAttention" | "Einsum" => "attention is not run; use dense layers or convolutions",
        "Embedding" | "GatherND" | "OneHot" => "give the network numbers: encode categories before it",
        _ => {
            "use dense layers, convolutions, batch normalization, pooling, shortcuts, and activations such as Relu, Tanh, Sigmoid"
        }
    };
    let domain = if domain.is_empty() { String::new() } else { format!(" of `{}`", domain.escape_debug()) };
    refused(format!("the operator {}{domain} (operator set {}) is not run", op.escape_debug(), call.opset), instead)
}
