//! Predicted time of the expensive steps, for choosing among parameters.
//!
//! Fitted by `cargo bench -p fhectl-bench` (`primitives` and `planner`) on a virtual 2-core AVX-512 machine whose own speed
//! varies by a third from minute to minute, to the middle of what it does. Other machines differ by a factor that is
//! nearly the same for all candidates, so the choice holds.

use super::bootstrap::BootstrapParams;
use super::ggsw::GgswLayout;
use super::{GlweShape, SeededLayout};

/// Nanoseconds of one core for a butterfly of a Fourier transform, and for a multiply-add in the Fourier domain.
const NS_FFT: f64 = 0.22;
const NS_MULTIPLY: f64 = 0.26;
/// Nanoseconds a word of the accumulator for rotation, subtraction and decomposition.
const NS_WORD: f64 = 0.48;
/// Nanoseconds for a point of a number-theoretic transform step, and for a word around it (draws, products, limbs).
const NS_NTT: f64 = 0.18;
const NS_NTT_WORD: f64 = 0.85;
/// Nanoseconds for a multiply-add of LWE words.
const NS_LINEAR: f64 = 0.32;
/// The same in a list of 32-bit words.
const NS_COMBINE: f64 = 0.07;
/// Nanoseconds to draw a word of a mask and one of noise, and to pack and unpack a word of the wire.
const NS_MASK: f64 = 1.5;
const NS_NOISE: f64 = 2.4;
const NS_PACK: f64 = 4.0;
const NS_UNPACK: f64 = 2.2;

/// What each thread beyond the first adds, in parts of the first: to an evaluation and to encryption, which both
/// wait for memory, and to bootstraps, whose batches stay in a core's cache.
const NEXT_THREAD: f64 = 0.7;
const NEXT_THREAD_ENCRYPTION: f64 = 0.45;
const NEXT_THREAD_BOOTSTRAPS: f64 = 0.95;
/// Seconds that a client takes for an exchange whatever its size: seeds, buffers, threads that wake up.
pub const EXCHANGE_SECONDS: f64 = 14e-6;
/// Seconds of encryption below which a thread that has to wake up brings nothing.
pub const WORTH_A_THREAD: f64 = 500e-6;

/// Work that is parted among threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Evaluation,
    Bootstraps,
    Encryption,
}

/// How much faster work that parts into so many threads is than on one.
pub fn speed_up(threads: usize, work: Work) -> f64 {
    let gain = match work {
        Work::Evaluation => NEXT_THREAD,
        Work::Bootstraps => NEXT_THREAD_BOOTSTRAPS,
        Work::Encryption => NEXT_THREAD_ENCRYPTION,
    };
    1.0 + gain * (threads.max(1) - 1) as f64
}

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

/// Nanoseconds a byte of a GGSW ciphertext in the Fourier domain, read from memory.
const NS_LOAD: f64 = 0.09;

/// Seconds of one core for CMUXes that share so many passes over a GGSW ciphertext.
pub fn shared_cmux_seconds(params: &GgswLayout, cmuxes: usize, passes: usize) -> f64 {
    let of_one = params.fourier_bytes() as f64 / params.count as f64;
    cmuxes as f64 * cmux_seconds(params) + passes as f64 * of_one * NS_LOAD * 1e-9
}

/// Seconds of one core for reading GGSW ciphertexts: bodies, masks, a transform of each polynomial.
pub fn unpack_seconds(params: &GgswLayout) -> f64 {
    let bodies = params.layout().bodies as f64;
    let masks = bodies * params.shape.dimension as f64;
    let transforms = (bodies + masks) * (params.shape.size as f64).log2() / 2.0;
    (NS_UNPACK * bodies + NS_MASK * masks + NS_FFT * transforms) * 1e-9
}

/// Seconds of one core for one re-randomisation.
pub fn rerandomize_seconds(shape: GlweShape) -> f64 {
    let (k, n) = (shape.dimension as f64, shape.size as f64);
    let transforms = k + 2.0 * k;
    let draws = n * (2.0 * k + 1.0);
    (NS_NTT * transforms * n * n.log2() + NS_NTT_WORD * n * k * (k + 2.0) + NS_NOISE * draws) * 1e-9
}

/// Seconds of one core for re-randomising a partial GLWE ciphertext.
pub fn rerandomize_partial_seconds(shape: GlweShape) -> f64 {
    let (k, n) = (shape.dimension as f64, shape.size as f64);
    rerandomize_seconds(shape) + (NS_NTT * 2.0 * n * n.log2() + (NS_NTT_WORD * k + NS_NOISE) * n) * 1e-9
}

/// Seconds of one core for an encryption of zero, a whole GLWE ciphertext.
pub fn zero_seconds(shape: GlweShape) -> f64 {
    rerandomize_partial_seconds(shape) + NS_NOISE * shape.size as f64 * 1e-9
}

/// Seconds of one core for encrypting a list, but for packing it.
pub fn encrypt_seconds(layout: &SeededLayout) -> f64 {
    let (k, n) = (layout.shape.dimension as f64, layout.shape.size as f64);
    let transforms = 2.0 * k + 2.0;
    let words = NS_MASK * k + NS_NOISE + NS_NTT_WORD * (k + 1.0);
    let each = NS_NTT * transforms * n * n.log2() + words * n;
    layout.ciphertexts() as f64 * each * 1e-9
}

/// Seconds for packing so many words.
pub fn pack_seconds(words: usize) -> f64 {
    NS_PACK * words as f64 * 1e-9
}

/// Seconds for decrypting one LWE ciphertext.
pub fn decrypt_seconds(shape: GlweShape) -> f64 {
    (NS_UNPACK + NS_LINEAR) * shape.lwe_dimension() as f64 * 1e-9
}

/// Seconds for decrypting one partial GLWE ciphertext.
pub fn decrypt_partial_seconds(shape: GlweShape) -> f64 {
    let (k, n) = (shape.dimension as f64, shape.size as f64);
    let transforms = 2.0 * k + 2.0;
    (NS_UNPACK * n * k + NS_NTT * transforms * n * n.log2() + NS_NTT_WORD * n * (k + 1.0)) * 1e-9
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
    (NS_MASK * masks as f64 + NS_UNPACK * input.bodies as f64) * 1e-9
}

/// Seconds of one core for writing an answer of `count` LWE ciphertexts.
pub fn answer_seconds(count: usize, dimension: usize) -> f64 {
    NS_PACK * (count * (dimension + 1)) as f64 * 1e-9
}
