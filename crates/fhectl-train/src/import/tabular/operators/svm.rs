//! Support vector machines with a linear kernel: vectors add up to weights, and pairs of classes vote.

use super::super::atom::Op;
use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::simplify::Products;
use super::super::value::{Kind, Origin, Tensor, Value};
use super::labels;
use super::linear::{post_transform, weighted};
use crate::import::edge::Precision;
use crate::import::model::{MAX_VALUES, large};
use crate::import::onnx::{Node, invalid, unsupported};
use fhectl_core::error::Result;

const LINEAR_KERNEL: &str =
    "only linear kernels can be computed on encrypted data here; train an SVC(kernel=\"linear\")";

/// Refuses other kernels than the linear one.
fn check_kernel(node: &Node) -> Result<()> {
    match node.text("kernel_type", "LINEAR")? {
        "LINEAR" => Ok(()),
        kernel => Err(unsupported(format!("{} with the kernel {}", node.label(), kernel.escape_debug()))
            .hint(match node.op.as_str() {
                "SVMClassifier" => LINEAR_KERNEL,
                _ => "only linear kernels can be computed on encrypted data here; train an SVR or OneClassSVM with kernel=\"linear\"",
            })),
    }
}

fn vectors(node: &Node, width: usize) -> Result<Vec<Vec<f64>>> {
    let list = node.floats("support_vectors")?;
    if list.len() > MAX_VALUES || width == 0 || list.len() % width != 0 {
        return Err(invalid(format!("{}: {} support values for {width} columns", node.label(), list.len())));
    }
    Ok(list.chunks(width).map(|vector| vector.iter().map(|x| f64::from(*x)).collect()).collect())
}

/// The weights that vectors with coefficients add up to.
fn add(weights: &mut [f64], vectors: &[Vec<f64>], coefficients: &[f32]) {
    for (vector, coefficient) in vectors.iter().zip(coefficients) {
        weights.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x * f64::from(*coefficient));
    }
}

/// For each pair of classes its weights: positive sums are votes for the first of the two.
fn pairs(node: &Node, width: usize, classes: usize) -> Result<Vec<Vec<f64>>> {
    let vectors = vectors(node, width)?;
    let coefficients = node.floats("coefficients")?;
    let counts: Option<Vec<usize>> =
        node.ints("vectors_per_class")?.iter().map(|count| usize::try_from(*count).ok()).collect();
    let counts = counts.filter(|counts| counts.iter().fold(0usize, |a, b| a.saturating_add(*b)) == vectors.len());
    let counts = counts
        .filter(|counts| counts.len() == classes && vectors.len().checked_mul(classes - 1) == Some(coefficients.len()));
    let counts = counts.ok_or_else(|| {
        invalid(format!("{}: {} vectors and {} coefficients", node.label(), vectors.len(), coefficients.len()))
    })?;
    if (classes * (classes - 1) / 2).saturating_mul(width) > MAX_VALUES {
        return Err(large(format!("{}: pairs of {classes} classes", node.label())));
    }
    let first = |class: usize| -> usize { counts[..class].iter().sum() };
    let part = |class: usize| first(class)..first(class) + counts[class];
    let mut made = Vec::new();
    for one in 0..classes {
        for other in one + 1..classes {
            let mut weights = vec![0.0; width];
            // As libsvm keeps them: of a class's vectors, row `k` is for its pair with the k-th of the other classes.
            let row = |at: usize| at * vectors.len()..(at + 1) * vectors.len();
            add(&mut weights, &vectors[part(one)], &coefficients[row(other - 1)][part(one)]);
            add(&mut weights, &vectors[part(other)], &coefficients[row(one)][part(other)]);
            made.push(weights);
        }
    }
    Ok(made)
}

