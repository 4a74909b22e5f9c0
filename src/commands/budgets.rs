//! `budgets`: how many rows of their budgets tokens have used. For a server's operator.

use super::names::{id_prefix, model_name};
use super::namespaces::NamespaceArgs;
use crate::report::{age_since, print_json, print_line};
use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_server::store::LeasedRows;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

/// List or reset what tokens have used of their row budgets.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl budgets list --store s3://keys/fhectl --model tree-spam
  fhectl budgets reset --owner 9be2a6f1 --store /var/lib/fhectl

Servers with --row-budget lease rows from the store a block at a time, a 256th of the budget: what is leased may not all
be used yet. A reset makes a budget whole again; servers that refuse notice within 10 seconds. The owner is a hash of the
token, as `fhectl keys list` and the servers' log show it.")]
pub struct BudgetsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show what is leased: model, owner, rows, leases, age of the last one
    List(ListArgs),
    /// Give budgets anew: those that --model and --owner choose, or --all
    Reset(ResetArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    choice: NamespaceArgs,
}

#[derive(Debug, Args)]
struct ResetArgs {
    #[command(flatten)]
    choice: NamespaceArgs,
    /// All budgets of the store
    #[arg(long, env = "FHECTL_ALL")]
    all: bool,
}

pub fn run(args: BudgetsArgs) -> Result<()> {
    super::runtime::runtime()?.block_on(async {
        match args.action {
            Action::List(args) => list(&args.choice).await,
            Action::Reset(args) => reset(&args).await,
        }
    })
}

async fn list(choice: &NamespaceArgs) -> Result<()> {
    let names = choice.names();
    let mut budgets = choice.open().await?.budgets().await?;
    budgets.retain(|budget| choice.selects(&budget.namespace, &names));
    if choice.json {
        let budgets: Vec<_> = budgets.iter().map(|budget| as_json(budget, &names)).collect();
        print_json(&json!({ "budgets": budgets }));
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["model", "owner", "rows leased", "leases", "last"]);
    for LeasedRows { namespace, rows, leases, latest } in &budgets {
        let owner = id_prefix(namespace.owner.as_str(), 16);
        table.add_row([model_name(namespace, &names), owner, rows.to_string(), leases.to_string(), age_since(*latest)]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if !budgets.is_empty() {
        print_line!("{}", table.trim_fmt());
    }
    print_line!("{} budgets in use", budgets.len());
    Ok(())
}

async fn reset(args: &ResetArgs) -> Result<()> {
    let choice = &args.choice;
    if choice.is_everything() && !args.all {
        return Err(Error::new(ErrorCode::BudgetsUnchosen, "this names no budget to reset")
            .hint("give --model, --owner or both, or --all"));
    }
    let names = choice.names();
    let store = choice.open().await?;
    let mut reset = Vec::new();
    for namespace in store.budgeted().await?.iter().filter(|namespace| choice.selects(namespace, &names)) {
        store.reset_budget(namespace).await?;
        let (model, owner) = (namespace.model.to_string(), namespace.owner.as_str());
        reset.push(json!({ "model": names.get(&model), "model_id": model, "owner": owner }));
        if !choice.json {
            print_line!("reset the budget of {} for {}", id_prefix(owner, 16), model_name(namespace, &names));
        }
    }
    if choice.json {
        print_json(&json!({ "reset": reset }));
    } else {
        print_line!("{} budgets reset", reset.len());
    }
    Ok(())
}

fn as_json(budget: &LeasedRows, names: &BTreeMap<String, String>) -> serde_json::Value {
    let id = budget.namespace.model.to_string();
    json!({
        "model": names.get(&id),
        "model_id": id,
        "owner": budget.namespace.owner.as_str(),
        "rows_leased": budget.rows,
        "leases": budget.leases,
        "latest": budget.latest.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
    })
}
