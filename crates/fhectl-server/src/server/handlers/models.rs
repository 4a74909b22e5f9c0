//! What is served: `/v1/models`.

use super::params::ModelPath;
use crate::server::openapi::{Octets, Refusals};
use crate::server::reply::Answer;
use crate::server::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use fhectl_core::protocol::api::{ModelInfo, ModelList};

/// `GET /v1/models`
#[utoipa::path(
    get, path = "/v1/models", tag = "models", operation_id = "models",
    description = "What is served here.",
    responses((status = 200, description = "All models", body = ModelList), Refusals)
)]
pub(in crate::server) async fn models(State(state): State<AppState>) -> Json<ModelList> {
    Json(ModelList { models: state.models.all().map(|model| state.told(model)).collect() })
}

/// `GET /v1/models/{name}`
#[utoipa::path(
    get, path = "/v1/models/{name}", tag = "models", operation_id = "model",
    description = "One model: id, circuit, parameters, sizes.",
    params(ModelPath),
    responses((status = 200, description = "The model", body = ModelInfo), Refusals)
)]
pub(in crate::server) async fn model(
    State(state): State<AppState>,
    Path(ModelPath { name }): Path<ModelPath>,
) -> Answer<Json<ModelInfo>> {
    Ok(Json(state.told(state.models.named(&name)?)))
}

/// `GET /v1/models/{name}/client.zip`
#[utoipa::path(
    get, path = "/v1/models/{name}/client.zip", tag = "models", operation_id = "client_zip",
    description = "The client's half of a model: all that a client needs besides this URL.",
    params(ModelPath),
    responses((status = 200, description = "client.zip", body = Octets, content_type = "application/zip"), Refusals)
)]
pub(in crate::server) async fn client_zip(
    State(state): State<AppState>,
    Path(ModelPath { name }): Path<ModelPath>,
) -> Answer<impl IntoResponse> {
    let model = state.models.named(&name)?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::ETAG, format!("\"{}\"", model.id())),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"client.zip\"".to_owned()),
    ];
    Ok((headers, model.client_zip.clone()))
}
