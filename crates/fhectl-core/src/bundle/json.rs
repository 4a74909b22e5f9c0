//! Reading JSON.

use serde::de::DeserializeOwned;

/// Reads JSON of a type.
///
/// A client by itself reads by way of serde's buffer, as enums with tags are read anyway: all types are then compiled once, and a
/// browser loads a twelfth less. The buffer takes some ten times the text's bytes, which callers bound.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn from_str<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    #[cfg(not(feature = "evaluate"))]
    {
        #[derive(serde::Deserialize)]
        struct Buffered<T> {
            #[serde(flatten)]
            own: T,
        }
        serde_json::from_str(text).map(|buffered: Buffered<T>| buffered.own)
    }
    #[cfg(feature = "evaluate")]
    serde_json::from_str(text)
}
