//! How long bootstraps take on a computing device, as it was measured, so that parameters can be chosen for it.

use super::GlweShape;
use super::bootstrap::BootstrapParams;
use serde::{Deserialize, Serialize};

/// How long bootstraps take on a device. What measures it belongs to the device's backend.
///
/// ```
/// use fhectl_core::fhe::device_profile::{DeviceProfile, ShapeProfile, Timing};
/// use fhectl_core::fhe::{GlweShape, bootstrap::BootstrapParams};
///
/// let timings = vec![Timing { ciphertexts: 1, seconds: 0.001 }, Timing { ciphertexts: 101, seconds: 0.003 }];
/// let shape = ShapeProfile { output: GlweShape::new(4, 512), lwe_dimension: 640, levels: 1, timings };
/// let profile = DeviceProfile { device: "a device".into(), shapes: vec![shape] };
/// let output = GlweShape::new(4, 512);
/// let params = BootstrapParams { lwe_dimension: 1280, output, base_log: 21, levels: 1, key_bits: 40 };
/// assert_eq!(profile.seconds(&params, 51), Some(0.004));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceProfile {
    /// What was measured, e.g. `NVIDIA H100 80GB HBM3 (cuda:0)`.
    pub device: String,
    pub shapes: Vec<ShapeProfile>,
}

/// How long bootstraps to one key shape take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShapeProfile {
    pub output: GlweShape,
    pub lwe_dimension: usize,
    pub levels: u32,
    /// From few ciphertexts to many.
    pub timings: Vec<Timing>,
}

/// How long so many bootstraps take together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    pub ciphertexts: usize,
    pub seconds: f64,
}

impl DeviceProfile {
    /// An estimate of the seconds that `ciphertexts` bootstraps of one key take together, without copies and encryptions of
    /// zero. Nothing where no such shape was measured: the device has no code for it.
    ///
    /// Between two timings it is a straight line, past the last it grows in proportion. A key of more bits or more levels
    /// takes longer in proportion.
    pub fn seconds(&self, params: &BootstrapParams, ciphertexts: usize) -> Option<f64> {
        let shape = self.shapes.iter().find(|shape| shape.output == params.output)?;
        let bits = params.lwe_dimension as f64 / shape.lwe_dimension as f64;
        let levels = f64::from(params.levels) / f64::from(shape.levels);
        Some(shape.seconds(ciphertexts)? * bits * levels)
    }
}

impl ShapeProfile {
    fn seconds(&self, ciphertexts: usize) -> Option<f64> {
        let count = ciphertexts as f64;
        let (first, last) = (self.timings.first()?, self.timings.last()?);
        if ciphertexts <= first.ciphertexts {
            return Some(first.seconds);
        }
        let around = self.timings.windows(2).find(|pair| pair[1].ciphertexts >= ciphertexts);
        let Some([below, above]) = around else { return Some(last.seconds * count / last.ciphertexts as f64) };
        let share = (count - below.ciphertexts as f64) / (above.ciphertexts - below.ciphertexts) as f64;
        Some(below.seconds + share * (above.seconds - below.seconds))
    }
}
