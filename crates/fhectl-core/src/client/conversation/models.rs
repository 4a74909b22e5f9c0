//! Which model a server runs.

use super::message::{Conversation, Method, Reply, Request};
use crate::bundle::{ModelId, check_name};
use crate::client::model::ClientModel;
use crate::client::policy;
use crate::error::{Error, ErrorCode, Result};
use serde::Deserialize;

/// Checks that a server runs the very model that the client has.
///
/// Ends with `model_unknown` where it runs none of this name, `wrong_model` where it runs another one.
pub struct CheckModel {
    id: ModelId,
    name: String,
}

impl CheckModel {
    pub fn new(model: &ClientModel) -> Self {
        Self { id: *model.id(), name: model.spec().name.clone() }
    }
}

impl Conversation for CheckModel {
    type Output = ();

    fn request(&self) -> Request<'_> {
        Request::new(Method::Get, model_path(&self.name))
    }

    fn handle(&mut self, outcome: Result<Reply>) -> Result<Option<()>> {
        let reply = outcome?;
        let path = model_path(&self.name);
        let served: Served = reply.json(&path)?;
        if served.id == self.id {
            return Ok(Some(()));
        }
        let server = &reply.server;
        Err(Error::new(
            ErrorCode::WrongModel,
            format!(
                "{server} runs another `{}` (id {:.12}) than client.zip describes (id {:.12})",
                self.name,
                served.id.to_string(),
                self.id.to_string()
            ),
        )
        .hint(format!("fetch its client.zip from {server}{path}/client.zip")))
    }
}

/// Of [`ModelInfo`](crate::protocol::api::ModelInfo), what is looked at.
#[derive(Deserialize)]
struct Served {
    id: ModelId,
}

/// Fetches a model's `client.zip`.
pub struct FetchModel {
    name: String,
    failure_log2: f64,
}

impl FetchModel {
    /// # Errors
    /// `name_invalid`.
    pub fn new(name: &str) -> Result<Self> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), failure_log2: policy::FAILURE_LOG2 })
    }

    /// Takes a model whose answers are wrong more often, too ([`ClientModel::read_accepting`]).
    #[must_use]
    pub fn accepting(self, failure_log2: f64) -> Self {
        Self { failure_log2, ..self }
    }
}

impl Conversation for FetchModel {
    type Output = ClientModel;

    fn request(&self) -> Request<'_> {
        Request::new(Method::Get, format!("{}/client.zip", model_path(&self.name)))
    }

    fn handle(&mut self, outcome: Result<Reply>) -> Result<Option<ClientModel>> {
        let reply = outcome?;
        let model = ClientModel::read_accepting(&reply.body, self.failure_log2);
        model.map(Some).map_err(|error| error.context(format!("{} of {}", self.name, reply.server)))
    }
}

/// The route of a model. Its name was checked: it needs no escaping.
pub(super) fn model_path(name: &str) -> String {
    format!("/v1/models/{name}")
}
