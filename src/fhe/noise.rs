//! Noise: what the security curve asks for, what each step adds, and how likely a decision is to go wrong.
//!
//! Variances are fractions of the torus, squared. The curve and the bootstrap's formula are tfhe's own
//! (`core_crypto::commons::noise_formulas`), the failure probability of one decision with margin `m` and
//! standard deviation `sigma` is `erfc(m / (sigma * sqrt 2))`.

use super::GlweShape;
use tfhe::core_crypto::commons::noise_formulas::{
    centered_mean_shifted_modulus_switch::centered_binary_shifted_modulus_switch_additive_variance,
    lwe_keyswitch::keyswitch_additive_variance_132_bits_security_tuniform,
    lwe_programmable_bootstrap::pbs_variance_132_bits_security_tuniform_fft_mul,
    secure_noise::{
        minimal_lwe_bound_for_132_bits_security_tuniform, minimal_lwe_variance_for_132_bits_security_tuniform,
    },
};
use tfhe::core_crypto::commons::parameters::{
    DecompositionBaseLog, DecompositionLevelCount, GlweDimension, LweDimension, PolynomialSize,
};

/// The security of the curve, in bits.
pub const SECURITY_BITS: u32 = 132;

/// The curve was checked with the lattice-estimator for dimensions 450 to 2048; below 512 coded-BKW attacks,
/// which it does not model, take over. So no key here is shorter.
pub const MIN_LWE_DIMENSION: usize = 512;

const MODULUS: f64 = 18_446_744_073_709_551_616.0; // 2^64
/// Bits of an `f64` mantissa: what the bootstrap's Fourier transform keeps of a product.
const FFT_MANTISSA: f64 = 53.0;

/// The bound `b` of TUniform(b) for a binary LWE key of this dimension, modulus 2^64, at [`SECURITY_BITS`]: the
/// smallest whose variance is not below the curve (up to the curve's own rounding of a part in a million).
///
/// The curve flattens at a variance of 2^4.44: below, rounding attacks rather than lattices decide.
pub fn t_uniform_bound(lwe_dimension: usize) -> u32 {
    let wanted = curve_variance(lwe_dimension) * (1.0 - 1e-6);
    let first = minimal_lwe_bound_for_132_bits_security_tuniform(LweDimension(lwe_dimension), MODULUS);
    (first..).find(|bound| t_uniform_variance(*bound) >= wanted).unwrap_or(first)
}

fn t_uniform_variance(bound_log2: u32) -> f64 {
    ((2.0 * f64::from(bound_log2) + 1.0).exp2() + 1.0) / 6.0 / MODULUS / MODULUS
}

fn curve_variance(lwe_dimension: usize) -> f64 {
    minimal_lwe_variance_for_132_bits_security_tuniform(LweDimension(lwe_dimension), MODULUS).0
}

/// The variance of one fresh encryption.
pub fn fresh_variance(lwe_dimension: usize) -> f64 {
    t_uniform_variance(t_uniform_bound(lwe_dimension))
}

/// The variance of rounding one word to `bits` bits: a uniform law of width `2^-bits`.
pub fn rounding_variance(bits: u32) -> f64 {
    if bits >= 64 { 0.0 } else { (-2.0 * f64::from(bits)).exp2() / 12.0 }
}

/// The variance of a seeded ciphertext's coefficient whose body was cut to `bits`.
pub fn seeded_variance(shape: GlweShape, bits: u32) -> f64 {
    fresh_variance(shape.lwe_dimension()) + rounding_variance(bits)
}

/// The number of ones in a binary key of this dimension, eight standard deviations above its mean.
pub fn heavy_key(lwe_dimension: usize) -> f64 {
    let dimension = lwe_dimension as f64;
    (dimension / 2.0 + 4.0 * dimension.sqrt()).min(dimension)
}

/// The variance that cutting a whole LWE ciphertext (mask and body) to `bits` adds to its phase.
pub fn answer_rounding_variance(lwe_dimension: usize, bits: u32) -> f64 {
    (heavy_key(lwe_dimension) + 1.0) * rounding_variance(bits)
}

/// The variance that rounding mask and body to 32 bits adds to a phase, for a uniform binary key.
pub fn narrowing_variance(lwe_dimension: usize) -> f64 {
    (lwe_dimension as f64 / 2.0 + 1.0) * rounding_variance(32)
}

/// The variance of one encryption of zero under a module-LWE public key whose bodies are cut to `key_bits`:
/// `<e, rho> - <s, e1> + e2` with binary `rho` and `s`.
pub fn public_encryption_variance(shape: GlweShape, key_bits: u32) -> f64 {
    let weight = heavy_key(shape.lwe_dimension());
    let fresh = fresh_variance(shape.lwe_dimension());
    weight * (fresh + rounding_variance(key_bits)) + weight * fresh + fresh
}

/// The centred modulus switch to `2N`: variance added to the phase before a blind rotation.
pub fn modulus_switch_variance(lwe_dimension: usize, polynomial_size: usize) -> f64 {
    centered_binary_shifted_modulus_switch_additive_variance(
        LweDimension(lwe_dimension),
        MODULUS,
        2.0 * polynomial_size as f64,
    )
    .0
}

