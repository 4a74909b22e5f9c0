//! Which path leads where.

use super::handlers::{endpoint, health, infer, keys, models, openapi as document, page};
use super::layers;
use super::openapi::finished;
use super::reply::{Failure, not_found};
use super::state::AppState;
use axum::{Extension, Router};
use bytes::Bytes;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All routes within all layers.
pub(super) fn router(state: AppState) -> Router {
    let (router, document) = documented(state.page).split_for_parts();
    let document = document::Document(Bytes::from(finished(document)));
    let router = router.fallback(async || Failure(not_found())).layer(Extension(document)).with_state(state.clone());
    layers::around(router, &state)
}

/// Every route, each with its entry in the OpenAPI document: there is no other way in.
fn documented(page: bool) -> OpenApiRouter<AppState> {
    let router = OpenApiRouter::new()
        .routes(routes!(endpoint::endpoint))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(document::document))
        .routes(routes!(models::models))
        .routes(routes!(models::model))
        .routes(routes!(models::client_zip))
        .routes(routes!(infer::infer))
        .routes(routes!(keys::status, keys::complete, keys::delete))
        .routes(routes!(keys::put_part));
    if page { router.routes(routes!(page::page)).routes(routes!(page::file)) } else { router }
}

/// The OpenAPI document of all routes, as `GET /v1/openapi.json` sends it.
pub fn openapi_document() -> Value {
    let (_, document) = documented(true).split_for_parts();
    serde_json::from_slice(&finished(document)).unwrap_or(Value::Null)
}
