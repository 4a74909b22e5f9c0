//! CUDA devices of this machine.

use super::DeviceChoice;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::device_profile::DeviceProfile;
use fhectl_server::device::{BackendDevice, Device, Opened};
use std::sync::{Arc, Mutex, PoisonError};

pub fn devices(choice: DeviceChoice) -> Result<Vec<Arc<dyn Device>>> {
    Ok(found(choice)?.map(|found| device(found, choice == DeviceChoice::Auto)).collect())
}

pub fn profile(choice: DeviceChoice) -> Result<Option<DeviceProfile>> {
    let Some((ordinal, opened)) = found(choice)?.next() else { return Ok(None) };
    let device = opened.map_or_else(|| fhectl_cuda::Device::open(ordinal), Ok)?;
    device.profile().map(Some)
}

/// The numbers of the devices that are asked for, each with the device where it had to be opened to find it.
fn found(choice: DeviceChoice) -> Result<Box<dyn Iterator<Item = (usize, Option<fhectl_cuda::Device>)>>> {
    let numbers = match choice {
        DeviceChoice::Cpu => 0..0,
        // Without a driver there are none, and that is no error.
        DeviceChoice::Auto => {
            let all = 0..fhectl_cuda::Device::count().unwrap_or(0);
            return Ok(Box::new(all.filter_map(usable)));
        }
        DeviceChoice::Cuda(ordinal) => ordinal as usize..ordinal as usize + 1,
        DeviceChoice::CudaAll => match fhectl_cuda::Device::count()? {
            0 => {
                return Err(Error::new(ErrorCode::DeviceUnavailable, "there is no CUDA device")
                    .hint("`nvidia-smi -L` lists them; --device auto takes the processor where there is none"));
            }
            count => 0..count,
        },
    };
    Ok(Box::new(numbers.map(|ordinal| (ordinal, None))))
}

/// A device that can be opened, kernels and all. What cannot be is told, and left out.
fn usable(ordinal: usize) -> Option<(usize, Option<fhectl_cuda::Device>)> {
    match fhectl_cuda::Device::open(ordinal) {
        Ok(device) => Some((ordinal, Some(device))),
        Err(error) => {
            tracing::warn!("cuda:{ordinal} is not used: {error}");
            None
        }
    }
}

/// For the server, which opens it. The first time it gets what is open already.
fn device((ordinal, opened): (usize, Option<fhectl_cuda::Device>), is_optional: bool) -> Arc<dyn Device> {
    let opened = Mutex::new(opened);
    let open = move || {
        let first = opened.lock().unwrap_or_else(PoisonError::into_inner).take();
        let backend = first.map_or_else(|| fhectl_cuda::Device::open(ordinal), Ok)?;
        Ok(Opened { description: backend.name().to_owned(), key_memory: backend.key_memory()?, backend })
    };
    let device = BackendDevice::new(format!("cuda:{ordinal}"), open).out_of_memory(fhectl_cuda::is_out_of_memory);
    Arc::new(if is_optional { device.optional() } else { device })
}
