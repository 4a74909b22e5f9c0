//! `models`: which models are at hand.

use super::built_in::BUILT_IN;
use crate::report::{bytes, print_json, print_line};
use clap::Args;
use comfy_table::{Table, presets};
use fhectl_core::bundle::{ClientSpec, folder};
use fhectl_core::error::{Error, Result};
use fhectl_core::protocol::frame::{answers_len, inputs_len, key_len};
use serde_json::json;
use std::path::{Path, PathBuf};

/// List the models at hand: those of a folder, and those in the binary.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl models                    those of ./compiled_model, then the built-in ones
  fhectl models --models /srv/models --json")]
pub struct ModelsArgs {
    /// The folder that models are looked up in
    #[arg(long, env = "FHECTL_MODELS", default_value = "compiled_model", value_name = "DIR")]
    models: PathBuf,
    /// Print JSON
    #[arg(long, env = "FHECTL_JSON")]
    json: bool,
}

/// A model that a name stands for.
struct Found {
    name: String,
    /// `None` for a built-in one.
    folder: Option<PathBuf>,
    /// What is wrong with it, where it cannot be read.
    spec: Result<ClientSpec, Error>,
}

pub fn run(args: &ModelsArgs) -> Result<()> {
    let found = all(&args.models);
    if args.json {
        print_json(&json!({ "models": found.iter().map(Found::json).collect::<Vec<_>>() }));
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["name", "kind", "circuit", "key", "request", "response", "from"]);
    for model in &found {
        table.add_row(model.row());
    }
    print_line!("{}", table.trim_fmt());
    Ok(())
}

/// The models of a folder by name, then the built-in ones whose names the folder has not taken.
fn all(models: &Path) -> Vec<Found> {
    let named = |path: PathBuf| Found {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        spec: folder::read_client(&path).map(|bundle| bundle.spec),
        folder: Some(path),
    };
    let mut found: Vec<Found> = folder::below(models, "client.zip").into_iter().map(named).collect();
    let others = BUILT_IN.iter().filter(|model| !models.join(model.name).exists());
    found.extend(others.map(|model| Found {
        name: model.name.to_owned(),
        folder: None,
        spec: model.client().map(|bundle| bundle.spec),
    }));
    found
}

impl Found {
    fn row(&self) -> Vec<String> {
        let from = self.folder.as_ref().map_or("built in".to_owned(), |folder| folder.display().to_string());
        let size = |count| if count == 0 { "none".to_owned() } else { bytes(count) };
        match &self.spec {
            Ok(ClientSpec { kind, circuit, .. }) => vec![
                self.name.clone(),
                kind.clone(),
                circuit.kind().to_string(),
                size(key_len(circuit)),
                size(inputs_len(circuit, 1)),
                size(answers_len(circuit, 1)),
                from,
            ],
            Err(error) => {
                let dashes = std::iter::repeat_n("-".to_owned(), 5);
                [self.name.clone()].into_iter().chain(dashes).chain([format!("{from}: {}", error.code)]).collect()
            }
        }
    }

    fn json(&self) -> serde_json::Value {
        let from = self.folder.as_ref().map(|folder| folder.display().to_string());
        match &self.spec {
            Ok(ClientSpec { kind, circuit, features, classes, .. }) => json!({
                "name": self.name,
                "kind": kind,
                "circuit": circuit.kind(),
                "features": features.len(),
                "classes": classes,
                "sizes": {
                    "key": key_len(circuit),
                    "request": inputs_len(circuit, 1),
                    "response": answers_len(circuit, 1),
                },
                "built_in": from.is_none(),
                "folder": from,
            }),
            Err(error) => json!({
                "name": self.name,
                "built_in": from.is_none(),
                "folder": from,
                "error": { "code": error.code, "message": error.message },
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_comes_first_and_takes_names_from_the_built_in_ones() {
        let models = tempfile::tempdir().unwrap();
        let names =
            || all(models.path()).into_iter().map(|model| (model.name, model.folder.is_none())).collect::<Vec<_>>();
        let built_in = names();
        assert_eq!(built_in.len(), BUILT_IN.len());
        assert!(built_in.iter().all(|(_, built_in)| *built_in));
        for name in ["tree-spam", ".tree-x.1.new"] {
            fs::create_dir(models.path().join(name)).unwrap();
            fs::write(models.path().join(name).join("client.zip"), "no bundle").unwrap();
        }
        let both = names();
        assert_eq!((both.len(), &both[0]), (BUILT_IN.len(), &("tree-spam".to_owned(), false)));
        assert!(both[1..].iter().all(|(name, built_in)| *built_in && name != "tree-spam"));
    }
}
