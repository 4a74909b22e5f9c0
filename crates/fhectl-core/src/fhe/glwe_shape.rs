//! The shape of keys and ciphertexts.

use super::parameters::bad_parameters;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The smallest LWE dimension of a key. From here to 8192 the lattice-estimator confirms the curve
/// (`docs/src/reference/parameters.md`). Below, coded-BKW attacks, which the curve does not model, are the best ones.
pub const MIN_LWE_DIMENSION: usize = 512;

/// The shape of a GLWE key: `dimension` (k) polynomials of `size` (N) coefficients.
///
/// Flattened it is an LWE key of `k * N` entries, polynomial after polynomial, coefficients in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GlweShape {
    #[serde(rename = "glwe_dimension")]
    pub dimension: usize,
    #[serde(rename = "polynomial_size")]
    pub size: usize,
}

impl GlweShape {
    /// The shape with `k = dimension` and `N = size`. Not checked, see [`GlweShape::check`].
    pub const fn new(dimension: usize, size: usize) -> Self {
        Self { dimension, size }
    }

    /// An LWE key of this dimension as a GLWE key. The polynomial size is the largest power of two that divides the
    /// dimension, at most 64: longer polynomials mean fewer masks to expand.
    pub const fn small(dimension: usize) -> Self {
        let log = dimension.trailing_zeros();
        let size = 1 << if log < 6 { log } else { 6 };
        Self { dimension: dimension / size, size }
    }

    /// `k * N`: the dimension of the flattened LWE key.
    pub const fn lwe_dimension(&self) -> usize {
        self.dimension * self.size
    }

    /// Checks that the shape is supported: `N` is a power of two from 16 to 8192, and `k * N` is from
    /// [`MIN_LWE_DIMENSION`] to 8192, the dimensions that the security curve covers.
    ///
    /// # Errors
    /// `parameters_invalid`.
    pub fn check(&self) -> Result<()> {
        let dimension = self.dimension.saturating_mul(self.size);
        if !self.size.is_power_of_two() || !(16..=8192).contains(&self.size) || dimension > 8192 {
            return Err(bad_parameters(format!("no GLWE of k={}, N={} is supported", self.dimension, self.size)));
        }
        if dimension < MIN_LWE_DIMENSION {
            return Err(bad_parameters(format!(
                "LWE dimension {dimension} is below {}, where the security curve ends",
                MIN_LWE_DIMENSION
            )));
        }
        Ok(())
    }
}
