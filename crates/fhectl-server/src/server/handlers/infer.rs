//! Computing on encrypted inputs: `/v1/models/{name}/infer`.

use super::params::{DeadlineHeader, KeyIdHeader, ModelPath};
use super::timings::timings;
use crate::server::body::RequestBody;
use crate::server::caller::{Caller, ClientTimeout};
use crate::server::inference::Inference;
use crate::server::openapi::{Octets, Refusals};
use crate::server::reply::Answer;
use crate::server::state::AppState;
use crate::store::KeyId;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::protocol::api::KEY_ID_HEADER;

/// `POST /v1/models/{name}/infer`
#[utoipa::path(
    post, path = "/v1/models/{name}/infer", tag = "inference", operation_id = "infer",
    description = "Computes the model on a batch of encrypted inputs, and looks a tag up with the same keys where the batch has one.",
    params(ModelPath, KeyIdHeader, DeadlineHeader),
    request_body(content = Octets, content_type = "application/octet-stream", description = "A framed batch of encrypted inputs, with or without a tag"),
    responses(
        (
            status = 200, description = "A framed batch of encrypted answers, with the id of the evaluation key that was used and a SHA-256 at its end", body = Octets, content_type = "application/octet-stream",
            headers(
                ("x-fhectl-queue-us" = Option<u64>, description = "Microseconds of waiting; only where the server tells (--timing-headers)"),
                ("x-fhectl-compute-us" = Option<u64>, description = "Microseconds of computing; only where the server tells (--timing-headers)"),
            ),
        ),
        Refusals,
    )
)]
pub(in crate::server) async fn infer(
    State(state): State<AppState>,
    Extension(Caller { owner, peer }): Extension<Caller>,
    Extension(ClientTimeout(timeout)): Extension<ClientTimeout>,
    Extension(body): Extension<RequestBody>,
    Path(ModelPath { name }): Path<ModelPath>,
    headers: HeaderMap,
) -> Answer {
    let model = state.models.named(&name)?;
    let key = if model.no_key.is_some() { None } else { Some(key_id(&headers)?) };
    let inputs = body.read(model.batch_limit()).await?;
    let answers = state.inference.infer(Inference { model, owner, peer, timeout, key, inputs }).await?;
    let octets = HeaderValue::from_static("application/octet-stream");
    let headers = timings(state.timing_headers, &answers);
    let body = Body::from(answers.memory.around(answers.bytes));
    Ok(([(header::CONTENT_TYPE, octets)], headers, body).into_response())
}

/// # Errors
/// `key_unnamed`, `key_id_invalid`.
fn key_id(headers: &HeaderMap) -> Result<KeyId> {
    let Some(value) = headers.get(KEY_ID_HEADER) else {
        return Err(Error::new(ErrorCode::KeyUnnamed, "the request names no evaluation key")
            .hint("send the key's SHA-256 in the `key-id` header"));
    };
    KeyId::parse(value.to_str().unwrap_or_default())
}
