//! Parameters of paths and headers, with all that is checked of them.

#![expect(dead_code, reason = "some are read elsewhere and stand here for the OpenAPI document")]

use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::server) struct ModelPath {
    /// The model
    pub name: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::server) struct KeyPath {
    /// The model
    pub name: String,
    /// SHA-256 of the framed evaluation key
    #[param(pattern = "^[0-9a-f]{64}$", min_length = 64, max_length = 64)]
    pub key_id: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::server) struct PartPath {
    /// The model
    pub name: String,
    /// SHA-256 of the framed evaluation key
    #[param(pattern = "^[0-9a-f]{64}$", min_length = 64, max_length = 64)]
    pub key_id: String,
    /// The part, counted from 0
    #[param(value_type = u32, maximum = 4095)]
    pub index: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(in crate::server) struct KeyIdHeader {
    /// SHA-256 of the evaluation key. A model that needs no key does not look at it
    #[param(rename = "key-id", pattern = "^[0-9a-f]{64}$", min_length = 64, max_length = 64)]
    key_id: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(in crate::server) struct DeadlineHeader {
    /// Milliseconds that the client waits at most
    #[param(rename = "x-fhectl-deadline-ms", nullable = false, minimum = 1, maximum = 4294967295_u32)]
    deadline: Option<u32>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(in crate::server) struct ModelHeader {
    /// The model, where several are served
    #[param(rename = "x-model", nullable = false)]
    model: Option<String>,
}
