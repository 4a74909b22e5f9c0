//! Which path leads where, and the replies that need no computing.

use super::envelope::envelope;
use super::openapi::Refusals;
use super::reply::{Answer, Failure, not_found};
use super::state::State;
use super::{endpoint, infer, keys, openapi};
use axum::extract::Path;
use axum::http::{HeaderName, Method, header};
use axum::response::IntoResponse;
use axum::{Extension, Json, Router, middleware};
use bytes::Bytes;
use fhectl_core::error::Error;
use fhectl_core::protocol::api::{
    COMPUTE_HEADER, DEADLINE_HEADER, KEY_ID_HEADER, MODEL_HEADER, ModelInfo, ModelList, QUEUE_HEADER,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The state as handlers take it.
pub(super) type Shared = axum::extract::State<Arc<State>>;

pub(super) fn router(state: Arc<State>) -> Router {
    let (router, document) = documented().split_for_parts();
    let document = Bytes::from(openapi::finished(document));
    let cors = cors(&state.cors_origins);
    let router = router
        .fallback(async || Failure(not_found()))
        .layer(middleware::from_fn_with_state(state.clone(), envelope))
        .layer(Extension(Document(document)))
        .with_state(state);
    match cors {
        Some(cors) => router.layer(cors),
        None => router,
    }
}

/// Every route, each with its entry in the OpenAPI document: there is no other way in.
pub(super) fn documented() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(endpoint::serve))
        .routes(routes!(health))
        .routes(routes!(ready))
        .routes(routes!(document))
        .routes(routes!(models))
        .routes(routes!(model))
        .routes(routes!(client_zip))
        .routes(routes!(infer::serve))
        .routes(routes!(keys::status, keys::complete, keys::delete))
        .routes(routes!(keys::put_part))
}

/// Lets pages of the named origins use the server from a browser.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| origin.parse().ok()))
    };
    let names = |names: &[&'static str]| names.iter().map(|name| HeaderName::from_static(name)).collect::<Vec<_>>();
    let asked = ["authorization", "content-type", KEY_ID_HEADER, MODEL_HEADER, DEADLINE_HEADER, "x-request-id"];
    let told = [QUEUE_HEADER, COMPUTE_HEADER, "x-request-id", "retry-after"];
    Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers(names(&asked))
            .expose_headers(names(&told))
            .max_age(Duration::from_secs(3600)),
    )
}

/// The OpenAPI document as it is sent.
#[derive(Clone)]
struct Document(Bytes);

/// `GET /v1/openapi.json`
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "operations", operation_id = "openapi",
    description = "This document.",
    responses((status = 200, description = "An OpenAPI 3.1 document", content_type = "application/json"), Refusals)
)]
async fn document(Extension(Document(bytes)): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], bytes)
}

/// `GET /health`
#[utoipa::path(
    get, path = "/health", tag = "operations", operation_id = "health", security(()),
    description = "Whether the process answers.",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain"), Refusals)
)]
async fn health() -> &'static str {
    "ok\n"
}

/// `GET /health/ready`
#[utoipa::path(
    get, path = "/health/ready", tag = "operations", operation_id = "ready", security(()),
    description = "Whether new requests may be sent here; 503 once the server drains.",
    responses((status = 200, description = "They may", body = String, content_type = "text/plain"), Refusals)
)]
async fn ready(state: Shared) -> Answer<&'static str> {
    if state.draining.load(Ordering::Relaxed) {
        return Err(Failure(Error::fault("draining", "the server is shutting down").hint("use another server")));
    }
    Ok("ready\n")
}

/// `GET /v1/models`
#[utoipa::path(
    get, path = "/v1/models", tag = "models", operation_id = "models",
    description = "What is served here.",
    responses((status = 200, description = "All models", body = ModelList), Refusals)
)]
async fn models(state: Shared) -> Json<ModelList> {
    Json(state.models.list())
}

/// `GET /v1/models/{name}`
#[utoipa::path(
    get, path = "/v1/models/{name}", tag = "models", operation_id = "model",
    description = "One model: id, circuit, parameters, sizes.",
    params(("name" = String, Path, description = "The model")),
    responses((status = 200, description = "The model", body = ModelInfo), Refusals)
)]
async fn model(state: Shared, Path(name): Path<String>) -> Answer<Json<ModelInfo>> {
    Ok(Json(state.models.named(&name)?.info.clone()))
}

/// `GET /v1/models/{name}/client.zip`
#[utoipa::path(
    get, path = "/v1/models/{name}/client.zip", tag = "models", operation_id = "client_zip",
    description = "The client's half of a model: all that a client needs besides this URL.",
    params(("name" = String, Path, description = "The model")),
    responses((status = 200, description = "client.zip", body = Vec<u8>, content_type = "application/zip"), Refusals)
)]
async fn client_zip(state: Shared, Path(name): Path<String>) -> Answer<impl IntoResponse> {
    let model = state.models.named(&name)?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::ETAG, format!("\"{}\"", model.id())),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"client.zip\"".to_owned()),
    ];
    Ok((headers, model.client_zip.clone()))
}
