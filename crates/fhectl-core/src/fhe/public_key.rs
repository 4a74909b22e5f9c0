//! The client's public key, from which a server makes fresh encryptions of zero.
//!
//! It is a module-LWE key of rank `k` over polynomials of size `N` (Lyubashevsky, Peikert, Regev 2010; for `k = 1` it is
//! tfhe's compact public key): `k` GLWE encryptions of zero under the client's secret key, with one seed for their masks.

use super::noise::t_uniform_bound;
use super::seeded::SeededLayout;
use super::{GlweShape, noise};

/// The wire layout of the public key of this shape.
///
/// Bodies are rounded four bits below the noise bound, which adds less than 1 % to the variance of the noise.
pub fn layout(shape: GlweShape) -> SeededLayout {
    let bits = (64 + 4 - t_uniform_bound(shape.lwe_dimension())).min(64);
    SeededLayout { shape, bodies: shape.lwe_dimension(), bits }
}

/// The variance of encryptions of zero under a public key of this shape, in fractions of the torus squared.
pub fn zero_variance(shape: GlweShape) -> f64 {
    noise::public_encryption_variance(shape, layout(shape).bits)
}

/// Bytes of the key in a server's memory: each polynomial as two transformed limbs, and the bodies as torus words.
pub const fn unpacked_bytes(shape: GlweShape) -> usize {
    8 * shape.lwe_dimension() * (2 * shape.dimension + 3)
}
