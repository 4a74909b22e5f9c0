//! How what lies in a store is named and shown to its operator.

use fhectl_core::bundle::folder;
use fhectl_server::store::KeyNamespace;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The fewest digits that an id may be shortened to.
const FEWEST_DIGITS: usize = 8;

/// Whether what a person wrote is this id or the beginning of it.
pub fn is_id(written: &str, id: &str) -> bool {
    written == id || written.len() >= FEWEST_DIGITS && id.starts_with(written)
}

/// The first digits of an id.
pub fn short(id: &str, digits: usize) -> String {
    id.chars().take(digits).collect()
}

/// The names of the models in a folder by their ids. What cannot be read has no name.
pub fn names_in(models: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(models).into_iter().flatten().flatten();
    let bundles = entries.filter_map(|entry| folder::read_client(&entry.path()).ok());
    bundles.map(|bundle| (bundle.id.to_string(), bundle.spec.name)).collect()
}

/// The name of a namespace's model, or the first digits of its id.
pub fn model_name(namespace: &KeyNamespace, names: &BTreeMap<String, String>) -> String {
    let id = namespace.model.to_string();
    names.get(&id).cloned().unwrap_or_else(|| short(&id, 16))
}

/// How long ago.
pub fn age(then: SystemTime) -> String {
    shown_age(then.elapsed().unwrap_or_default())
}

/// To the minute beyond an hour, to the hour beyond a day.
pub fn shown_age(age: Duration) -> String {
    let seconds = age.as_secs();
    let unit = match seconds {
        0..3600 => 1,
        3600..86_400 => 60,
        _ => 3600,
    };
    humantime::format_duration(Duration::from_secs(seconds / unit * unit)).to_string()
}
