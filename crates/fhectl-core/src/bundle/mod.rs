//! Bundles: `client.zip`, `server.zip` and `versions.json`, written once and read with suspicion.
//!
//! `client.zip` holds `client.json` (a [`ClientSpec`]: public) and `id`; `server.zip` the same two and `model.json`
//! (a [`ServerSpec`]: the model). The id is a SHA-256 over both JSON texts. It tells a client nothing of the model:
//! `model.json` holds a digest of the training data as salt.

mod archive;
#[cfg(feature = "os")]
pub mod folder;
mod format;
pub(crate) mod json;
mod score_decoder;
mod spec;
mod strangers;
#[cfg(feature = "os")]
mod whole_folder;

pub use format::FORMAT;
pub use score_decoder::{Predicted, ScoreDecoder};
pub use spec::{ClientSpec, Evaluation, Head, Metrics, ModelId, Quality, ScoreUnit, ServerSpec, check_name};

use crate::error::{Error, ErrorCode, Result};
use archive::Entry;
use format::invalid;
use serde::de::DeserializeOwned;

/// What a client needs to use a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientBundle {
    pub id: ModelId,
    pub spec: ClientSpec,
}

/// What a server needs to run a model. The client's half is kept as the bytes it hands out.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerBundle {
    pub id: ModelId,
    pub spec: ClientSpec,
    pub server: ServerSpec,
    #[cfg_attr(not(feature = "evaluate"), allow(dead_code, reason = "only whoever serves hands it out"))]
    client_json: String,
}

const CLIENT_JSON: &str = "client.json";
const MODEL_JSON: &str = "model.json";
const ID: &str = "id";

/// Packs a model (feature `evaluate`): the bytes of `client.zip` and `server.zip`, the same for the same input.
///
/// # Errors
/// `model_invalid` or `parameters_invalid` where the parts do not fit together, `model_too_large` where the bundle would
/// be larger than one that is read.
#[cfg(feature = "evaluate")]
pub fn pack(spec: &ClientSpec, server: &ServerSpec) -> Result<(Vec<u8>, Vec<u8>)> {
    spec.check()?;
    server.check(spec)?;
    let client_json = to_json(spec);
    let model_json = to_json(server);
    let bytes = client_json.len() + model_json.len() + 64;
    if bytes > archive::MAX_INFLATED {
        return Err(Error::new(
            ErrorCode::ModelTooLarge,
            format!("the bundle would hold {bytes} bytes, at most {} are read", archive::MAX_INFLATED),
        )
        .hint("make the model smaller: fewer units, filters or features"));
    }
    let id = ModelId::of(&client_json, &model_json);
    let bundle = ServerBundle { id, spec: spec.clone(), server: server.clone(), client_json };
    let id_text = id.to_string();
    let entries = [(CLIENT_JSON, bundle.client_json.as_str()), (ID, &id_text), (MODEL_JSON, &model_json)];
    Ok((bundle.client_zip(), archive::write(&entries)))
}

impl ClientBundle {
    /// Reads the bytes of a `client.zip` from anywhere.
    ///
    /// # Errors
    /// `bundle_invalid`, `bundle_format`, `model_invalid` or `parameters_invalid`, saying what is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let entries = archive::read(bytes, &[CLIENT_JSON, ID]).map_err(|error| error.context("client.zip"))?;
        let [client_json, id] = entries.as_slice() else { unreachable!("read returns what was asked for") };
        let spec: ClientSpec = from_json(client_json)?;
        spec.check()?;
        Ok(Self { id: id.text.trim().parse()?, spec })
    }
}

impl ServerBundle {
    /// Reads the bytes of a `server.zip` and verifies its id.
    ///
    /// # Errors
    /// As [`ClientBundle::read`]; also where the id is not that of the content.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let entries =
            archive::read(bytes, &[CLIENT_JSON, ID, MODEL_JSON]).map_err(|error| error.context("server.zip"))?;
        let [client_json, id_entry, model_json] = entries.as_slice() else {
            unreachable!("read returns what was asked for")
        };
        let spec: ClientSpec = from_json(client_json)?;
        spec.check()?;
        let server: ServerSpec = from_json(model_json)?;
        server.check(&spec)?;
        let id: ModelId = id_entry.text.trim().parse()?;
        if id != ModelId::of(&client_json.text, &model_json.text) {
            return Err(invalid("server.zip: its id is not that of its content")
                .hint("it was edited or mixed from two models; create the model again with `fhectl create`"));
        }
        Ok(Self { id, spec, server, client_json: client_json.text.clone() })
    }

    /// The `client.zip` that belongs to this server's half, the very bytes that `create` wrote.
    #[cfg(feature = "evaluate")]
    pub fn client_zip(&self) -> Vec<u8> {
        archive::write(&[(CLIENT_JSON, &self.client_json), (ID, &self.id.to_string())])
    }
}

#[cfg(feature = "evaluate")]
fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("specs hold nothing that JSON cannot") + "\n"
}

/// Parses a spec, first of all its format version: a newer one is told apart from a damaged one.
fn from_json<T: DeserializeOwned>(entry: &Entry) -> Result<T> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        format: u32,
    }
    let damaged = |error: serde_json::Error| {
        invalid(format!("{}: {error}", entry.name))
            .hint("the file is damaged; create the model again or download it anew")
    };
    let version: Versioned = serde_json::from_str(&entry.text).map_err(damaged)?;
    if version.format != FORMAT {
        return Err(Error::new(
            ErrorCode::BundleFormat,
            format!("{} has format {}, this fhectl reads format {FORMAT}", entry.name, version.format),
        )
        .hint("create the model again with `fhectl create`, or use the fhectl version that versions.json names"));
    }
    json::from_str(&entry.text).map_err(damaged)
}

#[cfg(all(test, feature = "client", feature = "evaluate"))]
mod tests;
