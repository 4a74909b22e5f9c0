//! The models of a server.

use super::{Kind, Outcome, Talk};
use crate::decrypted::to_json;
use crate::thrown::thrown;
use fhectl_core::client::conversation::{Method, Request, Single};
use fhectl_core::protocol::api::Sizes;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

/// Asks a server for its models.
#[wasm_bindgen(js_name = listModels)]
pub fn list_models(server: &str) -> Talk {
    Talk::new(server, Kind::List(Single(Request::new(Method::Get, "/v1/models"))))
}

#[wasm_bindgen]
impl Talk {
    /// What [`list_models`] came to: JSON of a list of `ListedModel` in `api.ts`.
    #[wasm_bindgen(js_name = takeList)]
    pub fn take_list(&mut self) -> Result<Option<String>, JsValue> {
        let Some(Outcome::Reply(reply)) = self.outcome.take() else { return Ok(None) };
        let list: List = reply.json("/v1/models").map_err(thrown)?;
        Ok(Some(to_json(&list.models.into_iter().map(Listed::from).collect::<Vec<_>>())))
    }
}

/// Circuits of later releases are listed too: of each only its name is read.
#[derive(Deserialize)]
struct List {
    models: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    id: String,
    kind: String,
    classes: Vec<String>,
    features: usize,
    circuit: CircuitName,
    sizes: Sizes,
}

#[derive(Deserialize)]
struct CircuitName {
    circuit: String,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    id: String,
    kind: String,
    circuit: String,
    classes: Vec<String>,
    features: usize,
    sizes: Sizes,
}

impl From<Entry> for Listed {
    fn from(entry: Entry) -> Self {
        let Entry { name, id, kind, classes, features, circuit, sizes } = entry;
        Self { name, id, kind, circuit: circuit.circuit, classes, features, sizes }
    }
}
