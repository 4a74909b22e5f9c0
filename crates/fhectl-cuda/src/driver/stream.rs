//! A stream: work that the device does in order.
#![allow(unsafe_code)]

use super::context::Context;
use cudarc::driver::sys;
use fhectl_core::error::Result;
use std::ptr::null_mut;
use std::sync::Arc;

/// Work that the device does in the order in which it was given. Other streams go on beside it.
pub(crate) struct Stream {
    pub(super) context: Arc<Context>,
    pub(super) handle: sys::CUstream,
}

// SAFETY: the driver's functions may be called from all threads; the handle is a number to them.
unsafe impl Send for Stream {}
// SAFETY: as above.
unsafe impl Sync for Stream {}

impl Stream {
    /// # Errors
    /// `device_failed`.
    pub fn new(context: &Arc<Context>) -> Result<Self> {
        context.bind()?;
        let mut handle = null_mut();
        let flags = sys::CUstream_flags::CU_STREAM_NON_BLOCKING as u32;
        // SAFETY: the pointer is to a handle.
        context.check("cuStreamCreate", unsafe { sys::cuStreamCreate(&mut handle, flags) })?;
        Ok(Self { context: context.clone(), handle })
    }

    /// Waits until everything that the stream was given is done.
    ///
    /// # Errors
    /// `device_failed`: what failed may be any of it.
    pub fn synchronize(&self) -> Result<()> {
        // SAFETY: the stream is alive.
        self.context.wait("cuStreamQuery", || unsafe { sys::cuStreamQuery(self.handle) })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.context.bind().is_ok() {
            // SAFETY: created once, destroyed once. Work that is left is done all the same.
            let _ = unsafe { sys::cuStreamDestroy_v2(self.handle) };
        }
    }
}
