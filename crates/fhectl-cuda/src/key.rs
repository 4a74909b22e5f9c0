//! Evaluation keys on the device.

use crate::arguments::Rows;
use crate::device::Device;
use crate::driver::{DeviceBuffer, Upload};
use crate::support::{supports_part, supports_public_key};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::keyswitch::KeyswitchParams;
use fhectl_core::fhe::part::{PartParams, split_parts};
use fhectl_core::fhe::stride::stride;
use fhectl_core::fhe::{GlweShape, Random, public_key};
use zeroize::Zeroizing;

/// A client's evaluation key in a device's memory. It is overwritten with zeros when it is dropped.
pub struct Key {
    parts: Vec<Part>,
    public: Option<LoadedPublicKey>,
}

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

/// A public key in the Fourier domain.
struct LoadedPublicKey {
    shape: GlweShape,
    fourier: DeviceBuffer<f64>,
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
        public: Option<GlweShape>,
        wire: &[u8],
        mut shuffle: Option<&mut Random>,
    ) -> Result<Self> {
        let loaded = split_parts(parts, wire).map(|(part, bytes)| {
            // Refused here, because the kernels take any bytes.
            part.layout().split(bytes)?;
            if !supports_part(&device.limits, part) {
                return Err(no_kernels(part));
            }
            Ok(match part {
                PartParams::Bootstrap(params) => {
                    Part::Bootstrap(LoadedBootstrapKey::load(device, params, bytes, shuffle.as_deref_mut())?)
                }
                PartParams::Keyswitch(params) => Part::Keyswitch(LoadedKeyswitchKey::load(device, params, bytes)?),
            })
        });
        let loaded = loaded.collect::<Result<_>>()?;
        let after = parts.iter().map(PartParams::wire_len).fold(0, usize::saturating_add);
        let bytes = wire.get(after..).unwrap_or_default();
        let public = public.map(|shape| LoadedPublicKey::load(device, shape, bytes)).transpose()?;
        Ok(Self { parts: loaded, public })
    }

    /// The spectra of the public key, which has this shape.
    ///
    /// # Errors
    /// `key_missing` where there is none, or one of another shape.
    pub(crate) fn public(&self, shape: GlweShape) -> Result<&DeviceBuffer<f64>> {
        match &self.public {
            Some(public) if public.shape == shape => Ok(&public.fourier),
            _ => Err(Error::new(ErrorCode::KeyMissing, format!("a key without a public key of {shape:?}"))
                .hint("load it with its public key, with which encryptions of zero are made")),
        }
    }

    /// The shape of the public key.
    ///
    /// # Errors
    /// `key_missing` where there is none.
    pub(crate) fn public_shape(&self) -> Result<GlweShape> {
        let public = self.public.as_ref();
        public.map(|public| public.shape).ok_or_else(|| Error::new(ErrorCode::KeyMissing, "a key without a public key"))
    }

    /// The bootstrap key that is part `index`.
    ///
    /// # Errors
    /// `key_missing` where it is none.
    pub(crate) fn bootstrap(&self, index: usize) -> Result<&LoadedBootstrapKey> {
        match self.parts.get(index) {
            Some(Part::Bootstrap(key)) => Ok(key),
            _ => Err(Error::new(ErrorCode::KeyMissing, format!("part {index} of the key is no bootstrap key"))),
        }
    }

    /// The keyswitching key that is part `index`.
    ///
    /// # Errors
    /// `key_missing` where it is none.
    pub(crate) fn keyswitch(&self, index: usize) -> Result<&LoadedKeyswitchKey> {
        match self.parts.get(index) {
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

impl LoadedPublicKey {
    /// Reads it from the beginning of `bytes`.
    fn load(device: &Device, shape: GlweShape, bytes: &[u8]) -> Result<Self> {
        let layout = public_key::layout(shape);
        let bytes = &bytes[..layout.wire_len().min(bytes.len())];
        layout.split(bytes)?;
        if !supports_public_key(&device.limits, shape) {
            return Err(no_kernels(&shape));
        }
        let fourier = DeviceBuffer::new(&device.context, public_numbers(shape))?;
        let lane = device.lane()?;
        let mut wire = Upload::new(&device.context)?;
        let wire_pointer = wire.copy(bytes, &lane.stream)?;
        device.kernels.expand_public_key(&lane.stream, shape, wire_pointer, fourier.pointer())?;
        lane.stream.synchronize()?;
        Ok(Self { shape, fourier })
    }
}

fn no_kernels(what: &impl std::fmt::Debug) -> Error {
    Error::new(ErrorCode::DeviceFailed, format!("there are no kernels for {what:?}"))
        .hint("compute this model on the processor")
}

/// Numbers of 64 bits that a public key takes: a row of `k + 1` polynomials for each of the mask's.
fn public_numbers(shape: GlweShape) -> usize {
    shape.dimension * (shape.dimension + 1) * shape.size
}

/// Numbers of 64 bits that a bootstrap key takes.
fn fourier_numbers(params: &BootstrapParams) -> usize {
    let polynomials = params.output.dimension + 1;
    params.lwe_dimension * params.levels as usize * polynomials * polynomials * params.output.size
}

/// Bytes that a key takes of the device's memory: [`fhectl_core::fhe::backend::Backend::key_bytes`].
pub(crate) fn key_bytes(parts: &[PartParams], public: Option<GlweShape>) -> usize {
    let bytes = |part: &PartParams| match part {
        PartParams::Bootstrap(params) => {
            size_of::<f64>() * fourier_numbers(params) + size_of::<u32>() * params.lwe_dimension
        }
        PartParams::Keyswitch(params) => size_of::<u32>() * params.layout().bodies * stride(params.to.lwe_dimension()),
    };
    let public = public.map_or(0, |shape| size_of::<f64>() * public_numbers(shape));
    parts.iter().map(bytes).fold(public, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_takes_what_its_buffers_do() {
        let output = GlweShape::new(4, 512);
        let bootstrap = BootstrapParams { lwe_dimension: 640, output, base_log: 21, levels: 1, key_bits: 40 };
        let switch = KeyswitchParams { from: 2048, to: GlweShape::new(25, 32), base_log: 3, levels: 5, key_bits: 30 };
        assert_eq!(key_bytes(&[PartParams::Bootstrap(bootstrap)], None), 640 * 25 * 512 * 8 + 640 * 4);
        assert_eq!(key_bytes(&[PartParams::Keyswitch(switch)], Some(output)), (2048 * 5 * 896 + 2 * 20 * 512) * 4);
    }
}
