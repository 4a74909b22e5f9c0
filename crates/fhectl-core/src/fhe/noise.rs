//! Noise: how much the security curve requires, how much each operation adds, and the probability that decryption fails.
//!
//! All variances are in fractions of the torus, squared. The security curve and the formulas of bootstraps and keyswitches
//! are tfhe's (`noise_formulas`).
//!
//! Failure probabilities are upper bounds, not approximations. A TUniform sample, and the error of rounding a uniform word,
//! are sums of independent `+-2^i` with equal probability. So they are strictly sub-Gaussian:
//! `E exp(tX) <= exp(t^2 variance / 2)`, because `cosh t <= exp(t^2 / 2)`. Weighted sums of independent sub-Gaussian variables
//! are sub-Gaussian, and Chernoff's bound gives `P(|X| >= m) <= 2 exp(-m^2 / (2 variance))` ([`log2_failure`]). Where the
//! weights are bits of a key or of a re-randomizing vector, their number is bounded by the Hamming weight that no key
//! exceeds ([`hamming_weight_bound`]). For sums of fresh ciphertexts with uniform masks this is a theorem. For bootstraps and CMUXes,
//! whose digits depend on earlier noise, the same formula is a heuristic.

use super::glwe_shape::GlweShape;
pub use super::glwe_shape::MIN_LWE_DIMENSION;
use super::noise_formulas;

/// The security of the curve, in bits.
pub const SECURITY_BITS: u32 = 132;

const MODULUS: f64 = 18_446_744_073_709_551_616.0; // 2^64

/// The bound `b` of TUniform(b) for a binary LWE key of this dimension, modulus 2^64, at [`SECURITY_BITS`]: the smallest
/// bound whose variance reaches the curve (up to the relative precision of the curve, 1e-6).
///
/// The curve is flat at a variance of 2^4.44 units squared: with less noise, attacks on the rounding are better than lattice
/// attacks.
pub fn t_uniform_bound(lwe_dimension: usize) -> u32 {
    let wanted = noise_formulas::curve_variance(lwe_dimension) * (1.0 - 1e-6);
    let first = noise_formulas::curve_bound(lwe_dimension);
    (first..).find(|bound| t_uniform_variance(*bound) >= wanted).unwrap_or(first)
}

fn t_uniform_variance(bound_log2: u32) -> f64 {
    ((2.0 * f64::from(bound_log2) + 1.0).exp2() + 1.0) / 6.0 / MODULUS / MODULUS
}

/// The variance of a fresh encryption under a key of this dimension.
pub fn fresh_variance(lwe_dimension: usize) -> f64 {
    t_uniform_variance(t_uniform_bound(lwe_dimension))
}

/// The variance of rounding a uniform word to `bits` bits: a uniform distribution of width `2^-bits`.
pub fn rounding_variance(bits: u32) -> f64 {
    if bits >= 64 { 0.0 } else { (-2.0 * f64::from(bits)).exp2() / 12.0 }
}

/// The variance of a coefficient of a seeded ciphertext whose body is rounded to `bits` bits.
pub fn seeded_variance(shape: GlweShape, bits: u32) -> f64 {
    fresh_variance(shape.lwe_dimension()) + rounding_variance(bits)
}

/// The most ones that a binary key or re-randomizing vector of this dimension has: eight standard deviations above the
/// mean. What is drawn with more, some once in 2^50 times, is drawn again.
pub fn hamming_weight_bound(lwe_dimension: usize) -> f64 {
    let dimension = lwe_dimension as f64;
    (dimension / 2.0 + 4.0 * dimension.sqrt()).min(dimension)
}

/// The variance that rounding mask and body of an LWE ciphertext to `bits` bits adds to its phase, for any key.
///
/// [`super::Lwe::write`] corrects the body for half of the errors of the mask. That leaves `sum_i (1/2 - s_i) e_i`, in which
/// every weight has magnitude 1/2.
pub fn answer_rounding_variance(lwe_dimension: usize, bits: u32) -> f64 {
    (lwe_dimension as f64 / 4.0 + 1.0) * rounding_variance(bits)
}

/// An upper bound on the variance that rounding mask and body to 32 bits adds to a phase.
pub fn narrowing_variance(lwe_dimension: usize) -> f64 {
    (hamming_weight_bound(lwe_dimension) + 1.0) * rounding_variance(32)
}

/// An upper bound on the variance of an encryption of zero under a module-LWE public key whose bodies are rounded to
/// `key_bits` bits. Its noise is `<e, rho> - <s, e1> + e2` with binary `rho` and `s`.
pub fn public_encryption_variance(shape: GlweShape, key_bits: u32) -> f64 {
    let weight = hamming_weight_bound(shape.lwe_dimension());
    let fresh = fresh_variance(shape.lwe_dimension());
    weight * (fresh + rounding_variance(key_bits)) + weight * fresh + fresh
}

/// The variance that the centered modulus switch to `2N` adds to the phase before a blind rotation.
pub fn modulus_switch_variance(lwe_dimension: usize, polynomial_size: usize) -> f64 {
    noise_formulas::centered_modulus_switch(lwe_dimension, polynomial_size)
}

