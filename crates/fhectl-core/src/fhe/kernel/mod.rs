//! Products of GGSW ciphertexts with GLWE ciphertexts, as fast as the machine's vector units allow.
//!
//! A factor's words become digits, digits become spectra, spectra are multiplied with the ciphertext's and summed in
//! registers, and sums become rounded words that are added to an accumulator. The ciphertext, a hundred kilobytes, streams
//! by; everything else stays in a core's caches.
//!
//! | step | module |
//! |---|---|
//! | vector units: which one, what they do beyond arithmetic | [`unit`], [`vector`], `x86` |
//! | Fourier transforms in no particular order | [`transform`]: `forward`, `backward`, `passes`, `butterfly`, `twiddles`, `complex` |
//! | factors and their digits | [`digits`], [`factor`] |
//! | products | [`product`] |
//! | layout, caches and pages | [`block`], [`aligned`], [`memory`] |
//!
//! Code that must be compiled for a vector unit is a [`unit::Task`], run by [`unit::Unit::run`] or [`unit::vectorize`]. A
//! closure would not do: unless the whole binary is built for the unit, closures are compiled without its instructions.
//! Functions on the way are `inline(always)`, or they are compiled without them as well.

pub mod aligned;
mod backward;
pub mod block;
mod butterfly;
mod complex;
pub mod digits;
pub mod factor;
mod forward;
pub mod memory;
pub mod passes;
pub mod product;
pub mod transform;
mod twiddles;
pub mod unit;
pub mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;
