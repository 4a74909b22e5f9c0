//! The operators that linear models and trees, what prepares rows for them, and what is done with their scores are made
//! of. A new one is a function and a line.

use super::operators::{
    arithmetic, encoders, functions, linear, logic, neighbors, reduce, select, shape, svm, texts, trees,
};
use super::scope::Scope;
use super::steps;
use super::value::Value;
use crate::import::onnx::{Node, Operator};
use fhectl_core::error::Result;

/// What an operator does to values: to one output, or to several.
enum Run {
    One(fn(&Node, &mut Scope<'_>) -> Result<Value>),
    Several(fn(&Node, &mut Scope<'_>) -> Result<Vec<Value>>),
}

use Run::{One, Several};

const OPERATORS: &[Operator<Run>] = &[
    Operator::onnx("Abs", 1, One(functions::function)),
    Operator::onnx("Add", 1, One(arithmetic::sum_or_product)),
    Operator::onnx("And", 1, One(logic::truth)),
    Operator::onnx("ArgMax", 1, One(reduce::which)),
    Operator::onnx("ArgMin", 1, One(reduce::which)),
    Operator::onnx("Cast", 1, One(functions::cast)),
    Operator::onnx("Ceil", 1, One(functions::function)),
    Operator::onnx("Clip", 1, One(functions::clip)),
    Operator::onnx("Concat", 1, One(shape::concat)),
    Operator::onnx("ConstantOfShape", 1, One(shape::constant_of_shape)),
    Operator::onnx("Div", 1, One(arithmetic::sum_or_product)),
    Operator::onnx("Dropout", 1, One(functions::unchanged)),
    Operator::onnx("Equal", 1, One(logic::compare)),
    Operator::onnx("Exp", 1, One(functions::link)),
    Operator::onnx("Expand", 1, One(shape::expand)),
    Operator::onnx("Flatten", 1, One(shape::reshape)),
    Operator::onnx("Floor", 1, One(functions::function)),
    Operator::onnx("Gather", 1, One(select::gather)),
    Operator::onnx("Gemm", 1, One(linear::gemm)),
    Operator::onnx("Greater", 1, One(logic::compare)),
    Operator::onnx("GreaterOrEqual", 1, One(logic::compare)),
    Operator::onnx("IsNaN", 1, One(functions::is_nan)),
    Operator::onnx("Less", 1, One(logic::compare)),
    Operator::onnx("LessOrEqual", 1, One(logic::compare)),
    Operator::onnx("Log", 1, One(functions::function)),
    Operator::onnx("LogSoftmax", 1, One(reduce::softmax_1)),
    Operator::onnx("LogSoftmax", 13, One(reduce::softmax_13)),
    Operator::onnx("LpNormalization", 1, One(reduce::normalizer)),
    Operator::onnx("MatMul", 1, One(linear::matmul)),
    Operator::onnx("Max", 1, One(arithmetic::several)),
    Operator::onnx("Mean", 1, One(arithmetic::several)),
    Operator::onnx("Min", 1, One(arithmetic::several)),
    Operator::onnx("Mul", 1, One(arithmetic::sum_or_product)),
    Operator::onnx("Neg", 1, One(functions::negated)),
    Operator::onnx("Not", 1, One(logic::truth)),
    Operator::onnx("Or", 1, One(logic::truth)),
    Operator::onnx("Pow", 1, One(arithmetic::power)),
    Operator::onnx("Reciprocal", 1, One(functions::function)),
    Operator::onnx("ReduceL1", 1, One(reduce::reduce)),
    Operator::onnx("ReduceL2", 1, One(reduce::reduce)),
    Operator::onnx("ReduceLogSumExp", 1, One(reduce::reduce)),
    Operator::onnx("ReduceMax", 1, One(reduce::reduce)),
    Operator::onnx("ReduceMean", 1, One(reduce::reduce)),
    Operator::onnx("ReduceMin", 1, One(reduce::reduce)),
    Operator::onnx("ReduceProd", 1, One(reduce::reduce)),
    Operator::onnx("ReduceSum", 1, One(reduce::reduce)),
    Operator::onnx("ReduceSumSquare", 1, One(reduce::reduce)),
    Operator::onnx("Reshape", 1, One(shape::reshape)),
    Operator::onnx("Scan", 1, Several(neighbors::distances)),
    Operator::onnx("Shape", 1, One(shape::shape_of)),
    Operator::onnx("Sigmoid", 1, One(functions::link)),
    Operator::onnx("Sign", 1, One(functions::sign)),
    Operator::onnx("Slice", 1, One(select::slice)),
    Operator::onnx("Softmax", 1, One(reduce::softmax_1)),
    Operator::onnx("Softmax", 13, One(reduce::softmax_13)),
    Operator::onnx("Split", 1, Several(select::split)),
    Operator::onnx("Sqrt", 1, One(functions::function)),
    Operator::onnx("Squeeze", 1, One(shape::reshape)),
    Operator::onnx("StringNormalizer", 1, One(texts::normalizer)),
    Operator::onnx("Sub", 1, One(arithmetic::sum_or_product)),
    Operator::onnx("Sum", 1, One(arithmetic::several)),
    Operator::onnx("TfIdfVectorizer", 1, One(texts::counts)),
    Operator::onnx("TopK", 1, Several(neighbors::top)),
    Operator::onnx("Transpose", 1, One(shape::transpose)),
    Operator::onnx("Unsqueeze", 1, One(shape::reshape)),
    Operator::onnx("Where", 1, One(logic::choose)),
    Operator::onnx("Xor", 1, One(logic::truth)),
    Operator::ml("ArrayFeatureExtractor", 1, One(select::extract)),
    Operator::ml("Binarizer", 1, One(encoders::binarizer)),
    Operator::ml("FeatureVectorizer", 1, One(shape::feature_vectorizer)),
    Operator::ml("Imputer", 1, One(encoders::imputer)),
    Operator::ml("LabelEncoder", 1, One(encoders::label_encoder)),
    Operator::ml("LinearClassifier", 1, Several(linear::classifier)),
    Operator::ml("LinearRegressor", 1, One(linear::regressor)),
    Operator::ml("Normalizer", 1, One(reduce::normalizer)),
    Operator::ml("OneHotEncoder", 1, One(encoders::one_hot)),
    Operator::ml("SVMClassifier", 1, Several(svm::classifier)),
    Operator::ml("SVMRegressor", 1, One(svm::regressor)),
    Operator::ml("Scaler", 1, One(linear::scaler)),
    Operator::ml("TreeEnsembleClassifier", 1, Several(trees::classifier)),
    Operator::ml("TreeEnsembleRegressor", 1, One(trees::regressor)),
    Operator::ml("ZipMap", 1, One(functions::unchanged)),
    Operator { domain: "com.microsoft", name: "CDist", since: 1, run: Several(neighbors::distances) },
    Operator { domain: "com.microsoft", name: "Tokenizer", since: 1, run: One(texts::tokenizer) },
];

/// Operators that are models themselves.
pub(super) const MODELS: [&str; 6] = [
    "LinearClassifier",
    "LinearRegressor",
    "SVMClassifier",
    "SVMRegressor",
    "TreeEnsembleClassifier",
    "TreeEnsembleRegressor",
];

/// What a node's outputs stand for.
///
/// # Errors
/// `onnx_unsupported` for an operator that is not in the table; those of its function.
pub(super) fn run(node: &Node, scope: &mut Scope<'_>) -> Result<Vec<Value>> {
    match Operator::find(OPERATORS, node, scope.graph).map(|operator| &operator.run) {
        Some(One(run)) => Ok(vec![run(node, scope)?]),
        Some(Several(run)) => run(node, scope),
        None => Err(steps::unknown(node)),
    }
}
