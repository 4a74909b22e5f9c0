//! Which devices compute, as `--device` names them.

#[cfg(feature = "cuda")]
#[path = "cuda.rs"]
mod found;
#[cfg(not(feature = "cuda"))]
#[path = "without_cuda.rs"]
mod found;

use fhectl_core::bundle::ServerBundle;
use fhectl_core::circuit::Evaluator;
use fhectl_core::error::Result;
use fhectl_core::fhe::device_profile::DeviceProfile;
use fhectl_server::device::{Device, computing_on, described, unless_optional};
use std::str::FromStr;
use std::sync::Arc;

/// What `--device` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// Every device that can be used, or else the processor.
    #[default]
    Auto,
    /// The processor alone.
    Cpu,
    /// The CUDA device of this number.
    Cuda(u32),
    /// Every CUDA device.
    CudaAll,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "auto" => Some(Self::Auto),
            None if text == "cpu" => Some(Self::Cpu),
            Some(("cuda", "all")) => Some(Self::CudaAll),
            Some(("cuda", number)) => number.parse().ok().map(Self::Cuda),
            _ => None,
        }
        .ok_or_else(|| "want auto, cpu, cuda:all, or one by its number: cuda:0".to_owned())
    }
}

/// The devices that are asked for, with [`DeviceChoice::Auto`] optional ones; the server opens them.
///
/// # Errors
/// `device_unavailable`.
pub fn open_devices(choice: DeviceChoice) -> Result<Vec<Arc<dyn Device>>> {
    found::devices(choice)
}

/// How long bootstraps take on the first device that is asked for, measured now, in under a second. Nothing where that is
/// the processor.
///
/// # Errors
/// `device_unavailable`, `device_failed`.
pub fn measure_device(choice: DeviceChoice) -> Result<Option<DeviceProfile>> {
    found::profile(choice)
}

/// What of this machine would compute a model: devices with what they are, or `cpu`. A device that cannot be opened is none.
pub fn computed_on(bundle: &ServerBundle) -> String {
    let (spec, devices) = (&bundle.spec, open_devices(DeviceChoice::Auto).unwrap_or_default());
    // Compiling a model takes time, which is only spent where there is a device.
    if devices.is_empty() {
        return computing_on([]);
    }
    let models: Vec<Arc<Evaluator>> =
        Evaluator::new(&spec.circuit, &bundle.server.model, &spec.quantizer).map(Arc::new).into_iter().collect();
    computing_on(devices.into_iter().filter_map(|device| {
        let open = unless_optional(&*device, device.open(&models)).ok()??;
        open.model(0).map(|_| described(device.name(), open.description()))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_they_are_named() {
        let read = |text: &str| text.parse::<DeviceChoice>();
        assert_eq!(read("auto"), Ok(DeviceChoice::Auto));
        assert_eq!(read("cpu"), Ok(DeviceChoice::Cpu));
        assert_eq!(read("cuda:3"), Ok(DeviceChoice::Cuda(3)));
        assert_eq!(read("cuda:all"), Ok(DeviceChoice::CudaAll));
        for wrong in ["", "gpu", "cuda", "cuda:", "cuda:-1", "cpu:0", "cuda:0:1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_processor_needs_no_device() {
        assert!(open_devices(DeviceChoice::Cpu).unwrap().is_empty());
    }
}
