//! Names and ids of models and keys, as an operator types and reads them.

use super::built_in::BUILT_IN;
use fhectl_core::bundle::folder;
use fhectl_server::store::KeyNamespace;
use std::collections::BTreeMap;
use std::path::Path;

/// The shortest prefix of an id that is accepted in its place, in hexadecimal digits.
const MIN_DIGITS: usize = 8;

/// Whether `written` is this id or a prefix of it with at least 8 digits.
pub fn matches_id(written: &str, id: &str) -> bool {
    written == id || written.len() >= MIN_DIGITS && id.starts_with(written)
}

/// The first digits of an id.
pub fn id_prefix(id: &str, digits: usize) -> String {
    id.chars().take(digits).collect()
}

/// The names of the models in a folder and in the binary, by model id. Bundles that cannot be read are left out.
pub fn names_by_id(models: &Path) -> BTreeMap<String, String> {
    let built_in = BUILT_IN.iter().filter_map(|model| model.client().ok());
    let bundles = folder::below(models, "client.zip").into_iter().filter_map(|path| folder::read_client(&path).ok());
    built_in.chain(bundles).map(|bundle| (bundle.id.to_string(), bundle.spec.name)).collect()
}

/// The name of a model, or the first digits of its id where it has none.
pub fn model_name(namespace: &KeyNamespace, names: &BTreeMap<String, String>) -> String {
    let id = namespace.model.to_string();
    names.get(&id).cloned().unwrap_or_else(|| id_prefix(&id, 16))
}
