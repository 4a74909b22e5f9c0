//! A device: opening it, and what it is.

use crate::driver::{Context, DeviceBuffer, Upload, device_count};
use crate::kernels::Kernels;
use crate::lane::{Lanes, Taken};
use crate::limits::Limits;
use crate::variant::Variant;
use bytemuck::Pod;
use fhectl_core::error::Result;
use std::sync::Arc;
use zeroize::DefaultIsZeroes;

/// Bytes of the device's memory that an evaluation works in at most, beside keys and layers; more where one row takes
/// more. Of this machine's page-locked memory it takes no more than that, too.
pub const SCRATCH_BYTES: usize = 256 << 20;

/// A CUDA device with this crate's kernels. It is a [`Backend`](fhectl_core::fhe::backend::Backend), and may be used by
/// several threads at once: each call has a stream and memory of its own.
///
/// ```
/// use fhectl_core::error::ErrorCode;
/// use fhectl_cuda::Device;
/// match Device::open(0) {
///     Ok(device) => println!("{} has {} bytes free", device.description(), device.free_memory()?),
///     Err(error) => assert_eq!(error.code, ErrorCode::DeviceUnavailable),
/// }
/// # Ok::<(), fhectl_core::error::Error>(())
/// ```
pub struct Device {
    // Dropped in this order: the context last.
    lanes: Lanes,
    pub(crate) kernels: Kernels,
    pub(crate) limits: Limits,
    pub(crate) forced: Option<Variant>,
    pub(crate) scratch_bytes: usize,
    name: String,
    description: String,
    pub(crate) context: Arc<Context>,
}

impl Device {
    /// The number of devices that this process may use; those that are too old are counted, too.
    ///
    /// # Errors
    /// `device_unavailable` where there is no driver, or none that works.
    pub fn count() -> Result<usize> {
        device_count()
    }

    /// Opens device number `ordinal`, and compiles the kernels for it (a second or so; the driver remembers them).
    ///
    /// # Errors
    /// `device_unavailable`, with a hint: there is no driver or an old one, no such device, or one of compute capability
    /// below 8.0.
    pub fn open(ordinal: usize) -> Result<Self> {
        let context = Context::open(ordinal)?;
        let limits = Limits::of(&context)?;
        let kernels = Kernels::load(&context, &limits)?;
        let name = context.name()?;
        Ok(Self {
            lanes: Lanes::default(),
            kernels,
            limits,
            forced: None,
            scratch_bytes: SCRATCH_BYTES,
            description: format!("{name} (cuda:{ordinal})"),
            name,
            context,
        })
    }

    /// What the device is called: `NVIDIA H100 80GB HBM3`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the device is, and which: `NVIDIA H100 80GB HBM3 (cuda:0)`.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Bytes of the device's memory that are free now, whoever uses the rest.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn free_memory(&self) -> Result<usize> {
        Ok(self.context.memory()?.0)
    }

    /// Bytes of the device's memory that keys may take: what is free now, less what two evaluations at once work in and what
    /// models take.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn key_memory(&self) -> Result<usize> {
        const WORK_BYTES: usize = 2 * SCRATCH_BYTES + (512 << 20);
        Ok(self.free_memory()?.saturating_sub(WORK_BYTES))
    }

    /// Bytes of the device's memory.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn total_memory(&self) -> Result<usize> {
        Ok(self.context.memory()?.1)
    }

    /// Multiprocessors: up to so many bootstraps take as long as one.
    pub fn multiprocessors(&self) -> usize {
        self.limits.multiprocessors
    }

    /// Whether an error left the device unusable. It stays so, and every call fails: CUDA asks for a new process then.
    pub fn is_lost(&self) -> bool {
        self.context.is_lost()
    }

    /// Takes the device for lost, as after an error that stays: for a watchdog that finds it hanging. Calls that wait for it
    /// return `device_failed`, later ones begin nothing, and what is dropped leaves its memory to the driver.
    pub fn give_up(&self, reason: &str) {
        self.context.give_up(reason);
    }

    /// Frees the memory that evaluations worked in and that none uses now. The next ones allocate it again.
    pub fn release_scratch(&self) {
        self.lanes.release();
    }

    /// The same device, whose evaluations work in so many bytes of its memory instead of [`SCRATCH_BYTES`].
    #[must_use]
    pub fn with_scratch(self, bytes: usize) -> Self {
        Self { scratch_bytes: bytes, ..self }
    }

    /// The same device, which bootstraps with one kernel only, however many ciphertexts there are. For checks: it has no
    /// kernel of every variant for every shape, and `device_failed` says so.
    #[must_use]
    pub fn with_variant(self, variant: Option<Variant>) -> Self {
        Self { forced: variant, ..self }
    }

    pub(crate) fn lane(&self) -> Result<Taken<'_>> {
        self.lanes.take(&self.context)
    }

    /// Values that stay on the device.
    pub(crate) fn resident<T: Pod + DefaultIsZeroes + Send>(&self, values: &[T]) -> Result<DeviceBuffer<T>> {
        let lane = self.lane()?;
        let mut upload = Upload::new(&self.context)?;
        upload.copy(values, &lane.stream)?;
        upload.into_device()
    }
}
