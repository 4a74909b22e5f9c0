//! Messages as points of the torus.

/// The torus word of `message` under a plaintext modulus.
pub(super) fn torus(message: u64, modulus: u64) -> u64 {
    ((u128::from(message % modulus) << 64) / u128::from(modulus)) as u64
}

/// The number of the smallest magnitude that equals `factor` by the modulus, so that multiplying by it adds the least
/// noise.
#[cfg(feature = "evaluate")]
pub(super) fn centered(factor: u64, modulus: u64) -> i64 {
    if factor > modulus / 2 { factor as i64 - modulus as i64 } else { factor as i64 }
}
