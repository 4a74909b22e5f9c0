//! Evaluation keys arriving: `/v1/models/{name}/keys/...`.

use super::params::{KeyPath, PartPath};
use crate::server::body::RequestBody;
use crate::server::caller::Caller;
use crate::server::key_service::check_keyed;
use crate::server::models::HostedModel;
use crate::server::openapi::{Octets, Refusals};
use crate::server::reply::Answer;
use crate::server::state::AppState;
use crate::store::{KeyId, KeyNamespace, Owner};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::protocol::api::{KeyStatus, MAX_PART_BYTES, PartStatus};
use std::sync::Arc;

/// The model that a path names, and the caller's keys for it.
fn named<'a>(state: &'a AppState, name: &str, owner: Owner) -> Result<(&'a Arc<HostedModel>, KeyNamespace)> {
    let model = state.models.named(name)?;
    Ok((model, KeyNamespace { model: *model.id(), owner }))
}

/// `PUT .../keys/{key_id}/parts/{index}`
#[utoipa::path(
    put, path = "/v1/models/{name}/keys/{key_id}/parts/{index}", tag = "keys", operation_id = "put_key_part",
    description = "Stages one part of an evaluation key; idempotent.",
    params(PartPath),
    request_body(content = Octets, content_type = "application/octet-stream", description = "8 MiB at most"),
    responses(
        (status = 200, description = "The part is here", body = PartStatus),
        Refusals,
    )
)]
pub(in crate::server) async fn put_part(
    State(state): State<AppState>,
    Extension(Caller { owner, .. }): Extension<Caller>,
    Extension(body): Extension<RequestBody>,
    Path(PartPath { name, key_id, index }): Path<PartPath>,
) -> Answer<Json<PartStatus>> {
    let (model, namespace) = named(&state, &name, owner)?;
    check_keyed(model)?;
    let id = KeyId::parse(&key_id)?;
    let index: u32 = index.parse().map_err(|_| {
        Error::new(ErrorCode::PartInvalid, "the part's index is not a number").hint("parts are numbered from 0")
    })?;
    let mut body = body.read(MAX_PART_BYTES).await?;
    // What stands there already is read to compare it.
    body.memory.merge(state.bodies.memory.try_reserve(body.bytes.len())?);
    Ok(Json(state.keys.put_part(model, &namespace, &id, index, body.bytes.clone()).await?))
}

/// `GET .../keys/{key_id}`
#[utoipa::path(
    get, path = "/v1/models/{name}/keys/{key_id}", tag = "keys", operation_id = "key_status",
    description = "How far an evaluation key has come.",
    params(KeyPath),
    responses(
        (status = 200, description = "Its state", body = KeyStatus),
        Refusals,
    )
)]
pub(in crate::server) async fn status(
    State(state): State<AppState>,
    Extension(Caller { owner, .. }): Extension<Caller>,
    Path(KeyPath { name, key_id }): Path<KeyPath>,
) -> Answer<Json<KeyStatus>> {
    let id = KeyId::parse(&key_id)?;
    let (_, namespace) = named(&state, &name, owner)?;
    Ok(Json(state.keys.status(&namespace, &id).await?))
}

/// `POST .../keys/{key_id}`
#[utoipa::path(
    post, path = "/v1/models/{name}/keys/{key_id}", tag = "keys", operation_id = "complete_key",
    description = "Verifies the parts together and makes the key usable.",
    params(KeyPath),
    responses(
        (status = 200, description = "It can be used", body = KeyStatus),
        Refusals,
    )
)]
pub(in crate::server) async fn complete(
    State(state): State<AppState>,
    Extension(Caller { owner, .. }): Extension<Caller>,
    Path(KeyPath { name, key_id }): Path<KeyPath>,
) -> Answer<Json<KeyStatus>> {
    let (model, namespace) = named(&state, &name, owner)?;
    check_keyed(model)?;
    let id = KeyId::parse(&key_id)?;
    Ok(Json(state.keys.complete(model, &namespace, &id).await?))
}

/// `DELETE .../keys/{key_id}`
#[utoipa::path(
    delete, path = "/v1/models/{name}/keys/{key_id}", tag = "keys", operation_id = "delete_key",
    description = "Forgets a key and what was staged of it.",
    params(KeyPath),
    responses(
        (status = 204, description = "It is forgotten"),
        Refusals,
    )
)]
pub(in crate::server) async fn delete(
    State(state): State<AppState>,
    Extension(Caller { owner, .. }): Extension<Caller>,
    Path(KeyPath { name, key_id }): Path<KeyPath>,
) -> Answer<StatusCode> {
    let id = KeyId::parse(&key_id)?;
    let (_, namespace) = named(&state, &name, owner)?;
    state.keys.delete(&namespace, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