/// A gadget decomposition, and the bits to which the bodies of its key are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gadget {
    /// log2 of the base `B`.
    pub base_log: u32,
    /// Digits of a decomposed word.
    pub levels: u32,
    /// Bits of each body of the key on the wire.
    pub key_bits: u32,
}

/// The variance of a bootstrap's output: that of a CMUX for each entry of the small key, and the rounding of accumulators to
/// words of 32 bits, once before the first CMUX and once in each.
pub fn bootstrap_variance(lwe_dimension: usize, output: GlweShape, gadget: Gadget) -> f64 {
    let roundings = (lwe_dimension + 1) as f64 * narrowing_variance(output.lwe_dimension());
    cmuxes_variance(lwe_dimension, output, gadget) + roundings
}

/// The variance that `cmuxes` CMUXes with uniform bits add: tfhe's formula, plus the noise of our keys beyond what it assumes.
///
/// The noise of the key enters with a factor of `l * N * (k + 1) * (B^2/12 + 1/6)` a CMUX. The formula assumes the variance of
/// the curve. Our keys have the next TUniform bound above the curve, and their bodies are rounded to `key_bits` bits.
pub(super) fn cmuxes_variance(cmuxes: usize, output: GlweShape, gadget: Gadget) -> f64 {
    let formula = noise_formulas::bootstrap(cmuxes, output.dimension, output.size, gadget.base_log, gadget.levels);
    let products = cmuxes * gadget.levels as usize * output.size * (output.dimension + 1);
    let transforms = transform_variance(output, gadget) * (1.0 - 1.0 / TRANSFORMS);
    formula + cmuxes as f64 * transforms + excess_key_variance(products, output.lwe_dimension(), gadget)
}

/// An upper bound on the variance that the Fourier transforms of a product add to a phase.
pub(super) fn transform_variance(shape: GlweShape, gadget: Gadget) -> f64 {
    TRANSFORMS * noise_formulas::transform(shape.dimension, shape.size, gadget.base_log, gadget.levels)
}

/// The variance of our transforms in units of what tfhe's formula says of its own: 0.9 to 1.3 where a GGSW ciphertext has up to
/// twenty rows, 1.5 at fifty, as a test of `external_product` measures against integers.
const TRANSFORMS: f64 = 1.6;

/// The variance that `products` products of a digit and a coefficient of the key add beyond tfhe's formulas: the noise of the
/// key above the curve, and the rounding of its bodies.
fn excess_key_variance(products: usize, dimension: usize, gadget: Gadget) -> f64 {
    let above_curve = (fresh_variance(dimension) - noise_formulas::curve_variance(dimension)).max(0.0);
    products as f64
        * noise_formulas::digit_variance(gadget.base_log)
        * (above_curve + rounding_variance(gadget.key_bits))
}

/// The variance that a keyswitch adds: tfhe's formula, plus the noise of our keys beyond what it assumes, as for
/// [`bootstrap_variance`].
pub fn keyswitch_variance(from: usize, to: usize, gadget: Gadget) -> f64 {
    let formula = noise_formulas::keyswitch(from, to, gadget.base_log, gadget.levels);
    formula + excess_key_variance(from * gadget.levels as usize, to, gadget)
}

/// log2 of `2 exp(-margin^2 / (2 variance))`: an upper bound on the probability that sub-Gaussian noise exceeds `margin`, a
/// fraction of the torus.
///
/// ```
/// use fhectl_core::fhe::noise::{deviations, log2_failure};
/// assert!((log2_failure(deviations(-128.0), 1.0) + 128.0).abs() < 1e-9);
/// ```
pub fn log2_failure(margin: f64, variance: f64) -> f64 {
    if margin <= 0.0 {
        return 0.0;
    }
    (1.0 - margin * margin / variance / 2.0 * std::f64::consts::LOG2_E).min(0.0)
}

/// The margin in standard deviations that gives a failure probability of at most `2^log2_failure`: the inverse of
/// [`log2_failure`].
pub fn deviations(log2_failure: f64) -> f64 {
    (2.0 * (1.0 - log2_failure) / std::f64::consts::LOG2_E).max(0.0).sqrt()
}

/// The widest flooding noise `w`, uniform over `[-w, w)` in units of 2^-64, that fits into `margin` beside noise of
/// `variance`, with a failure probability of at most `2^log2_failure`. `None` where none fits.
///
/// Rounded down to eight binary digits. The width is public, and with all its digits it would disclose the variance, which
/// depends on the model.
pub fn widest_flooding(margin: f64, variance: f64, log2_failure: f64) -> Option<u64> {
    let room = (margin - deviations(log2_failure) * variance.sqrt()) * MODULUS;
    (room >= 2.0).then(|| leading_digits(room as u64, 8))
}

/// `number` with only its leading `digits` binary digits kept, the others set to zero.
pub fn leading_digits(number: u64, digits: u32) -> u64 {
    let unused = (64 - number.leading_zeros()).saturating_sub(digits);
    number >> unused << unused
}

