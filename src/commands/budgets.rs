//! `budgets`: the rows that tokens have used of their budgets, for a server's operator.

use super::ids::{age, is_id, model_name, names_in, short};
use super::say;
use crate::error::{Error, Result};
use crate::store::{KeyStore, LeasedRows, Shelf};
use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
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
    choice: Choice,
}

#[derive(Debug, Args)]
struct ResetArgs {
    #[command(flatten)]
    choice: Choice,
    /// All budgets of the store
    #[arg(long, env = "FHECTL_ALL")]
    all: bool,
}

/// Which budgets, and where.
#[derive(Debug, Args)]
struct Choice {
    /// The servers' store: a folder, file:///... or s3://bucket/prefix (with the AWS_... variables)
    #[arg(long, env = "FHECTL_STORE", default_value = "store", value_name = "URL")]
    store: String,
    /// Only budgets for this model: its name or id
    #[arg(long, env = "FHECTL_MODEL", value_name = "NAME|ID")]
    model: Option<String>,
    /// The folder of the models whose names are known
    #[arg(long, env = "FHECTL_MODELS", default_value = "compiled_model", value_name = "DIR")]
    models: PathBuf,
    /// Only budgets of this owner: the id of a token as `list` shows it
    #[arg(long, env = "FHECTL_OWNER", value_name = "ID")]
    owner: Option<String>,
    /// Print JSON
    #[arg(long, env = "FHECTL_JSON")]
    json: bool,
}

pub fn run(args: BudgetsArgs) -> Result<()> {
    super::serve::runtime()?.block_on(async {
        match args.action {
            Action::List(args) => list(&args.choice).await,
            Action::Reset(args) => reset(&args).await,
        }
    })
}

async fn list(choice: &Choice) -> Result<()> {
    let names = names_in(&choice.models);
    let mut budgets = KeyStore::open_existing(&choice.store).await?.budgets().await?;
    budgets.retain(|budget| choice.takes(&budget.shelf, &names));
    if choice.json {
        let budgets: Vec<_> = budgets.iter().map(|budget| as_json(budget, &names)).collect();
        say!("{}", serde_json::to_string_pretty(&json!({ "budgets": budgets })).expect("JSON of JSON"));
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["model", "owner", "rows leased", "leases", "last"]);
    for LeasedRows { shelf, rows, leases, latest } in &budgets {
        let owner = short(shelf.owner.as_str(), 16);
        table.add_row([model_name(shelf, &names), owner, rows.to_string(), leases.to_string(), age(*latest)]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if !budgets.is_empty() {
        say!("{table}");
    }
    say!("{} budgets in use", budgets.len());
    Ok(())
}

async fn reset(args: &ResetArgs) -> Result<()> {
    let choice = &args.choice;
    if choice.model.is_none() && choice.owner.is_none() && !args.all {
        return Err(Error::user("budgets_unchosen", "this names no budget to reset")
            .hint("give --model, --owner or both, or --all"));
    }
    let names = names_in(&choice.models);
    let store = KeyStore::open_existing(&choice.store).await?;
    let mut reset = Vec::new();
    for shelf in store.budgeted().await?.iter().filter(|shelf| choice.takes(shelf, &names)) {
        store.reset_budget(shelf).await?;
        let (model, owner) = (shelf.model.to_string(), shelf.owner.as_str());
        reset.push(json!({ "model": names.get(&model), "model_id": model, "owner": owner }));
        if !choice.json {
            say!("reset the budget of {} for {}", short(owner, 16), model_name(shelf, &names));
        }
    }
    if choice.json {
        say!("{}", serde_json::to_string_pretty(&json!({ "reset": reset })).expect("JSON of JSON"));
    } else {
        say!("{} budgets reset", reset.len());
    }
    Ok(())
}

impl Choice {
    fn takes(&self, shelf: &Shelf, names: &BTreeMap<String, String>) -> bool {
        let id = shelf.model.to_string();
        self.model.as_ref().is_none_or(|wanted| is_id(wanted, &id) || names.get(&id) == Some(wanted))
            && self.owner.as_ref().is_none_or(|wanted| is_id(wanted, shelf.owner.as_str()))
    }
}

fn as_json(budget: &LeasedRows, names: &BTreeMap<String, String>) -> serde_json::Value {
    let id = budget.shelf.model.to_string();
    json!({
        "model": names.get(&id),
        "model_id": id,
        "owner": budget.shelf.owner.as_str(),
        "rows_leased": budget.rows,
        "leases": budget.leases,
        "latest": budget.latest.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
    })
}
