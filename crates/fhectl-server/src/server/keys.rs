//! Evaluation keys arriving: `/v1/models/{name}/keys/...`, and what the endpoint form shares with it.

use super::body::Incoming;
use super::compute::Slot;
use super::envelope::Caller;
use super::models::Hosted;
use super::openapi::Refusals;
use super::reply::Answer;
use super::routes::Shared;
use super::schedule::Lane;
use super::state::State;
use crate::store::{HeldKey, KeyId, Loaded, Room, Shelf, Upload, incomplete};
use axum::extract::Path;
use axum::http::StatusCode;
use axum::{Extension, Json};
use bytes::Bytes;
use fhectl_core::circuit::EvaluationKey;
use fhectl_core::error::{Error, Result};
use fhectl_core::fhe::Random;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::api::{KeyStatus, MAX_PART_BYTES, PartStatus, UploadState};
use fhectl_core::protocol::frame::{KEY_HEADER, read_key};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// `PUT .../keys/{key_id}/parts/{index}`
#[utoipa::path(
    put, path = "/v1/models/{name}/keys/{key_id}/parts/{index}", tag = "keys", operation_id = "put_key_part",
    description = "Stages one part of an evaluation key; idempotent.",
    params(
        ("name" = String, Path, description = "The model"),
        ("key_id" = String, Path, description = "SHA-256 of the framed evaluation key"),
        ("index" = u32, Path, description = "The part, counted from 0"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "The part is here", body = PartStatus),
        Refusals,
    )
)]
pub(super) async fn put_part(
    state: Shared,
    Extension(Caller { owner, .. }): Extension<Caller>,
    Extension(incoming): Extension<Incoming>,
    Path((name, key_id, index)): Path<(String, String, String)>,
) -> Answer<Json<PartStatus>> {
    let model = keyed(state.models.named(&name)?)?;
    let id = KeyId::parse(&key_id)?;
    let index: u32 = index.parse().map_err(|_| {
        Error::user("part_invalid", "the part's index is not a number").hint("parts are numbered from 0")
    })?;
    let mut body = incoming.read(&state, MAX_PART_BYTES).await?;
    // What stands there already is read to compare it.
    body.room.merge(state.memory.room(body.bytes.len())?);
    let shelf = Shelf { model: *model.id(), owner };
    let status = PartStatus { index, bytes: body.bytes.len() as u64 };
    let upload = Upload::from(&id);
    let _turn = state.locks.hold(&shelf, &upload).await;
    // A part that comes late, when the key is complete, has nothing to add.
    if !state.store.exists(&shelf, &id).await? {
        if index == 0 {
            check_begin(model, &body.bytes)?;
        }
        check_quota(&state, &shelf, &upload, Some(model.key_len())).await?;
        let put = state.store.put_part(&shelf, &upload, index, body.bytes.clone(), model.key_len()).await;
        or_complete(&state, &shelf, &id, put).await?;
    }
    Ok(Json(status))
}

/// `GET .../keys/{key_id}`
#[utoipa::path(
    get, path = "/v1/models/{name}/keys/{key_id}", tag = "keys", operation_id = "key_status",
    description = "How far an evaluation key has come.",
    params(
        ("name" = String, Path, description = "The model"),
        ("key_id" = String, Path, description = "SHA-256 of the framed evaluation key"),
    ),
    responses(
        (status = 200, description = "Its state", body = KeyStatus),
        Refusals,
    )
)]
pub(super) async fn status(
    state: Shared,
    Extension(Caller { owner, .. }): Extension<Caller>,
    Path((name, key_id)): Path<(String, String)>,
) -> Answer<Json<KeyStatus>> {
    let id = KeyId::parse(&key_id)?;
    let shelf = Shelf { model: *state.models.named(&name)?.id(), owner };
    if state.store.exists(&shelf, &id).await? {
        return Ok(Json(complete_status(&id)));
    }
    let parts = state.store.parts(&shelf, &Upload::from(&id)).await?;
    if parts.is_empty() && state.store.exists(&shelf, &id).await? {
        // It was completed, and its parts dropped, between the two looks.
        return Ok(Json(complete_status(&id)));
    }
    let upload = if parts.is_empty() { UploadState::Absent } else { UploadState::Partial };
    Ok(Json(KeyStatus { key_id, state: upload, parts }))
}

