//! The JSON messages of `/v1`, and the names both sides know.

use crate::bundle::ModelId;
use crate::circuit::CircuitSpec;
use serde::{Deserialize, Serialize};

/// The largest part of an evaluation key that a server takes in one request.
pub const MAX_PART_BYTES: usize = 8 << 20;

/// Names the evaluation key of an inference: its SHA-256 in hexadecimal.
pub const KEY_ID_HEADER: &str = "key-id";
/// Microseconds that a request waited for the compute pool. Only where the server's operator wants clients to know.
pub const QUEUE_HEADER: &str = "x-fhectl-queue-us";
/// Microseconds of computing. Only where the server's operator wants clients to know: it tells how large a model is.
pub const COMPUTE_HEADER: &str = "x-fhectl-compute-us";
/// Milliseconds that a client waits for its answer at most; what cannot be done by then is refused or given up.
pub const DEADLINE_HEADER: &str = "x-fhectl-deadline-ms";
/// Names the model of an endpoint-form request where a server has several.
pub const MODEL_HEADER: &str = "x-model";

/// What a server says of a model: `GET /v1/models/{name}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelInfo {
    pub name: String,
    /// SHA-256 over the bundle.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: ModelId,
    pub kind: String,
    pub classes: Vec<String>,
    pub features: usize,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub circuit: CircuitSpec,
    pub security_bits: u32,
    pub p_fail_log2: Option<f64>,
    pub sizes: Sizes,
    /// What computes it at the moment: `cpu`, or names of devices with what they are, such as `cuda:0 (NVIDIA H100)`. Servers
    /// of older releases do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed_on: Option<String>,
}

/// Exact sizes in bytes, headers included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sizes {
    /// The framed evaluation key; 0 where none is needed.
    pub key: usize,
    /// One encrypted input and one encrypted answer, each a batch of one without a tag.
    pub request: usize,
    pub response: usize,
    /// What a tag adds to a batch of inputs and to its answers, which tells a client that its own key was used; 0 where
    /// none is needed.
    pub tag_request: usize,
    pub tag_response: usize,
}

/// `GET /v1/models`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelList {
    pub models: Vec<ModelInfo>,
}

/// How far an evaluation key has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// Nothing is here.
    Absent,
    /// Some parts are.
    Partial,
    /// It was verified and can be used.
    Complete,
}

/// `GET /v1/models/{name}/keys/{key_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyStatus {
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{64}$", min_length = 64, max_length = 64))]
    pub key_id: String,
    pub state: UploadState,
    /// The parts present, by index; empty once complete.
    pub parts: Vec<PartStatus>,
}

/// One part that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartStatus {
    pub index: u32,
    pub bytes: u64,
}

/// The body of every error reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorReply {
    pub error: ErrorBody,
}

/// A stable code, what happened and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    pub code: String,
    pub message: String,
    pub hint: Option<String>,
}

/// Whether `text` is a key id: 64 lower-case hexadecimal digits.
pub fn is_key_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
