//! Memory of this machine that the device reads and writes by itself.
#![allow(unsafe_code)]

use super::context::Context;
use super::leftover::Leftover;
use bytemuck::Pod;
use cudarc::driver::sys;
use fhectl_core::error::Result;
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;
use zeroize::{DefaultIsZeroes, Zeroize};

/// Values in page-locked memory, which are overwritten with zeros before the memory is freed.
pub(super) struct Pinned<T: Pod + DefaultIsZeroes> {
    context: Arc<Context>,
    start: NonNull<T>,
    len: usize,
}

// SAFETY: it owns the memory, as a boxed slice does.
unsafe impl<T: Pod + DefaultIsZeroes + Send> Send for Pinned<T> {}
// SAFETY: as above.
unsafe impl<T: Pod + DefaultIsZeroes + Sync> Sync for Pinned<T> {}

impl<T: Pod + DefaultIsZeroes> Pinned<T> {
    /// So many zeros.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn new(context: &Arc<Context>, len: usize) -> Result<Self> {
        context.bind()?;
        let bytes = (len * size_of::<T>()).max(1);
        let mut memory: *mut c_void = null_mut();
        // SAFETY: the pointer is to a pointer.
        context.check("cuMemHostAlloc", unsafe { sys::cuMemHostAlloc(&mut memory, bytes, 0) })?;
        let start = NonNull::new(memory.cast::<T>()).expect("the driver gave memory");
        // SAFETY: so many bytes are there. Zeros are valid values of a `Pod` type.
        unsafe { start.as_ptr().write_bytes(0, len) };
        Ok(Self { context: context.clone(), start, len })
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn values(&self) -> &[T] {
        // SAFETY: the memory is this value's, aligned to pages, and was initialized.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    pub fn values_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and borrowed from here alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T: Pod + DefaultIsZeroes> Drop for Pinned<T> {
    fn drop(&mut self) {
        if self.context.bind().is_err() {
            // A device that hangs might still be writing.
            let (address, bytes) = (self.start.as_ptr() as usize, self.len * size_of::<T>());
            if self.context.is_given_up() {
                return self.context.leave(Leftover::Pinned { address, bytes });
            }
            return self.values_mut().zeroize();
        }
        self.values_mut().zeroize();
        // SAFETY: allocated once, freed once.
        let _ = unsafe { sys::cuMemFreeHost(self.start.as_ptr().cast()) };
    }
}
