//! Which path leads where, and the replies that need no computing.

use super::envelope::envelope;
use super::reply::{Answer, Failure, not_found};
use super::state::State;
use super::{endpoint, infer, keys};
use crate::error::Error;
use crate::protocol::api::{ModelInfo, ModelList};
use axum::extract::Path;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use axum::{Json, Router, middleware};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The state as handlers take it.
pub(super) type Shared = axum::extract::State<Arc<State>>;

pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/", post(endpoint::serve))
        .route("/health", get(|| async { "ok\n" }))
        .route("/health/ready", get(ready))
        .route("/v1/models", get(models))
        .route("/v1/models/{name}", get(model))
        .route("/v1/models/{name}/client.zip", get(client_zip))
        .route("/v1/models/{name}/infer", post(infer::serve))
        .route("/v1/models/{name}/keys/{key_id}", get(keys::status).post(keys::complete).delete(keys::delete))
        .route("/v1/models/{name}/keys/{key_id}/parts/{index}", put(keys::put_part))
        .fallback(async || Failure(not_found()))
        .layer(middleware::from_fn_with_state(state.clone(), envelope))
        .with_state(state)
}

async fn ready(state: Shared) -> Answer<&'static str> {
    if state.draining.load(Ordering::Relaxed) {
        return Err(Failure(Error::fault("draining", "the server is shutting down").hint("use another server")));
    }
    Ok("ready\n")
}

async fn models(state: Shared) -> Json<ModelList> {
    Json(state.models.list())
}

async fn model(state: Shared, Path(name): Path<String>) -> Answer<Json<ModelInfo>> {
    Ok(Json(state.models.named(&name)?.info.clone()))
}

async fn client_zip(state: Shared, Path(name): Path<String>) -> Answer<impl IntoResponse> {
    let model = state.models.named(&name)?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::ETAG, format!("\"{}\"", model.id())),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"client.zip\"".to_owned()),
    ];
    Ok((headers, model.client_zip.clone()))
}
