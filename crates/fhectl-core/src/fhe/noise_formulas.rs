//! The security curve and the noise that bootstraps, keyswitches and modulus switches add, for words of 64 bits.
//!
//! These are the formulas of tfhe 1.8's `core_crypto::commons::noise_formulas` (132 bits, TUniform). Its authors derived the
//! curve from the lattice-estimator, and the noise of the Fourier transform from measurements. The formulas are repeated here
//! so that a client does not need tfhe. Tests compare each with tfhe over the range of parameters that searches cover.
//!
//! All variances are fractions of the torus, squared.

/// `2^-128`: the square of one unit of a 64-bit word.
const UNIT_SQUARED: f64 = 1.0 / (18_446_744_073_709_551_616.0 * 18_446_744_073_709_551_616.0);
/// Bits of a 64-bit word that do not fit the 53-bit mantissa of the Fourier transform's floats.
const LOST_BITS: f64 = 64.0 - 53.0;

/// log2 of the TUniform bound on the sloped part of the curve.
fn curve_line(lwe_dimension: f64) -> f64 {
    (64.0 + 4.100_671_000_000_01 - 0.025_167_785 * lwe_dimension).ceil()
}

/// The bound `b` of TUniform(b) on the sloped part of the curve. Where the curve is flat, a larger bound may be needed.
pub(super) fn curve_bound(lwe_dimension: usize) -> u32 {
    curve_line(lwe_dimension as f64) as u32
}

/// The smallest secure variance of a fresh encryption at 132 bits of security: that of TUniform on the sloped part, plus a
/// floor of `2^4.44` units squared, below which attacks on the rounding beat lattice attacks.
pub(super) fn curve_variance(lwe_dimension: usize) -> f64 {
    let line = (2.0 * curve_line(lwe_dimension as f64)).exp2();
    (4.44f64.exp2() + (line + 0.5) / 3.0) * UNIT_SQUARED
}

/// The variance of rounding `products` uniform words to `levels` digits of `base_log` bits, times a binary key.
fn decomposition_error(products: f64, base_log: u32, levels: u32) -> f64 {
    let last_digit = (-2.0 * f64::from(base_log * levels)).exp2();
    products * (UNIT_SQUARED / 48.0 + last_digit / 24.0)
}

/// The mean square of a balanced digit, `B^2 / 12 + 1/6`.
pub(super) fn digit_variance(base_log: u32) -> f64 {
    (2.0 * f64::from(base_log)).exp2() / 12.0 + 1.0 / 6.0
}

/// The variance that the Fourier transforms of one external product add to a phase.
///
/// Fitted by tfhe's authors to measurements of its transform. For ours see [`super::noise::transform_variance`].
pub(super) fn transform(k: usize, size: usize, base_log: u32, levels: u32) -> f64 {
    let (k, size, levels) = (k as f64, size as f64, f64::from(levels));
    0.00705
        * (2.0 * LOST_BITS + 2.0 * f64::from(base_log) - 128.0).exp2()
        * levels.powf(1.01827)
        * k.powf(1.22003)
        * size.powf(2.22003)
        * (k + 1.0).powf(1.01827)
}

/// The variance of a bootstrap's output, from a key of dimension `n` to one of `k` polynomials of `size` coefficients.
///
/// Each of the `n` CMUXes adds the noise of the key times digits, the error of the decomposition, and that of the Fourier
/// transform.
pub(super) fn bootstrap(n: usize, k: usize, size: usize, base_log: u32, levels: u32) -> f64 {
    let transform = transform(k, size, base_log, levels);
    let (k, size, levels_f) = (k as f64, size as f64, f64::from(levels));
    let key = levels_f * size * (k + 1.0) * curve_variance((k * size) as usize) * digit_variance(base_log);
    let last_digit = (-2.0 * f64::from(base_log * levels)).exp2();
    let rounding = decomposition_error(k * size / 2.0, base_log, levels) + last_digit / 24.0 - UNIT_SQUARED / 24.0;
    n as f64 * (transform + key + rounding)
}

/// The variance that a keyswitch adds, from a key of dimension `from` to one of dimension `to`.
pub(super) fn keyswitch(from: usize, to: usize, base_log: u32, levels: u32) -> f64 {
    let key = f64::from(levels) * from as f64 * curve_variance(to) * digit_variance(base_log);
    key + decomposition_error(from as f64, base_log, levels)
}

/// The variance that a centered modulus switch to `2 * size` adds to a phase (a heuristic of tfhe's authors).
pub(super) fn centered_modulus_switch(lwe_dimension: usize, size: usize) -> f64 {
    let step = 1.0 / (2.0 * size as f64);
    lwe_dimension as f64 * (UNIT_SQUARED / 24.0 + step * step / 48.0)
}

#[cfg(all(test, feature = "evaluate"))]
mod tests {
    use super::*;
    use tfhe::core_crypto::commons::noise_formulas::{
        centered_mean_shifted_modulus_switch as shifted, lwe_keyswitch, lwe_programmable_bootstrap, secure_noise,
    };
    use tfhe::core_crypto::prelude::{
        DecompositionBaseLog, DecompositionLevelCount, GlweDimension, LweDimension, PolynomialSize,
    };

    const MODULUS: f64 = 18_446_744_073_709_551_616.0;

    fn assert_near(ours: f64, theirs: f64, what: impl std::fmt::Debug) {
        assert!((ours / theirs - 1.0).abs() < 1e-9, "{what:?}: {ours} and {theirs}");
    }

    #[test]
    fn the_curve_is_tfhes() {
        for n in 1..=8192 {
            let theirs = secure_noise::minimal_lwe_variance_for_132_bits_security_tuniform(LweDimension(n), MODULUS);
            assert_near(curve_variance(n), theirs.0, n);
            let theirs = secure_noise::minimal_lwe_bound_for_132_bits_security_tuniform(LweDimension(n), MODULUS);
            assert_eq!(curve_bound(n), theirs, "{n}");
        }
    }

    #[test]
    fn steps_add_what_tfhe_says() {
        for (n, k, log) in [(2, 1, 11), (512, 1, 11), (640, 3, 9), (1024, 6, 8), (1216, 1, 13), (1000, 33, 4)] {
            for (base_log, levels) in [(1, 1), (4, 5), (8, 1), (23, 1), (12, 2), (16, 3), (7, 7)] {
                let theirs = lwe_programmable_bootstrap::pbs_variance_132_bits_security_tuniform_fft_mul(
                    LweDimension(n),
                    GlweDimension(k),
                    PolynomialSize(1 << log),
                    DecompositionBaseLog(base_log as usize),
                    DecompositionLevelCount(levels as usize),
                    53.0,
                    MODULUS,
                );
                assert_near(bootstrap(n, k, 1 << log, base_log, levels), theirs.0, (n, k, log, base_log, levels));
                let theirs = lwe_keyswitch::keyswitch_additive_variance_132_bits_security_tuniform(
                    LweDimension(k << log),
                    LweDimension(n),
                    DecompositionBaseLog(base_log as usize),
                    DecompositionLevelCount(levels as usize),
                    MODULUS,
                    MODULUS,
                );
                assert_near(keyswitch(k << log, n, base_log, levels), theirs.0, (k << log, n, base_log, levels));
            }
            let theirs = shifted::centered_binary_shifted_modulus_switch_additive_variance(
                LweDimension(n),
                MODULUS,
                2.0 * f64::from(1 << log),
            );
            assert_near(centered_modulus_switch(n, 1 << log), theirs.0, (n, log));
        }
    }
}
