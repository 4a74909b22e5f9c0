//! `inspect`: the contents of a bundle.

use super::devices::computed_on;
use super::units::parse_bandwidth;
use crate::report::facts::facts;
use crate::report::plan_table::plan_table;
use crate::report::{print_json, print_line};
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use fhectl_core::bundle::{ClientSpec, ModelId, Quality, ServerBundle, folder};
use fhectl_core::circuit::plan::{PLANNED_CORES, Plan, PlanRequest, plan};
use fhectl_core::error::Result;
use fhectl_core::model::Model;
use serde_json::json;
use std::path::Path;

/// Tell what a bundle is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl inspect tree-spam
  fhectl inspect downloads/client.zip --json")]
pub struct InspectArgs {
    #[command(flatten)]
    model: super::locate::ModelArgs,
    /// Bits a second between client and server, for the comparison of circuits: 100M, 2.5M, 1G
    #[arg(long, env = "FHECTL_BANDWIDTH", default_value = "100M", value_parser = parse_bandwidth, value_name = "BITS/S")]
    bandwidth: f64,
    /// Print JSON
    #[arg(long, env = "FHECTL_JSON")]
    json: bool,
}

pub fn run(args: InspectArgs) -> Result<()> {
    let path = args.model.path();
    let (id, spec, server) = match args.model.built_in() {
        Some(model) => both(model.server()?),
        None if path.exists() => read(&path)?,
        None => return Err(args.model.unknown()),
    };
    let plans = server.as_ref().map(|bundle| plans(bundle, args.bandwidth)).unwrap_or_default();
    if args.json {
        let value = json!({
            "id": id,
            "model": spec,
            "sizes": {
                "key": spec.circuit.key_bytes(),
                "key_unpacked": spec.circuit.unpacked_key_bytes(),
                "request": spec.circuit.request_bytes(),
                "response": spec.circuit.response_bytes(),
            },
            "bootstraps": spec.circuit.bootstraps(),
            "cmux": spec.circuit.cmuxes(),
            "circuits": plans.iter().map(|plan| predicted(plan, args.bandwidth)).collect::<Vec<_>>(),
            "computed_on": server.as_ref().map(computed_on),
            "metrics": server.as_ref().map(|server| server.server.metrics),
        });
        print_json(&value);
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.add_row(["id".to_owned(), id.to_string()]);
    for (label, value) in facts(&spec) {
        table.add_row([label.to_owned(), value]);
    }
    if let Some(bundle) = &server {
        for (label, value) in owners_facts(bundle) {
            table.add_row([label.to_owned(), value]);
        }
        table.add_row(["computed here on".to_owned(), computed_on(bundle)]);
    }
    print_line!("{}", table.trim_fmt());
    if !plans.is_empty() {
        let chosen = plans.iter().position(|plan| plan.spec.kind() == spec.circuit.kind()).unwrap_or(plans.len());
        print_line!("\nestimated for an inference, {PLANNED_CORES} cores on either side:");
        print_line!("{}", plan_table(&plans, chosen, args.bandwidth));
    }
    Ok(())
}

/// The circuits that could run the owner's model with the same guarantees, the one in use among them.
pub(super) fn plans(bundle: &ServerBundle, bandwidth: f64) -> Vec<Plan> {
    let spec = &bundle.spec;
    let request = PlanRequest {
        reveal: spec.reveal,
        p_fail_log2: spec.p_fail_log2.unwrap_or(-128.0).max(-128.0),
        bandwidth,
        ..PlanRequest::default()
    };
    // Bundles of older versions may hold models that cannot be planned any more. Their facts are shown all the same.
    plan(&bundle.server.model, &spec.quantizer, spec.output(), &request).unwrap_or_default()
}

fn predicted(plan: &Plan, bandwidth: f64) -> serde_json::Value {
    json!({
        "circuit": plan.spec.kind(),
        "key": plan.spec.key_bytes(),
        "request": plan.spec.request_bytes(),
        "response": plan.spec.response_bytes(),
        "seconds": {
            "compute": plan.seconds(PLANNED_CORES),
            "client": plan.client_seconds(PLANNED_CORES),
            "total": plan.total_seconds(bandwidth, PLANNED_CORES),
        },
    })
}

/// Reads a folder, with both halves of the bundle if both are there, or a single zip file.
fn read(path: &Path) -> Result<(ModelId, ClientSpec, Option<ServerBundle>)> {
    let is_server_zip =
        path.is_file() && folder::read_client(path).is_err_and(|e| e.message.contains("unexpected entry"));
    if is_server_zip || path.join("server.zip").exists() {
        return Ok(both(folder::read_server(path)?));
    }
    let client = folder::read_client(path)?;
    Ok((client.id, client.spec, None))
}

fn both(server: ServerBundle) -> (ModelId, ClientSpec, Option<ServerBundle>) {
    (server.id, server.spec.clone(), Some(server))
}

fn owners_facts(bundle: &ServerBundle) -> Vec<(&'static str, String)> {
    let shape = match &bundle.server.model {
        Model::Tree(tree) => format!("depth {}, {} leaves", tree.depth(), tree.leaves()),
        Model::Forest(forest) => {
            format!("{} trees, depth {}, {} leaves", forest.trees.len(), forest.depth(), forest.leaves())
        }
        Model::Linear(linear) => {
            let largest = linear.weights.iter().flatten().map(|w| w.unsigned_abs()).max().unwrap_or(0);
            format!("{} row(s) of integer weights up to {largest}", linear.weights.len())
        }
        Model::Network(network) => {
            format!("{} layers, {} activations", network.layers.len(), network.activations())
        }
    };
    let metrics = &bundle.server.metrics;
    vec![
        ("owner's half", shape),
        (
            "accuracy",
            match metrics.quality {
                Quality::Accuracy { float_accuracy, quantized_accuracy, simulated_accuracy } => format!(
                    "float {float_accuracy:.4}, quantized {quantized_accuracy:.4}{} on {} test rows",
                    simulated_accuracy.map_or(String::new(), |simulated| format!(", simulated {simulated:.4}")),
                    metrics.test_rows
                ),
                Quality::Regression { float_r2, quantized_r2, quantized_rmse, float_d2, quantized_d2, .. } => {
                    let explained = match (float_d2, quantized_d2) {
                        (Some(float), Some(quantized)) => format!("; D2: float {float:.4}, quantized {quantized:.4}"),
                        _ => String::new(),
                    };
                    format!(
                        "R2: float {float_r2:.4}, quantized {quantized_r2:.4} (RMSE {quantized_rmse:.4}) on {} test rows{explained}",
                        metrics.test_rows
                    )
                }
                Quality::Unmeasured {} => "not measured: imported without rows".to_owned(),
            },
        ),
    ]
}
