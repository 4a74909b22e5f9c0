//! The OpenAPI document, as it is sent.

use crate::server::openapi::Refusals;
use axum::Extension;
use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;

/// The document in JSON; on every request.
#[derive(Clone)]
pub(in crate::server) struct Document(pub Bytes);

/// `GET /v1/openapi.json`
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "operations", operation_id = "openapi",
    description = "This document.",
    responses((status = 200, description = "An OpenAPI 3.1 document", content_type = "application/json"), Refusals)
)]
pub(in crate::server) async fn document(Extension(Document(bytes)): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], bytes)
}