/// The largest magnitude of flooding noise over `[-flooding, flooding)` in units of 2^-64, as a fraction of the torus.
pub fn flooding_reach(flooding: Option<u64>) -> f64 {
    flooding.map_or(0.0, |flooding| flooding as f64 / MODULUS)
}

/// How much rounding the body to `bits` bits reduces a margin in the worst case: half a step. Without flooding the rounding
/// error depends on the rest of the phase, so it cannot be counted as independent noise. With flooding it is, and this is 0.
pub fn dependent_cut(flooding: Option<u64>, bits: u32) -> f64 {
    if flooding.is_some() || bits >= 64 { 0.0 } else { (-f64::from(bits) - 1.0).exp2() }
}

/// The variance of flooding noise over `[-flooding, flooding)`.
pub fn flooding_variance(flooding: u64) -> f64 {
    (flooding as f64 / MODULUS).powi(2) / 3.0
}

/// The widest flooding noise whose variance is at most `variance`, in units of 2^-64 and rounded down to three binary digits.
/// `None` where it would be less than one unit.
pub fn flooding_of_variance(variance: f64) -> Option<u64> {
    let widest = (3.0 * variance.max(0.0)).sqrt() * MODULUS;
    (widest >= 1.0).then(|| leading_digits(widest.min(0.25 * MODULUS) as u64, 3))
}

/// The most bits of information that one answer carries to a client, honest or not: the capacity of the torus with uniform
/// noise over `[-flooding, flooding)`.
///
/// Whatever a client sends, it decrypts a value that depends on the model, plus that noise. The entropy of the answer is at
/// most that of the uniform distribution on the torus, and its entropy given the value is that of the noise. So the mutual
/// information is at most `64 - log2(2 flooding)`.
pub fn message_capacity(flooding: u64) -> f64 {
    63.0 - (flooding as f64).log2()
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

/// log2 of the expected statistical distance between `answers` ciphertexts and ciphertexts whose noise does not depend on the
/// model, when uniform noise over `[-flooding, flooding)` (in units of 2^-64) is added to each.
///
/// A uniform distribution of width `w` and its shift by `d` have distance `|d| / w`, `E|d| <= sigma`, and the distances of
/// independent answers add up.
pub fn log2_flooding_distance(variance: f64, flooding: u64, answers: usize) -> f64 {
    let width = 2.0 * flooding as f64 / MODULUS;
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
            assert!(
                fresh_variance(dimension) >= noise_formulas::curve_variance(dimension) * (1.0 - 1e-6),
                "dimension {dimension}"
            );
        }
    }

    #[test]
    fn failure_is_bounded_by_chernoff_and_inverted() {
        // Some five bits above the normal law's tail, which is 2^-128 at 13.05 deviations.
        assert!((log2_failure(13.05, 1.0) + 121.8).abs() < 0.1, "{}", log2_failure(13.05, 1.0));
        assert_eq!((log2_failure(0.0, 1.0), log2_failure(0.5, 1.0)), (0.0, 0.0));
        for log2 in [-10.0, -64.0, -128.0, -250.0] {
            assert!((log2_failure(deviations(log2), 1.0) - log2).abs() < 1e-9);
            let flooding = widest_flooding(0.01, 1e-8, log2).unwrap();
            let left = 0.01 - flooding_reach(Some(flooding));
            let failure = log2_failure(left, 1e-8);
            assert!(failure <= log2 && failure > 1.3 * log2, "{failure} for {log2}");
            assert_eq!(leading_digits(flooding, 8), flooding);
        }
        assert_eq!(widest_flooding(0.01, 1e-4, -128.0), None);
    }

    /// The moments of the laws themselves: the bound on tails stands on them.
    #[test]
    fn noise_is_strictly_sub_gaussian() {
        // TUniform over [-8, 8] and rounding errors over 16 points, exactly.
        let ends = |x: i32| if x.abs() == 8 { 0.5 } else { 1.0 };
        let t_uniform: Vec<(f64, f64)> = (-8..=8).map(|x| (f64::from(x), ends(x) / 16.0)).collect();
        let rounding: Vec<(f64, f64)> = (0..16).map(|x| (f64::from(x) - 7.5, 1.0 / 16.0)).collect();
        for law in [t_uniform, rounding] {
            let variance: f64 = law.iter().map(|(x, p)| x * x * p).sum();
            for t in (1..400).map(|t| f64::from(t) * 0.01) {
                let moment: f64 = law.iter().map(|(x, p)| (t * x).exp() * p).sum();
                assert!(moment <= (t * t * variance / 2.0).exp() * (1.0 + 1e-12), "t = {t}");
            }
        }
        assert!((t_uniform_variance(3) * MODULUS * MODULUS - 21.5).abs() < 1e-9);
    }

    #[test]
    fn union_adds_probabilities() {
        assert!((log2_union([-10.0, -10.0]) + 9.0).abs() < 1e-9);
        assert!((log2_union([-1000.0, -1000.0, -1000.0, -1000.0]) + 998.0).abs() < 1e-9);
    }
}
