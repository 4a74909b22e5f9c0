//! What people are told of devices.

use super::contract::Device;
use fhectl_core::error::Result;

/// A device and what it is, for people: `cuda:0 (NVIDIA H100)`.
pub fn described(name: &str, description: &str) -> String {
    format!("{name} ({description})")
}

/// What computes, for people: these devices, or the processor where there is none.
pub fn computing_on(devices: impl IntoIterator<Item = String>) -> String {
    let devices: Vec<String> = devices.into_iter().collect();
    if devices.is_empty() { "cpu".to_owned() } else { devices.join(", ") }
}

/// What opening a device gave; none where a server starts without it, which is told.
///
/// # Errors
/// That of a device that is not optional.
pub fn unless_optional<T>(device: &dyn Device, opened: Result<T>) -> Result<Option<T>> {
    match opened {
        Err(error) if device.is_optional() => {
            tracing::warn!(device = device.name(), code = error.code.as_str(), "a device is not used: {error}");
            Ok(None)
        }
        opened => opened.map(Some),
    }
}
