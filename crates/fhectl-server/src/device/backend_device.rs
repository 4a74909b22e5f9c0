//! A device that computes with a backend.

use super::contract::{Device, KeyedRows, LoadedKey, ModelOnDevice, OpenDevice};
use fhectl_core::circuit::{Evaluator, GroupEvaluator, RowGroup};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::Random;
use fhectl_core::fhe::backend::Backend;
use fhectl_core::fhe::random::OsEntropy;
use std::sync::Arc;

/// A backend that was opened.
pub struct Opened<B> {
    pub backend: B,
    /// What it runs on, for people: `NVIDIA H100 PCIe, 80 GB`.
    pub description: String,
    /// Bytes of its memory that keys may take, all together.
    pub key_memory: usize,
}

/// A device that computes with a backend.
///
/// ```
/// use fhectl_core::fhe::cpu::Cpu;
/// use fhectl_server::device::{BackendDevice, Device, Opened};
///
/// let open = || Ok(Opened { backend: Cpu, description: "a processor".into(), key_memory: 1 << 30 });
/// let device = BackendDevice::new("cpu:0", open);
/// assert_eq!((device.name(), device.open(&[])?.description()), ("cpu:0", "a processor"));
/// # Ok::<(), fhectl_core::error::Error>(())
/// ```
pub struct BackendDevice<B: Backend> {
    name: String,
    open: Box<dyn Fn() -> Result<Opened<B>> + Send + Sync>,
    out_of_memory: fn(&Error) -> bool,
    optional: bool,
}

impl<B: Backend> BackendDevice<B> {
    /// `open` is called at the start, and again after the device failed.
    pub fn new(name: impl Into<String>, open: impl Fn() -> Result<Opened<B>> + Send + Sync + 'static) -> Self {
        Self { name: name.into(), open: Box::new(open), out_of_memory: |_| false, optional: false }
    }

    /// Says which of the backend's errors mean that its memory is full. Without it none does.
    #[must_use]
    pub fn out_of_memory(self, is: fn(&Error) -> bool) -> Self {
        Self { out_of_memory: is, ..self }
    }

    /// Says that a server starts without it where it cannot be opened.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

impl<B: Backend> Device for BackendDevice<B> {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self, models: &[Arc<Evaluator>]) -> Result<Box<dyn OpenDevice>> {
        let Opened { backend, description, key_memory } = (self.open)()?;
        let models = models.iter().map(|model| GroupEvaluator::new(model, &backend));
        let models = models.collect::<Result<_>>()?;
        Ok(Box::new(OpenBackend { models, backend, description, key_memory }))
    }

    fn is_optional(&self) -> bool {
        self.optional
    }

    fn is_out_of_memory(&self, error: &Error) -> bool {
        (self.out_of_memory)(error)
    }
}

struct OpenBackend<B: Backend> {
    models: Vec<Option<GroupEvaluator<B>>>,
    backend: B,
    description: String,
    key_memory: usize,
}

impl<B: Backend> OpenBackend<B> {
    fn evaluator(&self, model: usize) -> Result<&GroupEvaluator<B>> {
        let evaluator = self.models.get(model).and_then(Option::as_ref);
        evaluator.ok_or_else(|| Error::new(ErrorCode::Internal, "the device does not compute this model"))
    }
}

impl<B: Backend> OpenDevice for OpenBackend<B> {
    fn description(&self) -> &str {
        &self.description
    }

    fn key_memory(&self) -> usize {
        self.key_memory
    }

    fn model(&self, model: usize) -> Option<ModelOnDevice> {
        let evaluator = self.models.get(model)?.as_ref()?;
        Some(ModelOnDevice { bootstraps: evaluator.bootstraps(), key_bytes: evaluator.key_bytes(&self.backend) })
    }

    fn load_key(&self, model: usize, wire: &[u8]) -> Result<LoadedKey> {
        let key = self.evaluator(model)?.load_key(&self.backend, wire, &mut Random::fresh(&mut OsEntropy))?;
        Ok(Box::new(key))
    }

    fn evaluate(&self, model: usize, groups: &[KeyedRows<'_>]) -> Result<Vec<Result<Vec<Vec<u8>>>>> {
        let groups = groups.iter().map(|group| {
            let loaded = group.loaded.downcast_ref();
            let loaded = loaded.ok_or_else(|| Error::new(ErrorCode::Internal, "a key of another device"))?;
            Ok(RowGroup { key: group.key, loaded, requests: &group.rows })
        });
        let groups = groups.collect::<Result<Vec<_>>>()?;
        self.evaluator(model)?.evaluate(&self.backend, &groups, &mut Random::fresh(&mut OsEntropy))
    }

    fn release_unused(&self) {
        self.backend.release_unused();
    }

    fn give_up(&self, reason: &str) {
        self.backend.give_up(reason);
    }
}
