//! Memory of the device.
#![allow(unsafe_code)]

use super::context::Context;
use super::leftover::Leftover;
use super::stream::Stream;
use bytemuck::Pod;
use cudarc::driver::sys;
use fhectl_core::error::Result;
use std::marker::PhantomData;
use std::ptr::null_mut;
use std::sync::Arc;

/// Values in the device's memory, which are overwritten with zeros before the memory is freed.
pub(crate) struct DeviceBuffer<T> {
    context: Arc<Context>,
    pointer: sys::CUdeviceptr,
    len: usize,
    values: PhantomData<T>,
}

impl<T: Pod> DeviceBuffer<T> {
    /// Memory for so many values, which are anything until they are written.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn new(context: &Arc<Context>, len: usize) -> Result<Self> {
        context.bind()?;
        let mut pointer = 0;
        // SAFETY: the pointer is to a number of the type that is written. No memory at all is an error to the driver.
        let code = unsafe { sys::cuMemAlloc_v2(&mut pointer, (len * size_of::<T>()).max(1)) };
        context.check("cuMemAlloc", code)?;
        Ok(Self { context: context.clone(), pointer, len, values: PhantomData })
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The address on the device.
    pub fn pointer(&self) -> u64 {
        self.pointer
    }

    /// Has the stream overwrite the first `len` values with zeros.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn wipe(&mut self, len: usize, stream: &Stream) -> Result<()> {
        self.context.bind()?;
        self.fill_with_zeros(len, stream.handle)
    }

    fn fill_with_zeros(&mut self, len: usize, stream: sys::CUstream) -> Result<()> {
        let bytes = len.min(self.len) * size_of::<T>();
        if bytes == 0 {
            return Ok(());
        }
        // SAFETY: so many bytes are this buffer's.
        self.context.check("cuMemsetD8Async", unsafe { sys::cuMemsetD8Async(self.pointer, 0, bytes, stream) })
    }
}

impl<T> Drop for DeviceBuffer<T> {
    fn drop(&mut self) {
        let bytes = self.len * size_of::<T>();
        let left = || self.context.leave(Leftover::Device { pointer: self.pointer, bytes });
        // Of a lost device nothing can be wiped now; its driver clears memory before it gives it to another process.
        if self.context.bind().is_err() {
            return left();
        }
        if bytes > 0 {
            // SAFETY: so many bytes are this buffer's. Whoever drops it has waited for what used it.
            let code = unsafe { sys::cuMemsetD8Async(self.pointer, 0, bytes, null_mut()) };
            if self.context.check("cuMemsetD8Async", code).is_ok() {
                // SAFETY: the null stream is always there.
                let _ = self.context.wait("cuStreamQuery", || unsafe { sys::cuStreamQuery(null_mut()) });
            }
            // Lost just now, or given up while it hung: freeing would wait for it.
            if self.context.is_lost() {
                return left();
            }
        }
        // SAFETY: allocated once, freed once. An error here is told by the next call.
        let _ = self.context.check("cuMemFree", unsafe { sys::cuMemFree_v2(self.pointer) });
    }
}

/// Device memory that grows as it is needed. Values do not survive growth.
pub(crate) struct Growable<T> {
    buffer: Option<DeviceBuffer<T>>,
    /// Values of the buffer that may have been written since the last wipe.
    used: usize,
}

impl<T> Default for Growable<T> {
    fn default() -> Self {
        Self { buffer: None, used: 0 }
    }
}

impl<T: Pod> Growable<T> {
    /// The address of memory for `len` values, which the stream's kernels may use from now on.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn reserve(&mut self, len: usize, stream: &Stream) -> Result<u64> {
        if self.buffer.as_ref().is_none_or(|buffer| buffer.len() < len) {
            // What the stream does may be using the old memory.
            stream.synchronize()?;
            self.release();
            self.buffer = Some(DeviceBuffer::new(&stream.context, len)?);
        }
        self.used = self.used.max(len);
        Ok(self.pointer())
    }

    /// The address, null where there is no memory.
    pub fn pointer(&self) -> u64 {
        self.buffer.as_ref().map_or(0, DeviceBuffer::pointer)
    }

    /// The memory, where there is any.
    pub fn buffer(&self) -> Option<&DeviceBuffer<T>> {
        self.buffer.as_ref()
    }

    /// Has the stream overwrite what was used with zeros.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn wipe(&mut self, stream: &Stream) -> Result<()> {
        if let Some(buffer) = &mut self.buffer {
            buffer.wipe(self.used, stream)?;
        }
        self.used = 0;
        Ok(())
    }

    /// Frees the memory. The stream that used it must have been waited for.
    pub fn release(&mut self) {
        self.buffer = None;
        self.used = 0;
    }

    /// Hands the memory out.
    pub fn into_buffer(mut self) -> Option<DeviceBuffer<T>> {
        self.buffer.take()
    }
}
