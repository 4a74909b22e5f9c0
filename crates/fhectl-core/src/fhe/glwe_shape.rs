//! The shape of keys and ciphertexts.

use super::parameters::bad_parameters;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// `docs/src/reference/parameters.md` has what the lattice-estimator says of the curve from here to 8192. Below, coded-BKW attacks,
/// which the curve does not model, take over. So no key here is shorter.
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
    pub const fn new(dimension: usize, size: usize) -> Self {
        Self { dimension, size }
    }

    /// A small LWE key of this dimension as a GLWE key, with polynomials as long as divide it (64 at most): the longer,
    /// the fewer masks to expand.
    pub const fn small(dimension: usize) -> Self {
        let log = dimension.trailing_zeros();
        let size = 1 << if log < 6 { log } else { 6 };
        Self { dimension: dimension / size, size }
    }

    /// `k * N`, the dimension of the flattened LWE key.
    pub const fn lwe_dimension(&self) -> usize {
        self.dimension * self.size
    }

    /// Checks that keys of this shape can be handled and that the security curve covers them.
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
