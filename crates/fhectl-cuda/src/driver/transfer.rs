//! Copies between this machine and the device, through pinned memory.
#![allow(unsafe_code)]

use super::context::Context;
use super::event::Event;
use super::memory::{DeviceBuffer, Growable};
use super::pinned::Pinned;
use super::stream::Stream;
use bytemuck::Pod;
use cudarc::driver::sys;
use fhectl_core::error::Result;
use rayon::prelude::*;
use std::sync::Arc;
use zeroize::{DefaultIsZeroes, Zeroize};

/// Values that one thread wipes at once.
const WIPED_AT_ONCE: usize = 1 << 16;

/// Pinned memory and the mark after its last copy. It is neither touched nor freed before the copy is done.
struct Staging<T: Pod + DefaultIsZeroes + Send> {
    memory: Option<Pinned<T>>,
    used: usize,
    copied: Event,
}

impl<T: Pod + DefaultIsZeroes + Send> Staging<T> {
    fn new(context: &Arc<Context>) -> Result<Self> {
        Ok(Self { memory: None, used: 0, copied: Event::new(context)? })
    }

    /// Waits for the last copy, and gives room for `len` values.
    fn reserve(&mut self, len: usize, context: &Arc<Context>) -> Result<&mut Pinned<T>> {
        self.copied.wait()?;
        if self.memory.as_ref().is_none_or(|memory| memory.len() < len) {
            self.memory = None;
            self.memory = Some(Pinned::new(context, len)?);
        }
        self.used = self.used.max(len);
        Ok(self.memory.as_mut().expect("reserved just now"))
    }

    fn wipe(&mut self) -> Result<()> {
        self.copied.wait()?;
        if let Some(memory) = &mut self.memory {
            let used = &mut memory.values_mut()[..self.used];
            used.par_chunks_mut(WIPED_AT_ONCE).for_each(Zeroize::zeroize);
        }
        self.used = 0;
        Ok(())
    }
}

impl<T: Pod + DefaultIsZeroes + Send> Drop for Staging<T> {
    fn drop(&mut self) {
        // Where waiting fails the device is lost, and the memory is left to it.
        let _ = self.copied.wait();
    }
}

/// Values that go to the device again and again.
pub(crate) struct Upload<T: Pod + DefaultIsZeroes + Send> {
    context: Arc<Context>,
    staging: Staging<T>,
    device: Growable<T>,
}

impl<T: Pod + DefaultIsZeroes + Send> Upload<T> {
    /// # Errors
    /// `device_failed`.
    pub fn new(context: &Arc<Context>) -> Result<Self> {
        Ok(Self { context: context.clone(), staging: Staging::new(context)?, device: Growable::default() })
    }

    /// Has `fill` write `len` values, once those of the last time are on the device.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn write(&mut self, len: usize, fill: impl FnOnce(&mut [T])) -> Result<()> {
        fill(&mut self.staging.reserve(len, &self.context)?.values_mut()[..len]);
        Ok(())
    }

    /// Has the stream copy the first `len` values that were written. Returns their address on the device.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn send(&mut self, len: usize, stream: &Stream) -> Result<u64> {
        let pointer = self.device.reserve(len, stream)?;
        let memory = self.staging.memory.as_ref().map(Pinned::values).unwrap_or_default();
        let values = &memory[..len];
        if len > 0 {
            self.context.bind()?;
            // SAFETY: so many bytes are in both places. The pinned ones stay as they are until the event has passed, which
            // `Staging` waits for before it lets anyone write or free them.
            let code = unsafe {
                sys::cuMemcpyHtoDAsync_v2(pointer, values.as_ptr().cast(), size_of_val(values), stream.handle)
            };
            self.context.check("cuMemcpyHtoDAsync", code)?;
        }
        self.staging.copied.record(stream)?;
        Ok(pointer)
    }

    /// [`Upload::write`] and [`Upload::send`].
    ///
    /// # Errors
    /// `device_failed`.
    pub fn copy(&mut self, values: &[T], stream: &Stream) -> Result<u64> {
        self.write(values.len(), |out| out.copy_from_slice(values))?;
        self.send(values.len(), stream)
    }

    /// Overwrites what was copied with zeros, here and there.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn wipe(&mut self, stream: &Stream) -> Result<()> {
        self.device.wipe(stream)?;
        self.staging.wipe()
    }

    /// The memory on the device, where there is any.
    #[cfg(test)]
    pub fn device(&self) -> Option<&DeviceBuffer<T>> {
        self.device.buffer()
    }

    /// The values on the device.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn into_device(mut self) -> Result<DeviceBuffer<T>> {
        self.staging.copied.wait()?;
        match std::mem::take(&mut self.device).into_buffer() {
            Some(buffer) => Ok(buffer),
            None => DeviceBuffer::new(&self.context, 0),
        }
    }
}

/// Values that come from the device again and again.
pub(crate) struct Download<T: Pod + DefaultIsZeroes + Send> {
    context: Arc<Context>,
    staging: Staging<T>,
}

impl<T: Pod + DefaultIsZeroes + Send> Download<T> {
    /// # Errors
    /// `device_failed`.
    pub fn new(context: &Arc<Context>) -> Result<Self> {
        Ok(Self { context: context.clone(), staging: Staging::new(context)? })
    }

    /// Has the stream copy the first `len` values of a buffer.
    ///
    /// # Errors
    /// `device_failed`.
    ///
    /// # Panics
    /// Where the buffer has fewer.
    pub fn receive(&mut self, from: &DeviceBuffer<T>, len: usize, stream: &Stream) -> Result<()> {
        assert!(len <= from.len());
        let values = &mut self.staging.reserve(len, &self.context)?.values_mut()[..len];
        if len > 0 {
            self.context.bind()?;
            // SAFETY: so many bytes are in both places. The pinned ones are not touched until the event has passed.
            let code = unsafe {
                sys::cuMemcpyDtoHAsync_v2(
                    values.as_mut_ptr().cast(),
                    from.pointer(),
                    size_of_val(values),
                    stream.handle,
                )
            };
            self.context.check("cuMemcpyDtoHAsync", code)?;
        }
        self.staging.copied.record(stream)
    }

    /// Waits for the copy, and gives its values.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn wait(&mut self, len: usize) -> Result<&[T]> {
        self.staging.copied.wait()?;
        Ok(&self.staging.memory.as_ref().map(Pinned::values).unwrap_or_default()[..len])
    }

    /// Overwrites what was copied with zeros.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn wipe(&mut self) -> Result<()> {
        self.staging.wipe()
    }
}
