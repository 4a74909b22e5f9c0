//! The cryptography: LWE and GLWE ciphertexts, keys, noise, bootstrapping.
//!
//! The only room that names `tfhe`. Nouns hold shape ([`GlweShape`], [`Lwe`], [`GlweList`]), verbs act on
//! them. What a client may do stands in [`secret`], [`ggsw`], [`bootstrap`], [`keyswitch`] and
//! [`public_key`]; what a server
//! may do in [`rerandomize`], [`zeros`], [`external_product`], [`cmux`], [`pbs`], [`list`] and [`switch`], which never name a secret key's type.
//!
//! The torus is `u64`, read as a fraction of 2^64. Every key is binary; every noise is TUniform at the bound
//! of tfhe's 132-bit curve ([`noise`]).

pub mod bootstrap;
#[cfg(feature = "evaluate")]
pub mod cmux;
#[cfg(feature = "evaluate")]
pub mod cost;
pub mod disclosure;
#[cfg(feature = "evaluate")]
pub mod external_product;
pub mod ggsw;
pub mod keyswitch;
#[cfg(feature = "evaluate")]
pub mod list;
pub mod lwe;
pub mod noise;
pub mod ntt;
pub mod partial_glwe;
#[cfg(feature = "evaluate")]
pub mod pbs;
pub(crate) mod phase;
pub mod public_key;
pub mod random;
#[cfg(feature = "evaluate")]
pub mod rerandomize;
pub mod secret;
pub mod seeded;
#[cfg(feature = "evaluate")]
pub mod spaced;
#[cfg(feature = "evaluate")]
pub mod switch;
pub mod wire;
#[cfg(feature = "evaluate")]
pub mod zeros;

pub use lwe::Lwe;
pub use partial_glwe::PartialGlwe;
pub use random::{Entropy, Random, Seed};
pub use secret::GlweSecret;
pub use seeded::{GlweList, SeededLayout};

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

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
        if dimension < noise::MIN_LWE_DIMENSION {
            return Err(bad_parameters(format!(
                "LWE dimension {dimension} is below {}, where the security curve ends",
                noise::MIN_LWE_DIMENSION
            )));
        }
        Ok(())
    }
}

pub(crate) fn bad_parameters(message: impl Into<String>) -> Error {
    Error::user("parameters_invalid", message)
        .hint("the bundle was damaged or made by another version; create the model again with `fhectl create`")
}
