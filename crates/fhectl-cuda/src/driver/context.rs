//! A device, and what it is known to be.
#![allow(unsafe_code)]

use super::failure::{cannot_open, failed, is_sticky, opened, unavailable};
use super::leftover::{self, Leftover};
use super::library;
use cudarc::driver::sys::{self, CUdevice_attribute, CUresult};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::ffi::{CStr, c_char};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// A device's primary context, which this process shares. Everything on the device holds one of its [`Arc`]s.
pub(crate) struct Context {
    device: sys::CUdevice,
    handle: sys::CUcontext,
    /// The first error after which the device takes no more work.
    lost: OnceLock<Error>,
    /// Whether it may be hanging: then the driver's cleaning up would, too.
    given_up: AtomicBool,
    /// Memory that was dropped since then.
    leftovers: Mutex<Vec<Leftover>>,
}

// SAFETY: the driver's functions may be called from all threads; the handle is a number to them.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

/// Devices that the driver shows this process.
///
/// # Errors
/// `device_unavailable` where there is no driver.
pub(crate) fn device_count() -> Result<usize> {
    if !library::start()? {
        return Ok(0);
    }
    let mut count = 0;
    // SAFETY: the pointer is to a number of the type that is written.
    opened("cuDeviceGetCount", unsafe { sys::cuDeviceGetCount(&mut count) })?;
    Ok(usize::try_from(count).unwrap_or(0))
}

impl Context {
    /// Opens device number `ordinal`.
    ///
    /// # Errors
    /// `device_unavailable`.
    pub fn open(ordinal: usize) -> Result<Arc<Self>> {
        let count = device_count()?;
        if ordinal >= count {
            let message = format!("there is no device cuda:{ordinal}; there are {count}, counted from 0");
            return Err(unavailable(message, "`nvidia-smi -L` lists them; CUDA_VISIBLE_DEVICES may hide some"));
        }
        let ordinal =
            i32::try_from(ordinal).map_err(|_| cannot_open("cuDeviceGet", CUresult::CUDA_ERROR_INVALID_DEVICE))?;
        let (mut device, mut handle) = (0, null_mut());
        // SAFETY: the driver was started, the pointer is to a number of the type that is written.
        opened("cuDeviceGet", unsafe { sys::cuDeviceGet(&mut device, ordinal) })?;
        // SAFETY: the device is the driver's, the pointer is to a handle.
        opened("cuDevicePrimaryCtxRetain", unsafe { sys::cuDevicePrimaryCtxRetain(&mut handle, device) })?;
        Ok(Arc::new(Self {
            device,
            handle,
            lost: OnceLock::new(),
            given_up: AtomicBool::new(false),
            leftovers: Mutex::default(),
        }))
    }

    /// Makes the context that of this thread's next calls. Other users of the thread may have changed it since the last.
    ///
    /// # Errors
    /// `device_failed`, also where an earlier error left the device unusable.
    pub fn bind(&self) -> Result<()> {
        if let Some(error) = self.lost.get() {
            return Err(error.clone().context("the device failed before"));
        }
        // SAFETY: the context is retained as long as this value lives.
        self.check("cuCtxSetCurrent", unsafe { sys::cuCtxSetCurrent(self.handle) })
    }

    /// The outcome of a call. After an error that stays, the device is lost.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn check(&self, call: &str, code: CUresult) -> Result<()> {
        if code == CUresult::CUDA_SUCCESS {
            return Ok(());
        }
        let error = failed(call, code);
        if is_sticky(code) {
            // The first error tells most.
            let _ = self.lost.set(error.clone());
        }
        Err(error)
    }

    /// Waits until `query` is no longer answered with "not ready".
    ///
    /// The driver's own waiting would keep a core busy and not end where the device hangs: so it asks, at first without a
    /// pause, and gives up when the device was given up.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn wait(&self, call: &str, query: impl Fn() -> CUresult) -> Result<()> {
        /// A pause may last twice as long: it must be short beside what is waited for.
        const WITHOUT_PAUSE: Duration = Duration::from_millis(4);
        const PAUSE: Duration = Duration::from_micros(50);
        let started = Instant::now();
        loop {
            self.bind()?;
            match query() {
                CUresult::CUDA_ERROR_NOT_READY if started.elapsed() < WITHOUT_PAUSE => std::thread::yield_now(),
                CUresult::CUDA_ERROR_NOT_READY => std::thread::sleep(PAUSE),
                code => return self.check(call, code),
            }
        }
    }

    /// Takes the device for lost, for a reason that the driver does not know of.
    pub fn give_up(&self, reason: &str) {
        let error = Error::new(ErrorCode::DeviceFailed, reason).hint("see the driver's log (dmesg, nvidia-smi -q)");
        let _ = self.lost.set(error);
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Whether it was given up.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Memory that could not be freed. Of a device that was given up it is freed once the device is done; after an error that
    /// stays, the context takes it along.
    pub(super) fn leave(&self, leftover: Leftover) {
        if self.given_up.load(Ordering::Relaxed) {
            self.leftovers.lock().unwrap_or_else(PoisonError::into_inner).push(leftover);
        }
    }

    /// Whether an error left the device unusable to this process.
    pub fn is_lost(&self) -> bool {
        self.lost.get().is_some()
    }

    /// What the device is called.
    ///
    /// # Errors
    /// `device_unavailable`.
    pub fn name(&self) -> Result<String> {
        let mut name: [c_char; 128] = [0; 128];
        // SAFETY: the driver writes at most so many bytes.
        opened("cuDeviceGetName", unsafe { sys::cuDeviceGetName(name.as_mut_ptr(), 127, self.device) })?;
        // SAFETY: the last byte is zero, whatever was written before it.
        Ok(unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned())
    }

    /// A number that the device has.
    ///
    /// # Errors
    /// `device_unavailable`.
    pub fn attribute(&self, attribute: CUdevice_attribute) -> Result<usize> {
        let mut value = 0;
        // SAFETY: the pointer is to a number of the type that is written.
        opened("cuDeviceGetAttribute", unsafe { sys::cuDeviceGetAttribute(&mut value, attribute, self.device) })?;
        Ok(usize::try_from(value).unwrap_or(0))
    }

    /// Bytes of the device's memory that are free, and all.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn memory(&self) -> Result<(usize, usize)> {
        let (mut free, mut total) = (0, 0);
        self.bind()?;
        // SAFETY: the pointers are to numbers of the type that is written.
        self.check("cuMemGetInfo", unsafe { sys::cuMemGetInfo_v2(&mut free, &mut total) })?;
        Ok((free, total))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if *self.given_up.get_mut() {
            let leftovers = std::mem::take(self.leftovers.get_mut().unwrap_or_else(PoisonError::into_inner));
            return leftover::free(self.device, self.handle, leftovers);
        }
        // SAFETY: retained once, released once. Nothing of the context is left: all of it holds the context. An error has
        // nobody to go to, and what it is about ends with the process.
        let _ = unsafe { sys::cuDevicePrimaryCtxRelease_v2(self.device) };
    }
}
