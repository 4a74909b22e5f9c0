//! A table that compares the circuits that can run a model.

use super::{bytes, seconds};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use fhectl_core::circuit::plan::{PLANNED_CORES, Plan};

/// A table with a row per circuit: predicted times on [`PLANNED_CORES`] cores with a bandwidth in bits per second, and sizes.
/// Row `chosen` is marked as the circuit of the bundle.
pub fn plan_table(plans: &[Plan], chosen: usize, bandwidth: f64) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "circuit",
        "total",
        "compute",
        "client",
        &format!("at {}", rate(bandwidth)),
        "key",
        "request",
        "response",
        "",
    ]);
    for (index, plan) in plans.iter().enumerate() {
        let transfer = 8.0 * (plan.spec.request_bytes() + plan.spec.response_bytes()) as f64 / bandwidth;
        table.add_row([
            plan.spec.kind().to_string(),
            seconds(plan.total_seconds(bandwidth, PLANNED_CORES)),
            seconds(plan.seconds(PLANNED_CORES)),
            seconds(plan.client_seconds(PLANNED_CORES)),
            seconds(transfer),
            bytes(plan.spec.key_bytes()),
            bytes(plan.spec.request_bytes()),
            bytes(plan.spec.response_bytes()),
            if index == chosen { "chosen" } else { "" }.to_owned(),
        ]);
    }
    for column in 1..8 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// A bandwidth in bits per second, with its unit.
fn rate(bandwidth: f64) -> String {
    match bandwidth {
        1e9.. => format!("{} Gbit/s", bandwidth / 1e9),
        1e6.. => format!("{} Mbit/s", bandwidth / 1e6),
        _ => format!("{} kbit/s", bandwidth / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::circuit::plan::{PlanRequest, plan};
    use fhectl_core::model::{ClassNode, FeatureQuantizer, IntegerTree, Model, Output, Quantizer};

    #[test]
    fn every_circuit_has_a_row_and_one_is_chosen() {
        let feature = FeatureQuantizer::Affine { low: 0.0, step: 1.0, levels: 8 };
        let quantizer = Quantizer { features: vec![feature; 2] };
        let split = ClassNode::Split { feature: 1, threshold: 3, low: 1, high: 2 };
        let nodes = vec![split, ClassNode::leaf(0), ClassNode::leaf(1)];
        let model = Model::Tree(IntegerTree::new(2, nodes).unwrap());
        let plans = plan(&model, &quantizer, Output::Classes(2), &PlanRequest::default()).unwrap();
        let text = plan_table(&plans, 0, 20e6);
        assert_eq!(text.lines().count(), 1 + plans.len());
        assert!(text.contains("at 20 Mbit/s"), "{text}");
        let chosen: Vec<&str> = text.lines().filter(|line| line.ends_with("chosen")).collect();
        assert!(chosen.len() == 1 && chosen[0].trim_start().starts_with(&plans[0].spec.kind().to_string()), "{text}");
    }
}
