//! The choice between circuits.

use super::candidate::{Candidate, PLANNED_CORES};
use super::request::PlanRequest;
use crate::circuit::kind::CircuitKind;
use crate::circuit::registry::{CircuitSpec, SEARCHES};
use crate::error::{Error, ErrorCode, Result};
use crate::model::{Model, Output, Quantizer};

/// A candidate of any circuit.
pub type Plan = Candidate<CircuitSpec>;

/// All circuits that can run the model as asked, the cheapest first.
///
/// # Errors
/// The first refusal where none can; `circuit_unfit` where the one asked for is not of the model's kind or reveals
/// more than allowed.
pub fn plan(model: &Model, quantizer: &Quantizer, output: Output, request: &PlanRequest) -> Result<Vec<Plan>> {
    let fitting: Vec<_> = SEARCHES.iter().filter(|circuit| (circuit.runs)(model)).collect();
    if let Some(asked) = request.circuit
        && !fitting.iter().any(|circuit| circuit.kind == asked)
    {
        let names: Vec<&str> = fitting.iter().map(|circuit| CircuitKind::name(circuit.kind)).collect();
        return Err(Error::new(ErrorCode::CircuitUnfit, format!("circuit {asked} cannot run this kind of model"))
            .hint(format!("choose --circuit auto or one of: {}", names.join(", "))));
    }
    let mut plans = Vec::new();
    let mut refused = None;
    for circuit in fitting.iter().filter(|circuit| request.circuit.is_none_or(|asked| asked == circuit.kind)) {
        match (circuit.search)(model, quantizer, output, request) {
            Ok(candidate) => plans.push(candidate),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let total = |plan: &Plan| plan.total_seconds(request.bandwidth, PLANNED_CORES);
    // An exact answer goes before one that carries noise, whatever it costs.
    let noisy = |plan: &Plan| plan.guarantees.p_fail_log2.is_none();
    plans.sort_by(|a, b| noisy(a).cmp(&noisy(b)).then(total(a).total_cmp(&total(b))));
    match (plans.is_empty(), refused) {
        (true, Some(error)) => Err(error),
        _ => Ok(plans),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Branch, ClassLeaf, FeatureQuantizer, IntegerForest, IntegerTree, ValueLeaf};

    /// What a client may reckon with is no more than what was asked for, though the model uses no bit of its input.
    #[test]
    fn constants_get_parameters_that_a_client_accepts() {
        let feature = FeatureQuantizer::Affine { low: 0.0, step: 1.0, levels: 16 };
        let quantizer = Quantizer { features: vec![feature; 3] };
        let class = IntegerTree { classes: 2, tree: Branch::Leaf(ClassLeaf { class: 1 }).depth_first() };
        let values = |values: Vec<i32>| Branch::Leaf(ValueLeaf { values }).depth_first();
        let number = IntegerForest { biases: vec![7], trees: vec![values(vec![5]), values(vec![-2])] };
        let classes = IntegerForest { biases: vec![1, 2, 3], trees: vec![values(vec![5, 0, -5])] };
        let models = [
            (Model::Tree(class), Output::Classes(2)),
            (Model::Forest(number), Output::Value),
            (Model::Forest(classes), Output::Classes(3)),
        ];
        let request = PlanRequest::default();
        for (model, output) in models {
            let plans = plan(&model, &quantizer, output, &request).unwrap();
            assert!(plans.len() > 1, "{model:?}");
            for plan in plans {
                let least = plan.spec.least_failure_log2().unwrap();
                assert!(least <= request.p_fail_log2, "{}: 2^{least}", plan.spec.kind());
            }
        }
    }
}
