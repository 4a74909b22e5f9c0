//! What a server asks of a device.

use fhectl_core::circuit::{EvaluationKey, Evaluator};
use fhectl_core::error::{Error, Result};
use std::any::Any;
use std::sync::Arc;

/// A device of this machine, open or not.
pub trait Device: Send + Sync {
    /// How operators name it, such as `cuda:0`.
    fn name(&self) -> &str;

    /// Opens it and loads models. It may be opened again after it failed, beside what is left of the time before.
    ///
    /// # Errors
    /// `device_unavailable`, `device_failed`.
    fn open(&self, models: &[Arc<Evaluator>]) -> Result<Box<dyn OpenDevice>>;

    /// Whether a server starts without it where it cannot be opened.
    fn is_optional(&self) -> bool {
        false
    }

    /// Whether a call failed because the device's memory was full: fewer keys may help, and the device is well.
    fn is_out_of_memory(&self, error: &Error) -> bool;
}

/// A device that is open, with models in the order in which they were given. Dropped from any thread.
pub trait OpenDevice: Send + Sync {
    /// What it is, for people.
    fn description(&self) -> &str;

    /// Bytes of its memory that keys may take, all together.
    fn key_memory(&self) -> usize;

    /// A model that it computes; none of one that it does not.
    fn model(&self, model: usize) -> Option<ModelOnDevice>;

    /// Loads a key of a model from the body of its framed form.
    ///
    /// # Errors
    /// `device_failed`, `ciphertext_invalid`.
    fn load_key(&self, model: usize, wire: &[u8]) -> Result<LoadedKey>;

    /// Answers rows, a result a group.
    ///
    /// # Errors
    /// `device_failed`: nothing was computed.
    fn evaluate(&self, model: usize, groups: &[KeyedRows<'_>]) -> Result<Vec<Result<Vec<Vec<u8>>>>>;

    /// Frees memory that no call uses now.
    fn release_unused(&self);

    /// It will not be used again: calls that wait for what does not come are to end. Returns at once.
    fn give_up(&self, reason: &str);
}

/// What a model takes of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelOnDevice {
    /// Of one row.
    pub bootstraps: usize,
    /// Bytes of the device's memory that one key takes.
    pub key_bytes: usize,
}

/// A key in a device's memory. Its drop may wait for the device.
pub type LoadedKey = Box<dyn Any + Send + Sync>;

/// Rows under one key.
pub struct KeyedRows<'a> {
    pub key: &'a EvaluationKey,
    /// The same key, as this opening of the device loaded it.
    pub loaded: &'a LoadedKey,
    pub rows: Vec<&'a [u8]>,
}