/// `POST .../keys/{key_id}`
#[utoipa::path(
    post, path = "/v1/models/{name}/keys/{key_id}", tag = "keys", operation_id = "complete_key",
    description = "Verifies the parts together and makes the key usable.",
    params(
        ("name" = String, Path, description = "The model"),
        ("key_id" = String, Path, description = "SHA-256 of the framed evaluation key"),
    ),
    responses(
        (status = 200, description = "It can be used", body = KeyStatus),
        Refusals,
    )
)]
pub(super) async fn complete(
    state: Shared,
    Extension(Caller { owner, .. }): Extension<Caller>,
    Path((name, key_id)): Path<(String, String)>,
) -> Answer<Json<KeyStatus>> {
    let model = keyed(state.models.named(&name)?)?;
    let id = KeyId::parse(&key_id)?;
    let shelf = Shelf { model: *model.id(), owner };
    let upload = Upload::from(&id);
    let _turn = state.locks.hold(&shelf, &upload).await;
    if !state.store.exists(&shelf, &id).await? {
        let put = put_together(&state, model, &shelf, &id).await;
        or_complete(&state, &shelf, &id, put).await?;
    }
    Ok(Json(complete_status(&id)))
}

/// Makes a key of its parts.
async fn put_together(state: &State, model: &Arc<Hosted>, shelf: &Shelf, id: &KeyId) -> Result<()> {
    let upload = Upload::from(id);
    let arrival = Arrival::begin(state, model, shelf, &upload).await?;
    let whole = state.store.assemble(shelf, &upload, model.key_len()).await?;
    if whole.len() < model.key_len() {
        return Err(incomplete(format!("{} of {} bytes are here", whole.len(), model.key_len())));
    }
    arrival.accept(whole.into(), Some(id.clone())).await?;
    state.store.discard(shelf, &upload).await.map(drop)
}

/// What failed because another server completed the key meanwhile did not fail.
async fn or_complete(state: &State, shelf: &Shelf, id: &KeyId, outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(error) if matches!(error.code, "key_incomplete" | "key_mismatch" | "key_too_large" | "part_conflict") => {
            if state.store.exists(shelf, id).await? {
                Ok(())
            } else {
                Err(error)
            }
        }
        outcome => outcome,
    }
}

/// `DELETE .../keys/{key_id}`
#[utoipa::path(
    delete, path = "/v1/models/{name}/keys/{key_id}", tag = "keys", operation_id = "delete_key",
    description = "Forgets a key and what was staged of it.",
    params(
        ("name" = String, Path, description = "The model"),
        ("key_id" = String, Path, description = "SHA-256 of the framed evaluation key"),
    ),
    responses(
        (status = 204, description = "It is forgotten"),
        Refusals,
    )
)]
pub(super) async fn delete(
    state: Shared,
    Extension(Caller { owner, .. }): Extension<Caller>,
    Path((name, key_id)): Path<(String, String)>,
) -> Answer<StatusCode> {
    let id = KeyId::parse(&key_id)?;
    let shelf = Shelf { model: *state.models.named(&name)?.id(), owner };
    let _turn = state.locks.hold(&shelf, &Upload::from(&id)).await;
    let there = state.store.delete(&shelf, &id).await?;
    state.cache.forget(&shelf, &id);
    if there { Ok(StatusCode::NO_CONTENT) } else { Err(unknown().into()) }
}

fn complete_status(id: &KeyId) -> KeyStatus {
    KeyStatus { key_id: id.to_string(), state: UploadState::Complete, parts: Vec::new() }
}

/// Refuses what is not the beginning of this model's key before the rest of it travels.
///
/// # Errors
/// `key_invalid`, `format_version` or `wrong_model`.
pub(super) fn check_begin(model: &Hosted, first: &[u8]) -> Result<()> {
    if first.len() < KEY_HEADER { Ok(()) } else { read_key(model.id(), first).map(drop) }
}

/// Refuses the first part of an upload that its owner has no room for, before the rest of it travels.
///
/// # Errors
/// `quota_exceeded`, `store_unavailable`, `store_failed`.
pub(super) async fn check_quota(state: &State, shelf: &Shelf, upload: &Upload, bytes: Option<usize>) -> Result<()> {
    let quota = state.keys.quota;
    if quota.is_unlimited() || !state.store.parts(shelf, upload).await?.is_empty() {
        return Ok(());
    }
    state.store.check_begin(&shelf.owner, quota, bytes).await
}

/// A whole key that is about to be verified and made visible.
pub(super) struct Arrival<'a> {
    state: &'a State,
    model: &'a Arc<Hosted>,
    shelf: &'a Shelf,
    upload: &'a Upload,
    slot: Slot,
    room: Room,
}