/// A bootstrap's decomposition and the bits its key's bodies are cut to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gadget {
    pub base_log: u32,
    pub levels: u32,
    pub key_bits: u32,
}

/// The variance of a bootstrap's output: tfhe's formula, and on top what our keys have more noise than it counts.
///
/// Each coefficient of the key takes part with `n * l * N * (k + 1) * (B^2/12 + 1/6)` times its variance. The formula
/// counts the curve's; ours may be the next bound above it, and its bodies are cut to `key_bits`.
pub fn bootstrap_variance(lwe_dimension: usize, output: GlweShape, gadget: Gadget) -> f64 {
    let formula = pbs_variance_132_bits_security_tuniform_fft_mul(
        LweDimension(lwe_dimension),
        GlweDimension(output.dimension),
        PolynomialSize(output.size),
        DecompositionBaseLog(gadget.base_log as usize),
        DecompositionLevelCount(gadget.levels as usize),
        FFT_MANTISSA,
        MODULUS,
    )
    .0;
    let products = lwe_dimension * gadget.levels as usize * output.size * (output.dimension + 1);
    formula + beyond_the_formula(products, output.lwe_dimension(), gadget)
}

/// What `products` of a digit and a key's coefficient add that tfhe's formulas do not count: the part of our noise that is
/// above the curve, and the bits that were cut.
fn beyond_the_formula(products: usize, dimension: usize, gadget: Gadget) -> f64 {
    let base = f64::from(gadget.base_log).exp2();
    let above_curve = (fresh_variance(dimension) - curve_variance(dimension)).max(0.0);
    products as f64 * (base * base / 12.0 + 1.0 / 6.0) * (above_curve + rounding_variance(gadget.key_bits))
}

/// The variance that a keyswitch adds: tfhe's formula, and on top what our keys have more noise than it counts (as
/// for [`bootstrap_variance`]).
pub fn keyswitch_variance(from: usize, to: usize, gadget: Gadget) -> f64 {
    let formula = keyswitch_additive_variance_132_bits_security_tuniform(
        LweDimension(from),
        LweDimension(to),
        DecompositionBaseLog(gadget.base_log as usize),
        DecompositionLevelCount(gadget.levels as usize),
        MODULUS,
        MODULUS,
    )
    .0;
    formula + beyond_the_formula(from * gadget.levels as usize, to, gadget)
}

/// log2 of `erfc(margin / (sigma * sqrt 2))`, also far beyond what an `f64` probability can hold.
pub fn log2_failure(margin: f64, variance: f64) -> f64 {
    if margin <= 0.0 {
        return 0.0;
    }
    let sigmas = margin / variance.sqrt();
    if sigmas < 30.0 {
        libm::erfc(sigmas / std::f64::consts::SQRT_2).log2()
    } else {
        // erfc(x) ~ exp(-x^2) / (x sqrt(pi))
        let x = sigmas / std::f64::consts::SQRT_2;
        -x * x * std::f64::consts::LOG2_E - (x * std::f64::consts::PI.sqrt()).log2()
    }
}

/// log2 of a sum of probabilities given by their log2 (a union bound).
pub fn log2_union(terms: impl IntoIterator<Item = f64>) -> f64 {
    let terms: Vec<f64> = terms.into_iter().collect();
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + terms.iter().map(|term| (term - largest).exp2()).sum::<f64>().log2()
}

/// log2 of the expected statistical distance that `answers` ciphertexts keep from ones whose noise does not
/// depend on the model, when uniform noise over `[-2^f, 2^f)` (in units of 2^-64) is added to each.
///
/// A uniform law of width `w` and its shift by `d` differ by `|d| / w`; `E|d| <= sigma`; distances add up.
pub fn log2_flooding_distance(variance: f64, flood_log2: u32, answers: usize) -> f64 {
    let width = (f64::from(flood_log2) + 1.0 - 64.0).exp2();
    (answers as f64 * variance.sqrt() / width).log2().min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_stand_on_the_132_bit_curve() {
        // The curve's own line: ceil(-0.025167785 n + 64 + 4.10067100000001), until it is flat.
        for (dimension, bound) in [(512, 56), (576, 54), (1536, 30), (2048, 17), (4096, 4), (8192, 4)] {
            assert_eq!(t_uniform_bound(dimension), bound, "dimension {dimension}");
        }
        for dimension in MIN_LWE_DIMENSION..=8192 {
            assert!(fresh_variance(dimension) >= curve_variance(dimension) * (1.0 - 1e-6), "dimension {dimension}");
        }
    }

    #[test]
    fn failure_is_continuous_where_the_method_changes() {
        let below = log2_failure(29.999_999, 1.0);
        let above = log2_failure(30.000_001, 1.0);
        assert!((below - above).abs() < 0.01, "{below} {above}");
        assert!((log2_failure(13.1, 1.0) + 128.0).abs() < 1.5);
        assert_eq!(log2_failure(0.0, 1.0), 0.0);
    }

    #[test]
    fn union_adds_probabilities() {
        assert!((log2_union([-10.0, -10.0]) + 9.0).abs() < 1e-9);
        assert!((log2_union([-1000.0, -1000.0, -1000.0, -1000.0]) + 998.0).abs() < 1e-9);
    }
}
