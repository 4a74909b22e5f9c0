//! Predicted running time of the expensive operations, by which the search chooses among parameters.
//!
//! The constants are fitted to `cargo bench -p fhectl-bench` (`primitives` and `planner`) on a virtual machine with 2
//! cores and AVX-512, whose speed varies by a third from minute to minute. Other machines differ by a factor that is nearly the same
//! for all candidates, so that the same ones win.

use super::bootstrap::BootstrapParams;
use super::ggsw::GgswLayout;
use super::stride::stride;
use super::{GlweShape, SeededLayout};

/// Nanoseconds of one core for a butterfly of a Fourier transform, and for a multiply-add in the Fourier domain.
const NS_FFT: f64 = 0.10;
const NS_MULTIPLY: f64 = 0.15;
/// Nanoseconds per word of an accumulator, for rotation, subtraction and decomposition.
const NS_WORD: f64 = 0.18;
/// Nanoseconds per point of a number-theoretic transform step, and per word around it (draws, products, limbs).
const NS_NTT: f64 = 0.18;
const NS_NTT_WORD: f64 = 0.85;
/// Nanoseconds for a multiply-add of 64-bit LWE words.
const NS_LINEAR: f64 = 0.32;
/// Nanoseconds for a multiply-add in a list of 32-bit LWE words.
const NS_COMBINE: f64 = 0.07;
/// Nanoseconds to draw a word of a mask, to draw a word of noise, to pack a word and to unpack one.
const NS_MASK: f64 = 1.5;
const NS_NOISE: f64 = 2.4;
const NS_PACK: f64 = 4.0;
const NS_UNPACK: f64 = 2.2;

/// The speed-up of each thread beyond the first, as a fraction of the first. Evaluation and encryption are bound by memory;
/// batches of bootstraps stay in a core's cache.
const NEXT_THREAD: f64 = 0.7;
const NEXT_THREAD_ENCRYPTION: f64 = 0.45;
const NEXT_THREAD_BOOTSTRAPS: f64 = 0.95;
/// Seconds that a client takes for any exchange, whatever its size: seeds, buffers, waking threads.
pub const EXCHANGE_SECONDS: f64 = 14e-6;
/// Seconds of encryption below which waking a second thread does not pay off.
pub const MIN_PARALLEL_SECONDS: f64 = 500e-6;

/// Kinds of work that are divided among threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Evaluation,
    Bootstraps,
    Encryption,
}

/// The speed of `threads` threads relative to one thread.
pub fn speed_up(threads: usize, work: Work) -> f64 {
    let gain = match work {
        Work::Evaluation => NEXT_THREAD,
        Work::Bootstraps => NEXT_THREAD_BOOTSTRAPS,
        Work::Encryption => NEXT_THREAD_ENCRYPTION,
    };
    1.0 + gain * (threads.max(1) - 1) as f64
}

/// Cores that are counted on beside a computing device.
const CORES_BESIDE_DEVICE: usize = 8;