pub(in super::super) fn classifier(node: &Node, scope: &mut Scope<'_>) -> Result<Vec<Value>> {
    let x = scope.row(node)?;
    let names = labels::names(node, "classlabels_ints")?;
    let classes = names.texts.len();
    check_kernel(node)?;
    let width = x.values.len();
    let rho: Vec<f64> = node.floats("rho")?.iter().map(|rho| f64::from(*rho)).collect();
    let rows = match node.ints("vectors_per_class")? {
        [] => return Err(unsupported(format!("{} without support vectors", node.label())).hint("train a LinearSVC")),
        _ => pairs(node, width, classes)?,
    };
    if rho.len() != rows.len() {
        return Err(invalid(format!("{}: {} rho for {} pairs of classes", node.label(), rho.len(), rows.len())));
    }
    let decisions = weighted(node, scope, &x.values, &rows, &rho)?;
    let (a, b) = (node.floats("prob_a")?, node.floats("prob_b")?);
    if !a.is_empty() {
        let (&[a], &[b], [decision]) = (a, b, &decisions[..]) else {
            return Err(unsupported(format!("{} with calibrated probabilities of {classes} classes", node.label()))
                .hint("train the SVC with probability=False, or wrap it in a CalibratedClassifierCV"));
        };
        // Platt's: the share of the first class falls with exp(a * decision + b).
        let power = decision.scaled(f64::from(a)).shifted(f64::from(b));
        let power = if a < 0.0 && b != 0.0 { on_its_side(scope, decision, power)? } else { power };
        let second = scope.arena.sigmoid(&power, true)?;
        let shares = vec![Lin::constant(1.0).minus(&second), second];
        // The sign decides the class, whatever the probabilities are.
        let label = labels::value(scope, names, vec![decision.clone(), decision.negated()])?;
        return Ok(vec![label, Tensor::row(shares, Kind::Single, Origin::Model).value()]);
    }
    if let [decision] = &decisions[..] {
        let scores = vec![decision.clone(), decision.negated()];
        let label = labels::value(scope, names, scores)?;
        let seen = vec![decision.clone(), decision.negated()];
        return Ok(vec![label, Tensor::row(seen, Kind::Single, Origin::Model).value()]);
    }
    let mut votes = vec![Lin::constant(0.0); classes];
    let mut at = 0;
    for one in 0..classes {
        for other in one + 1..classes {
            let rule = fhectl_core::model::ColumnRule::Apply { function: fhectl_core::model::Function::Positive };
            let first = scope.arena.one(Op::Rule(rule), vec![decisions[at].clone()], true)?;
            votes[one] = votes[one].plus(&first);
            votes[other] = votes[other].plus(&Lin::constant(1.0).minus(&first));
            at += 1;
        }
    }
    let label = labels::value(scope, names, votes)?;
    let seen = post_transform(node, scope, decisions)?;
    Ok(vec![label, Tensor::row(seen, Kind::Single, Origin::Model).value()])
}

/// A logit of the second class that says the class that the sign of the decision says: Platt's crosses one half elsewhere,
/// so that rows between would be told another class by their probabilities. These are one half there.
fn on_its_side(scope: &mut Scope<'_>, decision: &Lin, logit: Lin) -> Result<Lin> {
    /// So little above one half that nobody sees it, and enough to be no tie.
    const ABOVE: f64 = 1e-6;
    let second = scope.arena.positive(&decision.negated(), false, Precision::Double, true)?;
    let least = scope.arena.clipped(&logit, ABOVE, f64::MAX, true)?;
    let most = scope.arena.clipped(&logit, -f64::MAX, 0.0, true)?;
    let chosen = scope.arena.product(&second, &least.minus(&most), Products::Score)?;
    Ok(most.plus(&chosen))
}

pub(in super::super) fn regressor(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let x = scope.row(node)?;
    check_kernel(node)?;
    let vectors = vectors(node, x.values.len())?;
    let coefficients = node.floats("coefficients")?;
    if coefficients.len() != vectors.len() {
        return Err(invalid(format!("{}: {} coefficients of vectors", node.label(), coefficients.len())));
    }
    let mut weights = vec![0.0; x.values.len()];
    add(&mut weights, &vectors, coefficients);
    let [rho] = node.floats("rho")? else { return Err(invalid(format!("{} without one rho", node.label()))) };
    let mut scores = weighted(node, scope, &x.values, &[weights], &[f64::from(*rho)])?;
    if node.int("one_class", 0)? != 0 {
        // 1 for what is like the rows that it was trained on, -1 for outliers.
        let above = scope.arena.positive(&scores[0], false, Precision::Double, true)?;
        scores[0] = above.scaled(2.0).shifted(-1.0);
    }
    let seen = post_transform(node, scope, scores)?;
    Ok(Tensor::row(seen, Kind::Single, Origin::Model).value())
}
