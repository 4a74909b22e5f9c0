//! The endpoint form: `POST /` as clients of hosted endpoints send it.

use super::params::{DeadlineHeader, ModelHeader};
use super::timings::timings;
use crate::server::body::{ReceivedBody, RequestBody};
use crate::server::caller::{Caller, ClientTimeout};
use crate::server::endpoint_json::{bytes_of, parse};
use crate::server::inference::Inference;
use crate::server::key_uids::unknown_uid;
use crate::server::openapi::{EndpointReply, Refusals};
use crate::server::reply::Answer;
use crate::server::state::AppState;
use crate::store::{KeyNamespace, Uid};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use bytes::Bytes;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::protocol::api::MODEL_HEADER;
use fhectl_core::protocol::endpoint::{EndpointRequest, SavedKey};

/// JSON beyond this many bytes is parsed off the async threads.
const SMALL: usize = 256 << 10;

/// `POST /`
#[utoipa::path(
    post, path = "/", tag = "endpoint form", operation_id = "endpoint",
    description = "The endpoint form that clients of hosted endpoints speak. Keys, inputs and answers are the frames of /v1.",
    params(ModelHeader, DeadlineHeader),
    request_body = EndpointRequest,
    responses(
        (
            status = 200, description = "A uid, null or encrypted answers, as the method has it", body = EndpointReply,
            headers(
                ("x-fhectl-queue-us" = Option<u64>, description = "Microseconds of waiting; only where the server tells (--timing-headers)"),
                ("x-fhectl-compute-us" = Option<u64>, description = "Microseconds of computing; only where the server tells (--timing-headers)"),
            ),
        ),
        Refusals,
    )
)]
pub(in crate::server) async fn endpoint(
    State(state): State<AppState>,
    Extension(Caller { owner, peer }): Extension<Caller>,
    Extension(ClientTimeout(timeout)): Extension<ClientTimeout>,
    Extension(body): Extension<RequestBody>,
    headers: HeaderMap,
) -> Answer {
    let name = headers.get(MODEL_HEADER).map(|value| value.to_str().unwrap_or_default());
    let model = state.models.meant(name)?;
    let namespace = KeyNamespace { model: *model.id(), owner };
    // Its memory stays reserved: what was parsed, at most as long as the JSON, lives on.
    let ReceivedBody { bytes, memory } = body.read(model.json_limit()).await?;
    match read(bytes).await? {
        EndpointRequest::SaveKey { evaluation_keys } => {
            let (piece, _) = bytes_of(evaluation_keys)?;
            let uid = state.keys.save(model, &namespace, piece).await?;
            Ok(Json(SavedKey { uid: uid.as_str().to_owned() }).into_response())
        }
        EndpointRequest::AppendKey { evaluation_keys, uid } => {
            let uid = Uid::parse(&uid).ok_or_else(unknown_uid)?;
            let (piece, _) = bytes_of(evaluation_keys)?;
            state.keys.append(model, &namespace, &uid, piece).await?;
            Ok(Json(()).into_response())
        }
        EndpointRequest::Inference { encrypted_inputs, uid } => {
            let (inputs, form) = bytes_of(encrypted_inputs)?;
            let uid = Uid::parse(&uid).ok_or_else(unknown_uid)?;
            let key = state.keys.resolve(model, &namespace, &uid).await?;
            let inputs = ReceivedBody { bytes: inputs, memory };
            let asked = Inference { model, owner: namespace.owner, peer, timeout, key, inputs };
            let mut answers = state.inference.infer(asked).await.map_err(|error| match error.code {
                // The key that the uid stood for was deleted, or its time is over.
                ErrorCode::KeyUnknown => unknown_uid(),
                _ => error,
            })?;
            let headers = timings(state.timing_headers, &answers);
            answers.memory.merge(state.bodies.memory.try_reserve(form.written_bytes(answers.bytes.len()))?);
            let json = serde_json::to_vec(&form.write(answers.bytes))
                .map_err(|error| Error::new(ErrorCode::Internal, format!("writing a reply: {error}")))?;
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            Ok((kind, headers, Body::from(answers.memory.around(json))).into_response())
        }
    }
}

async fn read(bytes: Bytes) -> Result<EndpointRequest> {
    if bytes.len() <= SMALL {
        return parse(&bytes);
    }
    let parsed = tokio::task::spawn_blocking(move || parse(&bytes)).await;
    parsed.map_err(|_| Error::new(ErrorCode::Internal, "reading a request failed unexpectedly"))?
}
