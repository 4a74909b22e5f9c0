//! The driver's library, which is looked for when a device is asked for.
#![allow(unsafe_code)]

use super::failure::{opened, unavailable};
use cudarc::driver::sys::{self, CUresult};
use fhectl_core::error::Result;

/// What is called in the library. cudarc panics where a function is missing, so all are looked for first.
const FUNCTIONS: [&str; 29] = [
    "cuCtxSetCurrent",
    "cuCtxSynchronize",
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuDeviceGetCount",
    "cuDeviceGetName",
    "cuDevicePrimaryCtxRelease_v2",
    "cuDevicePrimaryCtxRetain",
    "cuEventCreate",
    "cuEventDestroy_v2",
    "cuEventQuery",
    "cuEventRecord",
    "cuFuncSetAttribute",
    "cuInit",
    "cuLaunchKernel",
    "cuMemAlloc_v2",
    "cuMemFreeHost",
    "cuMemFree_v2",
    "cuMemGetInfo_v2",
    "cuMemHostAlloc",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemsetD8Async",
    "cuModuleGetFunction",
    "cuModuleLoadData",
    "cuModuleUnload",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuStreamQuery",
];

/// Loads the library and starts the driver; again costs little. Whether there are devices.
///
/// # Errors
/// `device_unavailable` where there is no driver, one that is too old, or one that cannot be started.
pub(super) fn start() -> Result<bool> {
    // SAFETY: loading a library runs its initializers; this is the driver, under the names that it has everywhere.
    if !unsafe { sys::is_culib_present() } {
        return Err(unavailable(
            "there is no CUDA driver: no libcuda.so.1 was found",
            "install the NVIDIA driver; in a container, start it with the NVIDIA container toolkit (`--gpus all`)",
        ));
    }
    // SAFETY: as above. It was found just now, so that this does not panic.
    let library = unsafe { sys::culib() };
    for function in FUNCTIONS {
        // SAFETY: the symbol is not used, only looked for.
        if unsafe { library.get::<*const ()>(function.as_bytes()) }.is_err() {
            return Err(unavailable(
                format!("the CUDA driver is too old: it has no {function}"),
                "install a newer NVIDIA driver",
            ));
        }
    }
    // SAFETY: takes no pointers, and may be called any number of times.
    match unsafe { sys::cuInit(0) } {
        CUresult::CUDA_ERROR_NO_DEVICE => Ok(false),
        code => opened("cuInit", code).map(|()| true),
    }
}
