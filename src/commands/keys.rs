//! `keys`: the evaluation keys in a server's store. For its operator.

use super::names::{id_prefix, matches_id, model_name};
use super::namespaces::NamespaceArgs;
use super::units::parse_duration;
use crate::report::{age_since, bytes, print_json, print_line};
use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_server::store::StoredEvaluationKey;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

/// List or delete the evaluation keys in a server's store.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl keys list --store s3://keys/fhectl --model tree-spam
  fhectl keys delete 2f1c09ab44d0e6b1 --store /var/lib/fhectl
  fhectl keys delete --older-than 90days --store /var/lib/fhectl

It works on the store itself, whether servers run or not. Servers that have a deleted key in memory stop using it
within their --revalidate time. Ids may be shortened to their first 8 digits or more.
A client's own keys, the secret ones among them, are `fhectl keyring`'s.")]
pub struct KeysArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show keys, the oldest first: id, model, owner, size, age
    List(ListArgs),
    /// Delete keys: those named, or all that the other flags choose
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    choice: Choice,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    /// Ids of keys
    #[arg(value_name = "KEY_ID")]
    ids: Vec<String>,
    #[command(flatten)]
    choice: Choice,
}

/// Which keys, in which store.
#[derive(Debug, Args)]
struct Choice {
    #[command(flatten)]
    namespaces: NamespaceArgs,
    /// Only keys completed so long ago: 24h, 30days
    #[arg(long, env = "FHECTL_OLDER_THAN", value_parser = parse_duration, value_name = "TIME")]
    older_than: Option<Duration>,
}

pub fn run(args: KeysArgs) -> Result<()> {
    super::runtime::runtime()?.block_on(async {
        match args.action {
            Action::List(args) => list(&args.choice).await,
            Action::Delete(args) => delete(&args).await,
        }
    })
}

async fn list(choice: &Choice) -> Result<()> {
    let names = choice.namespaces.names();
    let keys = choice.select(choice.namespaces.open().await?.inventory().await?, &names);
    if choice.namespaces.json {
        let keys: Vec<_> = keys.iter().map(|key| as_json(key, &names)).collect();
        print_json(&json!({ "keys": keys }));
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["key", "model", "owner", "size", "age"]);
    for key in &keys {
        table.add_row([
            id_prefix(key.id.as_str(), 16),
            model_name(&key.namespace, &names),
            id_prefix(key.namespace.owner.as_str(), 16),
            bytes(key.bytes as usize),
            age_since(key.completed),
        ]);
    }
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let total: u64 = keys.iter().map(|key| key.bytes).sum();
    if !keys.is_empty() {
        print_line!("{}", table.trim_fmt());
    }
    print_line!("{} keys, {}", keys.len(), bytes(total as usize));
    Ok(())
}

async fn delete(args: &DeleteArgs) -> Result<()> {
    let choice = &args.choice;
    if args.ids.is_empty() && choice.is_everything() {
        return Err(Error::new(ErrorCode::KeysUnchosen, "this names no key to delete")
            .hint("give ids, or --model, --owner or --older-than (--older-than 0s is all of them)"));
    }
    let names = choice.namespaces.names();
    let store = choice.namespaces.open().await?;
    let mut keys = choice.select(store.inventory().await?, &names);
    let mut absent = Vec::new();
    if !args.ids.is_empty() {
        for id in &args.ids {
            let meant: BTreeSet<&str> =
                keys.iter().map(|key| key.id.as_str()).filter(|own| matches_id(id, own)).collect();
            match meant.len() {
                0 => absent.push(id.as_str()),
                1 => {}
                more => {
                    return Err(Error::new(
                        ErrorCode::KeyAmbiguous,
                        format!("{more} keys begin with `{id}`; nothing was deleted"),
                    )
                    .hint("give more of its digits: `fhectl keys list --json` shows all"));
                }
            }
        }
        keys.retain(|key| args.ids.iter().any(|id| matches_id(id, key.id.as_str())));
    }
    let mut deleted = Vec::new();
    for key in &keys {
        // Deleting a key that is already gone succeeds.
        store.delete(&key.namespace, &key.id).await?;
        deleted.push(as_json(key, &names));
        if !choice.namespaces.json {
            let (owner, model) = (id_prefix(key.namespace.owner.as_str(), 16), model_name(&key.namespace, &names));
            print_line!(
                "deleted {} of {owner} for {model}: {}, {} old",
                key.id,
                bytes(key.bytes as usize),
                age_since(key.completed)
            );
        }
    }
    if choice.namespaces.json {
        print_json(&json!({ "deleted": deleted }));
    } else {
        print_line!("{} keys deleted", deleted.len());
    }
    if absent.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorCode::KeyUnknown, format!("no such key in {}: {}", choice.namespaces.store, absent.join(", ")))
        .hint("`fhectl keys list` shows those that are there"))
}

impl Choice {
    fn is_everything(&self) -> bool {
        self.namespaces.is_everything() && self.older_than.is_none()
    }

    fn select(&self, mut keys: Vec<StoredEvaluationKey>, names: &BTreeMap<String, String>) -> Vec<StoredEvaluationKey> {
        keys.retain(|key| {
            self.namespaces.selects(&key.namespace, names)
                && self.older_than.is_none_or(|than| key.completed.elapsed().unwrap_or_default() >= than)
        });
        keys
    }
}

fn as_json(key: &StoredEvaluationKey, names: &BTreeMap<String, String>) -> serde_json::Value {
    let id = key.namespace.model.to_string();
    json!({
        "key_id": key.id.as_str(),
        "model": names.get(&id),
        "model_id": id,
        "owner": key.namespace.owner.as_str(),
        "bytes": key.bytes,
        "completed": key.completed.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        "age_seconds": key.completed.elapsed().unwrap_or_default().as_secs(),
    })
}
