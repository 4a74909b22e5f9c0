//! A mark in a stream, to wait for.
#![allow(unsafe_code)]

use super::context::Context;
use super::stream::Stream;
use cudarc::driver::sys;
use fhectl_core::error::Result;
use std::ptr::null_mut;
use std::sync::Arc;

/// A mark in a stream.
pub(super) struct Event {
    context: Arc<Context>,
    handle: sys::CUevent,
    pending: bool,
}

// SAFETY: the driver's functions may be called from all threads; the handle is a number to them.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

impl Event {
    /// # Errors
    /// `device_failed`.
    pub fn new(context: &Arc<Context>) -> Result<Self> {
        context.bind()?;
        let mut handle = null_mut();
        let flags = sys::CUevent_flags::CU_EVENT_DISABLE_TIMING as u32;
        // SAFETY: the pointer is to a handle.
        context.check("cuEventCreate", unsafe { sys::cuEventCreate(&mut handle, flags) })?;
        Ok(Self { context: context.clone(), handle, pending: false })
    }

    /// Marks what the stream was given so far.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn record(&mut self, stream: &Stream) -> Result<()> {
        self.context.bind()?;
        self.pending = true;
        // SAFETY: both handles are alive and of one context.
        self.context.check("cuEventRecord", unsafe { sys::cuEventRecord(self.handle, stream.handle) })
    }

    /// Waits until everything before the last mark is done.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn wait(&mut self) -> Result<()> {
        if self.pending {
            // SAFETY: the event is alive.
            self.context.wait("cuEventQuery", || unsafe { sys::cuEventQuery(self.handle) })?;
            self.pending = false;
        }
        Ok(())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if self.context.bind().is_ok() {
            // SAFETY: created once, destroyed once.
            let _ = unsafe { sys::cuEventDestroy_v2(self.handle) };
        }
    }
}
