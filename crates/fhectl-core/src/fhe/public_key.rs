//! The client's public key: encryptions of zero from which a server makes fresh ones.
//!
//! A module-LWE key of rank `k` over polynomials of size `N` (Lyubashevsky, Peikert, Regev 2010; with `k = 1`
//! tfhe's compact public key): `k` GLWE encryptions of zero under the client's secret key, one seed for their masks.

use super::noise::t_uniform_bound;
use super::random::Entropy;
use super::secret::GlweSecret;
use super::seeded::SeededLayout;
use super::{GlweShape, noise};

/// The wire layout of the public key of this shape.
///
/// Bodies are cut four bits below the noise bound: the rounding adds less than 1 % to its variance.
pub fn layout(shape: GlweShape) -> SeededLayout {
    let bits = (64 + 4 - t_uniform_bound(shape.lwe_dimension())).min(64);
    SeededLayout { shape, bodies: shape.lwe_dimension(), bits }
}

/// The variance of the encryptions of zero made from the key of this shape.
pub fn zero_variance(shape: GlweShape) -> f64 {
    noise::public_encryption_variance(shape, layout(shape).bits)
}

/// Bytes that a server holds of the unpacked key: every polynomial in two transformed limbs, and the bodies as they are.
pub const fn unpacked_bytes(shape: GlweShape) -> usize {
    8 * shape.lwe_dimension() * (2 * shape.dimension + 3)
}

/// Makes a public key for `secret`.
pub fn generate(secret: &GlweSecret, entropy: &mut dyn Entropy) -> Vec<u8> {
    let layout = layout(secret.shape());
    layout.encrypt(secret, &vec![0; layout.bodies], entropy)
}
