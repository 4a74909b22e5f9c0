//! Predicted time of the expensive steps, for choosing among parameters.
//!
//! Fitted by `cargo bench --bench primitives` on a 2-core AVX-512 machine; other machines differ by a factor that
//! is nearly the same for all candidates, so the choice holds.

use super::bootstrap::BootstrapParams;
use super::ggsw::GgswLayout;
use super::{GlweShape, SeededLayout};

/// Nanoseconds of one core for a butterfly of a Fourier transform, and for a multiply-add in the Fourier domain.
const NS_FFT: f64 = 0.25;
const NS_MULTIPLY: f64 = 0.3;
/// Nanoseconds a word of the accumulator for rotation, subtraction and decomposition.
const NS_WORD: f64 = 0.55;
/// Nanoseconds for a point of a number-theoretic transform step, and for a word around it (draws, products, limbs).
const NS_NTT: f64 = 0.28;
const NS_NTT_WORD: f64 = 3.3;
/// Nanoseconds for a multiply-add of LWE words.
const NS_LINEAR: f64 = 0.4;
/// The same in a list of 32-bit words.
const NS_COMBINE: f64 = 0.08;
/// Nanoseconds to draw a word of a mask, and to pack or unpack a word of the wire.
const NS_MASK: f64 = 2.7;
const NS_WIRE: f64 = 10.0;

/// Seconds of one core for one bootstrap in a batch.
pub fn bootstrap_seconds(params: &BootstrapParams) -> f64 {
    params.lwe_dimension as f64 * cmux_seconds(&params.ggsws())
}

/// Seconds of one core for a CMUX.
pub fn cmux_seconds(params: &GgswLayout) -> f64 {
    let GlweShape { dimension, size } = params.shape;
    let (k1, n, levels) = ((dimension + 1) as f64, size as f64, f64::from(params.levels));
    let transforms = k1 * (levels + 1.0) * n * n.log2();
    let products = k1 * k1 * levels * n / 2.0;
    let words = k1 * n * (1.0 + levels);
    (NS_FFT * transforms / 2.0 + NS_MULTIPLY * products + NS_WORD * words) * 1e-9
}

/// Seconds of one core for reading GGSW ciphertexts: bodies, masks, a transform of each polynomial.
pub fn unpack_seconds(params: &GgswLayout) -> f64 {
    let bodies = params.layout().bodies as f64;
    let masks = bodies * params.shape.dimension as f64;
    let transforms = (bodies + masks) * (params.shape.size as f64).log2() / 2.0;
    (NS_WIRE * bodies + NS_MASK * masks + NS_FFT * transforms) * 1e-9
}

/// Seconds of one core for one re-randomisation.
pub fn rerandomize_seconds(shape: GlweShape) -> f64 {
    let (k, n) = (shape.dimension as f64, shape.size as f64);
    let transforms = k + 2.0 * k;
    (NS_NTT * transforms * n * n.log2() + NS_NTT_WORD * n * k * (k + 2.0)) * 1e-9
}

/// Seconds of one core for one re-randomisation of several coefficients: two more transforms back.
pub fn rerandomize_partial_seconds(shape: GlweShape) -> f64 {
    let (k, n) = (shape.dimension as f64, shape.size as f64);
    let transforms = k + 2.0 * (k + 1.0);
    (NS_NTT * transforms * n * n.log2() + NS_NTT_WORD * n * (k + 1.0) * (k + 2.0)) * 1e-9
}

/// Seconds of one core for the product of a mask with the key: two limbs a polynomial forward, and one back.
fn mask_product_seconds(shape: GlweShape) -> f64 {
    let (k, n) = (shape.dimension as f64, shape.size as f64);
    (NS_NTT * 2.0 * (k + 1.0) * n * n.log2() + NS_NTT_WORD * n * (k + 1.0)) * 1e-9
}

/// A client's seconds for encrypting an input.
pub fn encrypt_seconds(input: &SeededLayout) -> f64 {
    expand_seconds(input) + input.ciphertexts() as f64 * mask_product_seconds(input.shape)
}

/// A client's seconds for reading and decrypting an answer of several coefficients.
pub fn phases_seconds(shape: GlweShape) -> f64 {
    answer_seconds(1, shape.lwe_dimension()) + mask_product_seconds(shape)
}

/// Seconds of one core for adding `count` coefficients of a GLWE list into LWE sums of this dimension.
pub fn linear_seconds(count: usize, dimension: usize) -> f64 {
    count as f64 * dimension as f64 * NS_LINEAR * 1e-9
}

/// Seconds of one core for `terms` terms of sums of 32-bit LWE ciphertexts of this dimension.
pub fn combine_seconds(terms: usize, dimension: usize) -> f64 {
    terms as f64 * (dimension + 1).next_multiple_of(128) as f64 * NS_COMBINE * 1e-9
}

/// Seconds of one core for reading a request.
pub fn expand_seconds(input: &SeededLayout) -> f64 {
    let masks = input.ciphertexts() * input.shape.lwe_dimension();
    (NS_MASK * masks as f64 + NS_WIRE * input.bodies as f64) * 1e-9
}

/// Seconds of one core for writing an answer of `count` LWE ciphertexts.
pub fn answer_seconds(count: usize, dimension: usize) -> f64 {
    NS_WIRE * (count * (dimension + 1)) as f64 * 1e-9
}
