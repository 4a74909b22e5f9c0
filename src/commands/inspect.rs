//! `inspect`: what a bundle is.

use super::say;
use crate::bundle::{ClientSpec, ModelId, Quality, ServerBundle, folder};
use crate::error::Result;
use crate::model::Model;
use crate::report::facts::facts;
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
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
    /// Print JSON
    #[arg(long, env = "FHECTL_JSON")]
    json: bool,
}

pub fn run(args: InspectArgs) -> Result<()> {
    let path = args.model.path();
    if !path.exists() {
        return Err(args.model.unknown());
    }
    let (id, spec, server) = read(&path)?;
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
            "metrics": server.as_ref().map(|server| server.server.metrics),
        });
        say!("{}", serde_json::to_string_pretty(&value).expect("JSON of JSON"));
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
    }
    say!("{table}");
    Ok(())
}

/// A folder shows both halves where both are there, a zip file its own.
fn read(path: &Path) -> Result<(ModelId, ClientSpec, Option<ServerBundle>)> {
    let is_server_zip =
        path.is_file() && folder::read_client(path).is_err_and(|e| e.message.contains("unexpected entry"));
    if is_server_zip || path.join("server.zip").exists() {
        let server = folder::read_server(path)?;
        return Ok((server.id, server.spec.clone(), Some(server)));
    }
    let client = folder::read_client(path)?;
    Ok((client.id, client.spec, None))
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
                    "float {float_accuracy:.4}, quantised {quantized_accuracy:.4}{} on {} test rows",
                    simulated_accuracy.map_or(String::new(), |simulated| format!(", simulated {simulated:.4}")),
                    metrics.test_rows
                ),
                Quality::Regression { float_r2, quantized_r2, quantized_rmse, .. } => format!(
                    "R2: float {float_r2:.4}, quantised {quantized_r2:.4} (RMSE {quantized_rmse:.4}) on {} test rows",
                    metrics.test_rows
                ),
                Quality::Unmeasured {} => "not measured: imported without rows".to_owned(),
            },
        ),
    ]
}
