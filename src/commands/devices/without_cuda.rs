//! A binary without the feature `cuda` has no devices.

use super::DeviceChoice;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::device_profile::DeviceProfile;
use fhectl_server::device::Device;
use std::sync::Arc;

pub fn devices(choice: DeviceChoice) -> Result<Vec<Arc<dyn Device>>> {
    check(choice).map(|()| Vec::new())
}

pub fn profile(choice: DeviceChoice) -> Result<Option<DeviceProfile>> {
    check(choice).map(|()| None)
}

fn check(choice: DeviceChoice) -> Result<()> {
    match choice {
        DeviceChoice::Auto | DeviceChoice::Cpu => Ok(()),
        DeviceChoice::Cuda(_) | DeviceChoice::CudaAll => {
            Err(Error::new(ErrorCode::DeviceUnavailable, "this fhectl was built without CUDA").hint(
                "build it with `cargo build --release --features cuda`, or compute on the processor: --device cpu",
            ))
        }
    }
}
