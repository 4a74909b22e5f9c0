//! Which key namespaces of a server's store a command works on: the flags that `keys` and `budgets` share. A namespace
//! holds the keys of one owner for one model.

use super::names::{matches_id, names_by_id};
use clap::Args;
use fhectl_core::error::Result;
use fhectl_server::store::{KeyNamespace, KeyStore};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A store, and which models and owners in it.
#[derive(Debug, Args)]
pub struct NamespaceArgs {
    /// The servers' store: a folder, file:///... or s3://bucket/prefix (with the AWS_... variables)
    #[arg(long, env = "FHECTL_STORE", default_value = "store", value_name = "URL")]
    pub store: String,
    /// Only those for this model: its name or id
    #[arg(long, env = "FHECTL_MODEL", value_name = "NAME|ID")]
    model: Option<String>,
    /// The folder of the models whose names are known
    #[arg(long, env = "FHECTL_MODELS", default_value = "compiled_model", value_name = "DIR")]
    models: PathBuf,
    /// Only those of this owner: the id of a token as `list` shows it, or `anyone`
    #[arg(long, env = "FHECTL_OWNER", value_name = "ID")]
    owner: Option<String>,
    /// Print JSON
    #[arg(long, env = "FHECTL_JSON")]
    pub json: bool,
}

impl NamespaceArgs {
    /// Opens the store.
    ///
    /// # Errors
    /// `store_missing`, and those of a store that cannot be used.
    pub async fn open(&self) -> Result<KeyStore> {
        KeyStore::open_existing(&self.store).await
    }

    /// The names of models, by model id.
    pub fn names(&self) -> BTreeMap<String, String> {
        names_by_id(&self.models)
    }

    /// Whether neither a model nor an owner is given.
    pub fn is_everything(&self) -> bool {
        self.model.is_none() && self.owner.is_none()
    }

    /// Whether a namespace is among those that the flags select.
    pub fn selects(&self, namespace: &KeyNamespace, names: &BTreeMap<String, String>) -> bool {
        let id = namespace.model.to_string();
        self.model.as_ref().is_none_or(|wanted| matches_id(wanted, &id) || names.get(&id) == Some(wanted))
            && self.owner.as_ref().is_none_or(|wanted| matches_id(wanted, namespace.owner.as_str()))
    }
}
