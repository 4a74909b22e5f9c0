//! CUDA devices of this machine.

use super::DeviceChoice;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::device_profile::DeviceProfile;
use fhectl_server::device::{BackendDevice, Device, Opened, unless_optional};
use std::ops::Range;
use std::sync::Arc;

pub fn devices(choice: DeviceChoice) -> Result<Vec<Arc<dyn Device>>> {
    Ok(ordinals(choice)?.map(|ordinal| device(ordinal, choice)).collect())
}

pub fn profile(choice: DeviceChoice) -> Result<Option<DeviceProfile>> {
    for ordinal in ordinals(choice)? {
        let opened = fhectl_cuda::Device::open(ordinal);
        if let Some(first) = unless_optional(&*device(ordinal, choice), opened)? {
            return first.profile().map(Some);
        }
    }
    Ok(None)
}

/// The numbers of the devices that are asked for.
fn ordinals(choice: DeviceChoice) -> Result<Range<usize>> {
    match choice {
        DeviceChoice::Cpu => Ok(0..0),
        // Without a driver there are none, and that is no error.
        DeviceChoice::Auto => Ok(0..fhectl_cuda::Device::count().unwrap_or(0)),
        DeviceChoice::Cuda(ordinal) => Ok(ordinal as usize..ordinal as usize + 1),
        DeviceChoice::CudaAll => match fhectl_cuda::Device::count()? {
            0 => Err(Error::new(ErrorCode::DeviceUnavailable, "there is no CUDA device")
                .hint("`nvidia-smi -L` lists them; --device auto takes the processor where there is none")),
            count => Ok(0..count),
        },
    }
}

/// Not opened yet. `auto` goes without those that cannot be.
fn device(ordinal: usize, choice: DeviceChoice) -> Arc<dyn Device> {
    let open = move || {
        let backend = fhectl_cuda::Device::open(ordinal)?;
        Ok(Opened { description: backend.name().to_owned(), key_memory: backend.key_memory()?, backend })
    };
    let device = BackendDevice::new(format!("cuda:{ordinal}"), open).out_of_memory(fhectl_cuda::is_out_of_memory);
    Arc::new(if choice == DeviceChoice::Auto { device.optional() } else { device })
}
