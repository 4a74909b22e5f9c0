//! The operators that linear models and trees are made of. A new one is a function and a line.

use super::scope::Scope;
use super::value::Formula;
use super::{operators, trees, vectors};
use crate::import::onnx::{Node, Operator, unsupported};
use fhectl_core::error::Result;

/// What an operator does to values: to one output, or to several.
enum Run {
    One(fn(&Node, &Scope<'_>) -> Result<Formula>),
    Several(fn(&Node, &Scope<'_>) -> Result<Vec<Formula>>),
}

use Run::{One, Several};

const OPERATORS: &[Operator<Run>] = &[
    Operator::onnx("Abs", 1, One(operators::norm)),
    Operator::onnx("Add", 1, One(operators::arithmetic)),
    Operator::onnx("ArgMax", 1, One(operators::argmax)),
    Operator::onnx("Cast", 1, One(operators::cast)),
    Operator::onnx("Concat", 1, One(operators::concat)),
    Operator::onnx("Div", 1, One(operators::arithmetic)),
    Operator::onnx("Dropout", 1, One(operators::unchanged)),
    Operator::onnx("Flatten", 1, One(operators::reshape)),
    Operator::onnx("Gather", 1, One(operators::gather)),
    Operator::onnx("Gemm", 1, One(operators::gemm)),
    Operator::onnx("LogSoftmax", 1, One(operators::softmax_1)),
    Operator::onnx("LogSoftmax", 13, One(operators::softmax_13)),
    Operator::onnx("MatMul", 1, One(operators::matmul)),
    Operator::onnx("Mul", 1, One(operators::arithmetic)),
    Operator::onnx("Neg", 1, One(operators::negated)),
    Operator::onnx("ReduceL1", 1, One(operators::norm)),
    Operator::onnx("ReduceL2", 1, One(operators::norm)),
    Operator::onnx("ReduceMax", 1, One(operators::norm)),
    Operator::onnx("ReduceSum", 1, One(operators::norm)),
    Operator::onnx("Reshape", 1, One(operators::reshape)),
    Operator::onnx("Sigmoid", 1, One(operators::sigmoid)),
    Operator::onnx("Slice", 1, One(operators::slice)),
    Operator::onnx("Softmax", 1, One(operators::softmax_1)),
    Operator::onnx("Softmax", 13, One(operators::softmax_13)),
    Operator::onnx("Squeeze", 1, One(operators::reshape)),
    Operator::onnx("Sub", 1, One(operators::arithmetic)),
    Operator::onnx("Sum", 1, One(operators::sum)),
    Operator::onnx("Unsqueeze", 1, One(operators::reshape)),
    Operator::ml("ArrayFeatureExtractor", 1, One(operators::extract)),
    Operator::ml("FeatureVectorizer", 1, One(operators::concat_all)),
    Operator::ml("Imputer", 1, One(vectors::imputer)),
    Operator::ml("LinearClassifier", 1, Several(vectors::linear_classifier)),
    Operator::ml("LinearRegressor", 1, One(vectors::linear_regressor)),
    Operator::ml("Normalizer", 1, One(vectors::normalizer)),
    Operator::ml("SVMClassifier", 1, Several(vectors::svm_classifier)),
    Operator::ml("SVMRegressor", 1, One(vectors::svm_regressor)),
    Operator::ml("Scaler", 1, One(vectors::scaler)),
    Operator::ml("TreeEnsembleClassifier", 1, Several(trees::classifier)),
    Operator::ml("TreeEnsembleRegressor", 1, One(trees::regressor)),
    Operator::ml("ZipMap", 1, One(operators::unchanged)),
];

/// What a node's outputs stand for.
///
/// # Errors
/// `onnx_unsupported` for an operator that is not in the table; those of its function.
pub(super) fn run(node: &Node, scope: &Scope<'_>) -> Result<Vec<Formula>> {
    match Operator::find(OPERATORS, node, scope.graph).map(|operator| &operator.run) {
        Some(One(run)) => Ok(vec![run(node, scope)?]),
        Some(Several(run)) => run(node, scope),
        None => {
            let domain = if node.domain.is_empty() { "ai.onnx" } else { &node.domain };
            let (op, domain) = (node.op.escape_debug(), domain.escape_debug());
            Err(unsupported(format!("the operator `{op}` of `{domain}`")).hint(
                "read are linear models, support vector machines with a linear kernel, trees, forests and boosted trees, \
                 with scalers and normalizers before them",
            ))
        }
    }
}
