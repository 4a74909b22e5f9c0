//! `keyring`: a client's own keys.

use super::locate::{KeysFolder, ModelArgs, ServerArgs};
use super::names::{id_prefix, matches_id, names_by_id};
use crate::client::Keyring;
use crate::client::keyring::{StoredKey, age as key_age, made};
use crate::report::{age, print_json, print_line};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use fhectl_core::client::ClientModel;
use fhectl_core::client::policy::RETIRE_AFTER;
use fhectl_core::error::{Error, ErrorCode, Result};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// List, delete or rotate this client's own keys.
#[derive(Args)]
#[command(after_help = "Examples:
  fhectl keyring list
  fhectl keyring delete tree-spam
  fhectl keyring rotate tree-spam --key-passphrase       a new key, sealed with a passphrase that is asked for

Keys are made by `fhectl play` and `fhectl predict` where there are none, one set a model. What a server keeps of them
is `fhectl keys`'s, for its operator; deleting and rotating here deletes nothing there. Models are named by their names
or by their ids, which may be shortened to their first 8 digits or more.")]
pub struct KeyringArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show keys: model, circuit, when they were made, whether a passphrase protects them, failures counted
    List(ListArgs),
    /// Delete a model's keys: answers to what was encrypted under them cannot be decrypted any more
    Delete(DeleteArgs),
    /// Make a new key in the place of a model's old one, under the passphrase that is given
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    folder: KeysFolder,
    /// Print JSON
    #[arg(long, env = "FHECTL_JSON")]
    json: bool,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    /// A model's name or id
    #[arg(value_name = "MODEL|ID")]
    model: String,
    /// The folder of the models whose names are known
    #[arg(long, env = "FHECTL_MODELS", default_value = "compiled_model", value_name = "DIR")]
    models: PathBuf,
    #[command(flatten)]
    folder: KeysFolder,
    /// Do not ask
    #[arg(long, env = "FHECTL_YES")]
    yes: bool,
}

#[derive(Args)]
struct RotateArgs {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    server: ServerArgs,
}

pub fn run(args: KeyringArgs) -> Result<()> {
    match args.action {
        Action::List(args) => list(&args),
        Action::Delete(args) => delete(&args),
        Action::Rotate(args) => rotate(args),
    }
}

fn list(args: &ListArgs) -> Result<()> {
    let keys = Keyring::open(args.folder.keys.as_deref())?.inventory()?;
    if args.json {
        let keys: Vec<_> = keys.iter().map(as_json).collect();
        print_json(&json!({ "keys": keys }));
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "model",
        "name",
        "circuit",
        "made",
        "age",
        "passphrase",
        "failures",
        "file",
    ]);
    for key in &keys {
        let failures = match key.failures {
            RETIRE_AFTER.. => format!("{}, retired", key.failures),
            failures => failures.to_string(),
        };
        let file = key.path.display().to_string();
        let id = id_prefix(&key.model.to_string(), 16);
        match &key.header {
            Ok(header) => table.add_row([
                id,
                header.name.clone(),
                header.circuit.clone(),
                humantime::format_rfc3339_seconds(made(header)).to_string(),
                age(key_age(header)),
                if header.sealed { "yes" } else { "no" }.to_owned(),
                failures,
                file,
            ]),
            Err(error) => table.add_row(
                [id, format!("unusable ({})", error.code)]
                    .into_iter()
                    .chain(std::iter::repeat_n("-".to_owned(), 5))
                    .chain([file]),
            ),
        };
    }
    if !keys.is_empty() {
        print_line!("{}", table.trim_fmt());
    }
    print_line!("{} keys", keys.len());
    Ok(())
}

fn as_json(key: &StoredKey) -> serde_json::Value {
    let header = key.header.as_ref().ok();
    json!({
        "model_id": key.model,
        "model": header.map(|header| &header.name),
        "circuit": header.map(|header| &header.circuit),
        "made": header.map(|header| header.made),
        "age_seconds": header.map(|header| key_age(header).as_secs()),
        "encrypted": header.map(|header| header.sealed),
        "failures": key.failures,
        "retired": key.failures >= RETIRE_AFTER,
        "file": key.path.display().to_string(),
        "error": key.header.as_ref().err().map(|error| error.code),
    })
}

fn delete(args: &DeleteArgs) -> Result<()> {
    let keyring = Keyring::open(args.folder.keys.as_deref())?;
    let key = find_key(&keyring, &args.model, &names_by_id(&args.models))?;
    let shown =
        key.header.as_ref().map_or_else(|_| id_prefix(&key.model.to_string(), 16), |header| header.name.clone());
    if !args.yes && !confirm(&format!("delete the keys for {shown} ({})?", key.path.display()))? {
        print_line!("nothing was deleted");
        return Ok(());
    }
    keyring.delete(&key.model)?;
    print_line!("deleted the keys for {shown} (id {:.16})", key.model.to_string());
    Ok(())
}

/// The key of one model, given by the model's name (in the key file or in a bundle) or by a prefix of its id.
fn find_key(keyring: &Keyring, wanted: &str, names: &BTreeMap<String, String>) -> Result<StoredKey> {
    let matches = |key: &StoredKey| {
        let id = key.model.to_string();
        matches_id(wanted, &id)
            || key.header.as_ref().is_ok_and(|header| header.name == wanted)
            || names.get(&id).is_some_and(|name| name == wanted)
    };
    let mut found: Vec<StoredKey> = keyring.inventory()?.into_iter().filter(matches).collect();
    match (found.len(), found.pop()) {
        (1, Some(key)) => Ok(key),
        (0, _) | (_, None) => {
            Err(Error::new(ErrorCode::KeyUnknown, format!("there are no keys for `{}`", wanted.escape_debug()))
                .hint("`fhectl keyring list` shows those that are there"))
        }
        (more, _) => Err(Error::new(ErrorCode::KeyAmbiguous, format!("`{}` means {more} keys", wanted.escape_debug()))
            .hint("give more digits of the model's id: `fhectl keyring list --json` shows all")),
    }
}

fn confirm(question: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::new(ErrorCode::ConfirmationMissing, "deleting a key asks first, and there is no terminal")
            .hint("say --yes to delete without being asked"));
    }
    let failed = |error: std::io::Error| Error::new(ErrorCode::Terminal, error.to_string());
    anstream::eprint!("{question} [y/N] ");
    std::io::stderr().flush().map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

fn rotate(mut args: RotateArgs) -> Result<()> {
    let model = model(&mut args)?;
    let header = args.server.keyring(None)?.rotate(&model)?;
    let sealed = if header.sealed { ", under the passphrase" } else { ", without a passphrase" };
    print_line!("a new key for {} (id {:.16}){sealed}; the old one is gone", header.name, model.id().to_string());
    Ok(())
}

/// The model's client half, which holds the parameters of its keys: by name, path or id from the folder, or from a server.
fn model(args: &mut RotateArgs) -> Result<ClientModel> {
    if !args.model.path().exists() && args.model.built_in().is_none() {
        let names = names_by_id(&args.model.models);
        let found: Vec<&String> =
            names.iter().filter(|(id, _)| matches_id(&args.model.model, id)).map(|(_, name)| name).collect();
        if let [name] = found[..] {
            args.model.model = name.clone();
        }
    }
    args.model.client(args.server.remote()?.as_ref(), args.server.accept_p_fail).map_err(|error| match error.code {
        ErrorCode::ModelUnknown => error.hint(
            "a new key needs the model's client.zip: --models says where to look, --url where to fetch it; `fhectl keyring \
             delete` does without, and new keys are made at the next use",
        ),
        _ => error,
    })
}
