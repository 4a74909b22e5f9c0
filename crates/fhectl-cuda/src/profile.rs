//! How long bootstraps take on a device, measured once so that plans can be made.

use crate::arguments::{Bootstraps, Rows};
use crate::device::Device;
use crate::key::Key;
use crate::slots::slots;
use crate::support::POLYNOMIAL_SIZE;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::device_profile::{DeviceProfile, ShapeProfile, Timing};
use fhectl_core::fhe::part::PartParams;
use fhectl_core::fhe::stride::stride;
use fhectl_core::fhe::{GlweShape, Random, Seed};
use std::time::{Duration, Instant};

/// Bits of the small key that shapes are measured with.
const DIMENSION: usize = 640;
/// The time that a shape's measurements may take. The one that is under way when it is over is finished.
const TIME_OF_SHAPE: Duration = Duration::from_millis(200);

impl Device {
    /// Measures bootstraps with random keys, for each `k` that the device has kernels for, at batches from one ciphertext
    /// to many for each multiprocessor. Takes less than a second.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn profile(&self) -> Result<DeviceProfile> {
        let mut shapes = Vec::new();
        for glwe_dimension in 3..=6 {
            if !self.limits.shapes(glwe_dimension + 1, 1).is_empty() {
                shapes.push(self.profile_shape(glwe_dimension)?);
            }
        }
        Ok(DeviceProfile { device: self.description().to_owned(), shapes })
    }

    fn profile_shape(&self, glwe_dimension: usize) -> Result<ShapeProfile> {
        let started = Instant::now();
        let output = GlweShape::new(glwe_dimension, POLYNOMIAL_SIZE);
        let params = BootstrapParams { lwe_dimension: DIMENSION, output, base_log: 21, levels: 1, key_bits: 32 };
        // Any bytes are a key. It encrypts nothing, and takes the time of one that does.
        let part = PartParams::Bootstrap(params);
        let mut random = Random::new(Seed([1; 16]));
        let wire: Vec<u8> = (0..part.wire_len().div_ceil(8)).flat_map(|_| random.word().to_le_bytes()).collect();
        let key = Key::load(self, &[part], None, &wire[..part.wire_len()], None)?;

        let mut timings: Vec<Timing> = Vec::new();
        for multiple in [0, 1, 2, 3, 4, 8, 16, 32] {
            let ciphertexts = (multiple * self.limits.multiprocessors).max(1);
            // The first run warms up: code and memory come to the device.
            if timings.is_empty() {
                self.time(&key, &params, ciphertexts)?;
            }
            let seconds = self.time(&key, &params, ciphertexts)?.as_secs_f64();
            timings.push(Timing { ciphertexts, seconds });
            if started.elapsed() > TIME_OF_SHAPE {
                break;
            }
        }
        Ok(ShapeProfile { output, lwe_dimension: DIMENSION, levels: 1, timings })
    }

    /// How long a launch takes until its result is there.
    fn time(&self, key: &Key, params: &BootstrapParams, count: usize) -> Result<Duration> {
        let polynomials = params.output.dimension + 1;
        let shape = self.limits.choose([polynomials, params.levels as usize], &[count], self.forced);
        let shape = shape.ok_or_else(|| Error::new(ErrorCode::DeviceFailed, "there is no such kernel"))?;
        let stride = stride(params.output.lwe_dimension());
        // Any words that do not repeat soon: the way of a rotation's memory depends on them.
        let words = (count * (params.lwe_dimension + 1)) as u32;
        let switched: Vec<u16> = (0..words).map(|word| (word.wrapping_mul(0x9e37_79b9) >> 22) as u16).collect();
        let mut numbers = Vec::new();
        slots(&[count], shape.ciphertexts, &mut numbers);
        let slots = numbers.len();
        numbers.resize(slots + count.max(POLYNOMIAL_SIZE), 0);
        let switched = self.resident(&switched)?;
        let numbers = self.resident(&numbers)?;
        let keys = self.resident(&[key.bootstrap(0)?.fourier.pointer()])?;
        let mut lane = self.lane()?;
        let lane = &mut *lane;
        let out = Rows { pointer: lane.values.reserve(count * stride, &lane.stream)?, stride };
        // Zeros are a table, too, and numbers of key and table.
        let zeros = numbers.pointer() + 4 * slots as u64;
        let bootstraps = Bootstraps {
            params,
            shape,
            keys: keys.pointer(),
            key_of: zeros,
            slots: numbers.pointer(),
            blocks: slots / shape.ciphertexts,
            switched: switched.pointer(),
            tables: zeros,
            table_of: zeros,
            zeros: 0,
            out,
        };
        lane.stream.synchronize()?;
        let started = Instant::now();
        self.kernels.bootstrap(&lane.stream, &bootstraps)?;
        lane.stream.synchronize()?;
        Ok(started.elapsed())
    }
}
