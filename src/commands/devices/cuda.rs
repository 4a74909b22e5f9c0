//! CUDA devices of this machine.

use super::DeviceChoice;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::device_profile::DeviceProfile;
use fhectl_server::device::{BackendDevice, Device, Opened};
use std::sync::Arc;

/// What two launches at once work in on a device, beside keys. Models take little.
const WORK_BYTES: usize = 2 * fhectl_cuda::SCRATCH_BYTES + (512 << 20);

pub fn devices(choice: DeviceChoice) -> Result<Vec<Arc<dyn Device>>> {
    Ok(ordinals(choice)?.into_iter().map(device).collect())
}

pub fn profile(choice: DeviceChoice) -> Result<Option<DeviceProfile>> {
    let first = ordinals(choice)?.first().copied();
    first.map(|ordinal| fhectl_cuda::Device::open(ordinal)?.profile()).transpose()
}

/// The numbers of the devices that are asked for.
fn ordinals(choice: DeviceChoice) -> Result<Vec<usize>> {
    match choice {
        DeviceChoice::Cpu => Ok(Vec::new()),
        // Without a driver there are none, and that is no error.
        DeviceChoice::Auto => {
            let all = 0..fhectl_cuda::Device::count().unwrap_or(0);
            Ok(all.filter(|ordinal| is_usable(*ordinal)).collect())
        }
        DeviceChoice::Cuda(ordinal) => Ok(vec![ordinal as usize]),
        DeviceChoice::CudaAll => match fhectl_cuda::Device::count()? {
            0 => Err(Error::new(ErrorCode::DeviceUnavailable, "there is no CUDA device")
                .hint("`nvidia-smi -L` lists them; --device auto takes the processor where there is none")),
            count => Ok((0..count).collect()),
        },
    }
}

/// Whether a device can be opened, kernels and all. What cannot be is told, and left out.
fn is_usable(ordinal: usize) -> bool {
    let opened = fhectl_cuda::Device::open(ordinal);
    if let Err(error) = &opened {
        tracing::warn!("cuda:{ordinal} is not used: {error}");
    }
    opened.is_ok()
}

fn device(ordinal: usize) -> Arc<dyn Device> {
    let open = move || {
        let backend = fhectl_cuda::Device::open(ordinal)?;
        let key_memory = backend.free_memory()?.saturating_sub(WORK_BYTES);
        Ok(Opened { description: backend.name().to_owned(), key_memory, backend })
    };
    Arc::new(BackendDevice::new(format!("cuda:{ordinal}"), open).out_of_memory(fhectl_cuda::is_out_of_memory))
}
