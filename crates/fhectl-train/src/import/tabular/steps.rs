//! Which step of a pipeline a node comes from: people know their own, not an exporter's operators.

use crate::import::onnx::{Node, unsupported};
use fhectl_core::error::Error;

/// Operators, and the steps of scikit-learn that are exported with them, and what to do instead.
const STEPS: &[(&str, &str, &str)] = &[
    (
        "CumSum",
        "an AdaBoostRegressor, which takes a weighted median, or neighbors within a radius",
        "take a GradientBoostingRegressor, which adds up, or a KNeighborsClassifier",
    ),
    (
        "GatherElements",
        "AdaBoostRegressor, which takes a weighted median",
        "take a GradientBoostingRegressor, which adds up",
    ),
    ("GatherND", "nearest neighbors within a radius", "take a KNeighborsClassifier"),
    ("Einsum", "a Gaussian process or a kernel", "take a linear model, trees, or nearest neighbors"),
    ("Tanh", "a network, a Gaussian process or a kernel", "export a network by itself, without scalers of ai.onnx.ml"),
    ("Relu", "an MLPClassifier or MLPRegressor", "export the network by itself, or its scaler inside of it"),
    ("Erf", "a Gaussian process", "take a linear model, trees, or nearest neighbors"),
    ("Loop", "a step of its own", "write it with scikit-learn's transformers"),
    ("If", "a step of its own", "write it with scikit-learn's transformers"),
    ("NonZero", "a step that chooses rows", "choose rows before the model"),
    ("TreeEnsemble", "trees of operator set 5", "export with target_opset={\"\": 17, \"ai.onnx.ml\": 3}"),
    ("DictVectorizer", "a DictVectorizer", "give the model a table: a column for each key"),
    ("CategoryMapper", "a step with categories", "take an OrdinalEncoder or a OneHotEncoder"),
    ("FeatureHasher", "a FeatureHasher or HashingVectorizer", "take a TfidfVectorizer"),
    ("MurmurHash3", "a FeatureHasher or HashingVectorizer", "take a TfidfVectorizer"),
    ("Unique", "a step that counts", "count before the model"),
    ("StringSplit", "a step that splits texts", "take a CountVectorizer or a TfidfVectorizer"),
    ("RegexFullMatch", "a step that searches texts", "make columns of it before the model"),
];

/// Says that there is no such operator here, and which step it may come from.
pub(super) fn unknown(node: &Node) -> Error {
    let domain = if node.domain.is_empty() { "ai.onnx" } else { &node.domain };
    let (op, domain) = (node.op.escape_debug(), domain.escape_debug());
    match STEPS.iter().find(|(name, ..)| *name == node.op) {
        Some((_, step, instead)) => {
            unsupported(format!("the operator `{op}` of `{domain}`, as {step} is exported")).hint(*instead)
        }
        None => unsupported(format!("the operator `{op}` of `{domain}`")).hint(
            "read are linear models, naive Bayes, nearest neighbors, support vector machines with a linear kernel, trees, \
             forests and boosted trees, votes and stacks of them, with scalers, encoders, imputers, vectorizers of texts \
             and other transformers before them",
        ),
    }
}

/// Beginnings of names that skl2onnx gives to nodes, and the steps they are of.
const NAMES: &[(&str, &str)] = &[
    ("knny", "nearest neighbors"),
    ("lrd", "a LocalOutlierFactor"),
    ("X_lrd", "a LocalOutlierFactor"),
    ("dist_k", "a LocalOutlierFactor"),
    ("kgpd", "a Gaussian process"),
    ("GPR", "a Gaussian process"),
    ("SVM", "a support vector machine"),
    ("Cali", "a CalibratedClassifierCV"),
    ("SV_AFE", "a StackingClassifier"),
    ("SC_AFE", "a StackingClassifier"),
    ("Po_Poly", "PolynomialFeatures"),
    ("pref_", "a PowerTransformer"),
];

/// Says which node it was, once.
pub(super) fn named(error: Error, node: &Node) -> Error {
    let label = node.label();
    if error.message.contains(&label) || error.message.starts_with("the operator") {
        return error;
    }
    match NAMES.iter().find(|(start, _)| node.name.starts_with(start)) {
        Some((_, step)) => error.context(format!("{label} of {step}")),
        None => error.context(label),
    }
}

/// Says that linear models and trees are mixed.
pub(super) fn mixed(linear: &str, trees: &str) -> Error {
    unsupported(format!(
        "an ensemble of a linear model ({linear}) and trees ({trees}): encrypted, the two are computed by different circuits"
    ))
    .hint(
        "let all estimators of the VotingClassifier or StackingClassifier be linear, or all be trees; or import each by \
         itself",
    )
}