impl<'a> Arrival<'a> {
    /// Takes what is needed before the key is put together in memory.
    ///
    /// # Errors
    /// `busy`.
    pub async fn begin(state: &'a State, model: &'a Arc<Hosted>, shelf: &'a Shelf, upload: &'a Upload) -> Result<Self> {
        let lane = Lane::of_key(&shelf.owner, upload.clone());
        let slot = state.compute.admit(lane, model.costs.key.seconds(), state.deadline(None))?;
        let room = state.cache.room(model.key_need()).await?;
        Ok(Self { state, model, shelf, upload, slot, room })
    }

    /// Verifies a whole framed key and makes it visible; it can be used when this returns. Where the key itself is
    /// refused, the upload is dropped, so that a corrected one can begin.
    ///
    /// # Errors
    /// `key_mismatch` where the SHA-256 is not the id `wanted`, what [`read_key`] and the circuit say of the key,
    /// `quota_exceeded`, `store_unavailable`, `store_failed`.
    pub async fn accept(self, framed: Bytes, wanted: Option<KeyId>) -> Result<KeyId> {
        let Self { state, model, shelf, upload, slot, room } = self;
        let (bytes, own) = (framed.clone(), model.clone());
        let done = state.compute.run_once(&slot, move || verify(&own, &bytes, wanted)).await?;
        match done.value {
            Ok((id, key)) => {
                model.costs.key.learn(done.took.as_secs_f64());
                state.metrics.keys_accepted.inc();
                if !state.keys.quota.is_unlimited() && !state.store.exists(shelf, &id).await? {
                    state.store.check_complete(shelf, upload, state.keys.quota, model.key_len()).await?;
                }
                let asked = Instant::now();
                state.store.put(shelf, &id, framed).await?;
                state.cache.keep((shelf, &id), model.key_need(), key, room, asked).await;
                Ok(id)
            }
            Err(error) => {
                state.store.discard(shelf, upload).await?;
                Err(error)
            }
        }
    }
}

fn verify(model: &Hosted, framed: &[u8], wanted: Option<KeyId>) -> Result<(KeyId, EvaluationKey)> {
    let id = KeyId::of(framed);
    if wanted.is_some_and(|wanted| wanted != id) {
        return Err(Error::user("key_mismatch", "the key's SHA-256 is not the id it was sent under")
            .hint("it was damaged on the way; send it again from part 0"));
    }
    let body = read_key(model.id(), framed)?;
    let key = model.evaluator.unpack_key(body, &mut Random::fresh(&mut OsEntropy))?.named(id.bytes());
    Ok((id, key))
}

/// A key to compute with, from memory or from the store.
///
/// # Errors
/// `key_unknown`, `key_damaged` where the store gives back other bytes than it was given, `busy`,
/// `store_unavailable`, `store_failed`.
pub(super) async fn held(
    state: &State,
    slot: &Slot,
    model: &Arc<Hosted>,
    shelf: &Shelf,
    id: &KeyId,
) -> Result<Arc<HeldKey>> {
    let missed = AtomicBool::new(false);
    let load = async {
        missed.store(true, Ordering::Relaxed);
        let found = state.store.get(shelf, id, model.key_len()).await?;
        let (framed, completed) = found.ok_or_else(unknown)?;
        let (own, wanted) = (model.clone(), id.clone());
        let verdict = state.compute.run_once(slot, move || verify(&own, &framed, Some(wanted))).await?.value;
        match verdict {
            Ok((_, key)) => Ok(Loaded { key, completed }),
            Err(error) => {
                tracing::error!(key = id.as_str(), code = error.code, "a stored key is damaged");
                Err(Error::fault("key_damaged", "the stored evaluation key is damaged")
                    .hint("forget it (DELETE the key) and send it again"))
            }
        }
    };
    let key = state.cache.get(shelf, id, model.key_need(), load).await?;
    if missed.load(Ordering::Relaxed) { &state.metrics.cache_misses } else { &state.metrics.cache_hits }.inc();
    Ok(key)
}

pub(super) fn unknown() -> Error {
    Error::user("key_unknown", "no evaluation key of this id is here")
        .hint("send it first: PUT its parts, then POST to /v1/models/{name}/keys/{key id}")
}

fn keyed(model: &Arc<Hosted>) -> Result<&Arc<Hosted>> {
    if model.no_key.is_none() {
        return Ok(model);
    }
    Err(Error::user("key_needless", "this model needs no evaluation key").hint("send inputs right away"))
}