/// Seconds for what the processor does for a device, of this many seconds of one core: it is divided among cores.
pub fn beside_device_seconds(core_seconds: f64) -> f64 {
    core_seconds / speed_up(CORES_BESIDE_DEVICE, Work::Evaluation)
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

/// Nanoseconds to read a byte of a GGSW ciphertext in the Fourier domain from memory.
const NS_LOAD: f64 = 0.09;

/// Seconds of one core for `cmuxes` CMUXes that share `passes` passes over a GGSW ciphertext.
pub fn shared_cmux_seconds(params: &GgswLayout, cmuxes: usize, passes: usize) -> f64 {
    let of_one = params.fourier_bytes() as f64 / params.count as f64;
    cmuxes as f64 * cmux_seconds(params) + passes as f64 * of_one * NS_LOAD * 1e-9
}

/// Seconds of one core for unpacking a list of GGSW ciphertexts: bodies, masks, and a transform of each polynomial.
pub fn unpack_seconds(params: &GgswLayout) -> f64 {
    let bodies = params.layout().bodies as f64;
    let masks = bodies * params.shape.dimension as f64;
    let transforms = (bodies + masks) * (params.shape.size as f64).log2() / 2.0;
    (NS_UNPACK * bodies + NS_MASK * masks + NS_FFT * transforms) * 1e-9
}

/// Seconds of one core for one re-randomization.
pub fn rerandomize_seconds(shape: GlweShape) -> f64 {
    let (k, n) = (shape.dimension as f64, shape.size as f64);
    let transforms = k + 2.0 * k;
    let draws = n * (2.0 * k + 1.0);
    (NS_NTT * transforms * n * n.log2() + NS_NTT_WORD * n * k * (k + 2.0) + NS_NOISE * draws) * 1e-9
}

/// Seconds of one core for re-randomizing a partial GLWE ciphertext.
pub fn rerandomize_partial_seconds(shape: GlweShape) -> f64 {
    let (k, n) = (shape.dimension as f64, shape.size as f64);
    rerandomize_seconds(shape) + (NS_NTT * 2.0 * n * n.log2() + (NS_NTT_WORD * k + NS_NOISE) * n) * 1e-9
}

/// Seconds of one core for an encryption of zero as a whole GLWE ciphertext.
pub fn zero_seconds(shape: GlweShape) -> f64 {
    rerandomize_partial_seconds(shape) + NS_NOISE * shape.size as f64 * 1e-9
}

/// Seconds of one core for encrypting a list, without packing it.
pub fn encrypt_seconds(layout: &SeededLayout) -> f64 {
    let (k, n) = (layout.shape.dimension as f64, layout.shape.size as f64);
    let transforms = 2.0 * k + 2.0;
    let words = NS_MASK * k + NS_NOISE + NS_NTT_WORD * (k + 1.0);
    let each = NS_NTT * transforms * n * n.log2() + words * n;
    layout.ciphertexts() as f64 * each * 1e-9
}

/// Seconds of one core for packing `words` words.
pub fn pack_seconds(words: usize) -> f64 {
    NS_PACK * words as f64 * 1e-9
}

/// Seconds of one core for decrypting one LWE ciphertext.
pub fn decrypt_seconds(shape: GlweShape) -> f64 {
    (NS_UNPACK + NS_LINEAR) * shape.lwe_dimension() as f64 * 1e-9
}

/// Seconds of one core for decrypting one partial GLWE ciphertext.
pub fn decrypt_partial_seconds(shape: GlweShape) -> f64 {
    let (k, n) = (shape.dimension as f64, shape.size as f64);
    let transforms = 2.0 * k + 2.0;
    (NS_UNPACK * n * k + NS_NTT * transforms * n * n.log2() + NS_NTT_WORD * n * (k + 1.0)) * 1e-9
}

/// Seconds of one core for adding `count` coefficients of a GLWE list to an LWE ciphertext of this dimension.
pub fn linear_seconds(count: usize, dimension: usize) -> f64 {
    count as f64 * dimension as f64 * NS_LINEAR * 1e-9
}

/// Seconds of one core for `terms` terms of weighted sums of 32-bit LWE ciphertexts of this dimension.
pub fn combine_seconds(terms: usize, dimension: usize) -> f64 {
    terms as f64 * stride(dimension) as f64 * NS_COMBINE * 1e-9
}

/// Seconds of one core for reading a request and expanding its masks.
pub fn expand_seconds(input: &SeededLayout) -> f64 {
    let masks = input.ciphertexts() * input.shape.lwe_dimension();
    (NS_MASK * masks as f64 + NS_UNPACK * input.bodies as f64) * 1e-9
}

/// Seconds of one core for writing an answer of `count` LWE ciphertexts.
pub fn answer_seconds(count: usize, dimension: usize) -> f64 {
    NS_PACK * (count * (dimension + 1)) as f64 * 1e-9
}
