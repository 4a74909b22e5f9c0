//! Evaluation keys on the device.

use crate::arguments::Rows;
use crate::device::Device;
use crate::driver::{DeviceBuffer, Upload};
use crate::rows::stride;
use crate::support::supports_part;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::Random;
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::keyswitch::KeyswitchParams;
use fhectl_core::fhe::part::{PartParams, split_parts};
use zeroize::Zeroizing;

/// A client's evaluation key in a device's memory. It is overwritten with zeros when it is dropped.
pub struct Key(Vec<Part>);

enum Part {
    Bootstrap(LoadedBootstrapKey),
    Keyswitch(LoadedKeyswitchKey),
}

/// A bootstrap key in the Fourier domain.
pub(crate) struct LoadedBootstrapKey {
    pub params: BootstrapParams,
    pub fourier: DeviceBuffer<f64>,
    /// The number on the wire of each bit, in the order of the rotation.
    pub order: DeviceBuffer<u32>,
}

/// A keyswitching key with its masks expanded.
pub(crate) struct LoadedKeyswitchKey {
    pub params: KeyswitchParams,
    pub rows: DeviceBuffer<u32>,
}

impl Key {
    /// As [`fhectl_core::fhe::backend::Backend::load_key`].
    pub(crate) fn load(
        device: &Device,
        parts: &[PartParams],
        wire: &[u8],
        mut shuffle: Option<&mut Random>,
    ) -> Result<Self> {
        let loaded = split_parts(parts, wire).map(|(part, bytes)| {
            // Refused here, because the kernels take any bytes.
            part.layout().split(bytes)?;
            if !supports_part(&device.limits, part) {
                return Err(Error::new(ErrorCode::DeviceFailed, format!("there are no kernels for {part:?}"))
                    .hint("compute this model on the processor"));
            }
            Ok(match part {
                PartParams::Bootstrap(params) => {
                    Part::Bootstrap(LoadedBootstrapKey::load(device, params, bytes, shuffle.as_deref_mut())?)
                }
                PartParams::Keyswitch(params) => Part::Keyswitch(LoadedKeyswitchKey::load(device, params, bytes)?),
            })
        });
        Ok(Self(loaded.collect::<Result<_>>()?))
    }

    /// The bootstrap key that is part `index`.
    ///
    /// # Errors
    /// `key_missing` where it is none.
    pub(crate) fn bootstrap(&self, index: usize) -> Result<&LoadedBootstrapKey> {
        match self.0.get(index) {
            Some(Part::Bootstrap(key)) => Ok(key),
            _ => Err(Error::new(ErrorCode::KeyMissing, format!("part {index} of the key is no bootstrap key"))),
        }
    }

    /// The keyswitching key that is part `index`.
    ///
    /// # Errors
    /// `key_missing` where it is none.
    pub(crate) fn keyswitch(&self, index: usize) -> Result<&LoadedKeyswitchKey> {
        match self.0.get(index) {
            Some(Part::Keyswitch(key)) => Ok(key),
            _ => Err(Error::new(ErrorCode::KeyMissing, format!("part {index} of the key is no keyswitching key"))),
        }
    }
}

impl LoadedBootstrapKey {
    fn load(device: &Device, params: &BootstrapParams, bytes: &[u8], shuffle: Option<&mut Random>) -> Result<Self> {
        let mut order: Zeroizing<Vec<u32>> = Zeroizing::new((0..params.lwe_dimension as u32).collect());
        if let Some(random) = shuffle {
            random.shuffle(&mut order);
        }
        let order = device.resident(&order)?;
        let fourier = DeviceBuffer::new(&device.context, fourier_numbers(params))?;
        let lane = device.lane()?;
        let mut wire = Upload::new(&device.context)?;
        let wire_pointer = wire.copy(bytes, &lane.stream)?;
        let pointers = [wire_pointer, order.pointer(), fourier.pointer()];
        device.kernels.expand_bootstrap_key(&lane.stream, params, pointers)?;
        lane.stream.synchronize()?;
        Ok(Self { params: *params, fourier, order })
    }
}

impl LoadedKeyswitchKey {
    fn load(device: &Device, params: &KeyswitchParams, bytes: &[u8]) -> Result<Self> {
        let stride = stride(params.to.lwe_dimension());
        let rows = DeviceBuffer::new(&device.context, params.layout().bodies * stride)?;
        let lane = device.lane()?;
        let mut wire = Upload::new(&device.context)?;
        let wire_pointer = wire.copy(bytes, &lane.stream)?;
        let out = Rows { pointer: rows.pointer(), stride };
        device.kernels.expand_keyswitch_key(&lane.stream, params, wire_pointer, out)?;
        lane.stream.synchronize()?;
        Ok(Self { params: *params, rows })
    }
}

/// Numbers of 64 bits that a bootstrap key takes.
fn fourier_numbers(params: &BootstrapParams) -> usize {
    let polynomials = params.output.dimension + 1;
    params.lwe_dimension * params.levels as usize * polynomials * polynomials * params.output.size
}

/// Bytes that a key takes of the device's memory: [`fhectl_core::fhe::backend::Backend::key_bytes`].
pub(crate) fn key_bytes(parts: &[PartParams]) -> usize {
    let bytes = |part: &PartParams| match part {
        PartParams::Bootstrap(params) => {
            size_of::<f64>() * fourier_numbers(params) + size_of::<u32>() * params.lwe_dimension
        }
        PartParams::Keyswitch(params) => size_of::<u32>() * params.layout().bodies * stride(params.to.lwe_dimension()),
    };
    parts.iter().map(bytes).fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::fhe::GlweShape;

    #[test]
    fn a_key_takes_what_its_buffers_do() {
        let output = GlweShape::new(4, 512);
        let bootstrap = BootstrapParams { lwe_dimension: 640, output, base_log: 21, levels: 1, key_bits: 40 };
        let switch = KeyswitchParams { from: 2048, to: GlweShape::new(25, 32), base_log: 3, levels: 5, key_bits: 30 };
        assert_eq!(key_bytes(&[PartParams::Bootstrap(bootstrap)]), 640 * 25 * 512 * 8 + 640 * 4);
        assert_eq!(key_bytes(&[PartParams::Keyswitch(switch)]), 2048 * 5 * 896 * 4);
    }
}
