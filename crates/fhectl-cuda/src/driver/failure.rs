//! What the driver's error codes mean for callers.

use cudarc::driver::sys::CUresult;
use fhectl_core::error::{Error, ErrorCode, Result};

/// How the driver calls too little memory. Messages have it, and [`is_out_of_memory`] looks for it.
const OUT_OF_MEMORY: &str = "CUDA_ERROR_OUT_OF_MEMORY";

/// Whether a device had too little memory, its own or pinned memory of this machine. Less may fit: drop keys, call
/// [`Device::release_scratch`](crate::Device::release_scratch), and try again.
///
/// ```
/// use fhectl_core::error::{Error, ErrorCode};
/// let error = Error::new(ErrorCode::DeviceFailed, "cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY");
/// assert!(fhectl_cuda::is_out_of_memory(&error));
/// assert!(!fhectl_cuda::is_out_of_memory(&Error::new(ErrorCode::KeyMissing, "no key")));
/// ```
pub fn is_out_of_memory(error: &Error) -> bool {
    error.code == ErrorCode::DeviceFailed && error.message.contains(OUT_OF_MEMORY)
}

/// An error of a call: `device_failed`, naming the call and CUDA's error.
pub(super) fn failed(call: &str, code: CUresult) -> Error {
    let error = Error::new(ErrorCode::DeviceFailed, format!("{call}: {code:?}"));
    match code {
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => error.hint("the device's memory is full; fewer keys at once take less"),
        _ if is_sticky(code) => {
            error.hint("the device takes no more work of this process; see the driver's log (dmesg, nvidia-smi -q)")
        }
        _ => error.hint("another version of the driver may help"),
    }
}

/// An error before there is a device: `device_unavailable`.
pub(super) fn unavailable(message: impl Into<String>, hint: &str) -> Error {
    Error::new(ErrorCode::DeviceUnavailable, message).hint(hint)
}

/// `device_unavailable` for a call that failed while a device was opened.
pub(super) fn cannot_open(call: &str, code: CUresult) -> Error {
    let hint = match code {
        CUresult::CUDA_ERROR_NO_DEVICE | CUresult::CUDA_ERROR_INVALID_DEVICE => {
            "`nvidia-smi -L` lists what there is; CUDA_VISIBLE_DEVICES may hide devices"
        }
        CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION
        | CUresult::CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
        | CUresult::CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE => "install a newer NVIDIA driver",
        CUresult::CUDA_ERROR_OUT_OF_MEMORY | CUresult::CUDA_ERROR_DEVICE_UNAVAILABLE => {
            "other programs may use the device: `nvidia-smi` lists them"
        }
        _ => "check the driver with `nvidia-smi`",
    };
    unavailable(format!("{call}: {code:?}"), hint)
}

/// The outcome of a call while a device is opened.
pub(super) fn opened(call: &str, code: CUresult) -> Result<()> {
    match code {
        CUresult::CUDA_SUCCESS => Ok(()),
        code => Err(cannot_open(call, code)),
    }
}

/// Whether every later call fails, too. So it is unless the error is known to concern one call alone.
pub(super) fn is_sticky(code: CUresult) -> bool {
    !matches!(
        code,
        CUresult::CUDA_ERROR_INVALID_VALUE
            | CUresult::CUDA_ERROR_OUT_OF_MEMORY
            | CUresult::CUDA_ERROR_INVALID_IMAGE
            | CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU
            | CUresult::CUDA_ERROR_INVALID_PTX
            | CUresult::CUDA_ERROR_JIT_COMPILER_NOT_FOUND
            | CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION
            | CUresult::CUDA_ERROR_INVALID_HANDLE
            | CUresult::CUDA_ERROR_NOT_FOUND
            | CUresult::CUDA_ERROR_NOT_READY
            | CUresult::CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES
            | CUresult::CUDA_ERROR_NOT_SUPPORTED
    )
}
