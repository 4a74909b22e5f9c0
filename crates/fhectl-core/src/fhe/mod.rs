//! TFHE (Chillotti, Gama, Georgieva, Izabachène, "TFHE: Fast Fully Homomorphic Encryption over the Torus", J. Cryptology
//! 2020): LWE and GLWE ciphertexts, keys, noise, bootstrapping. Comments cite that paper as "TFHE". No other module uses
//! the `tfhe` crate.
//!
//! | concern | modules | feature |
//! |---|---|---|
//! | shapes, wire formats, randomness, noise formulas | [`lwe`], [`seeded`], [`partial_glwe`], [`ggsw`], [`bootstrap`], [`keyswitch`], [`part`], [`public_key`], [`wire`], [`random`], [`noise`] | |
//! | secret keys, encryption, decryption | `secret`, `encrypt`, `phase` | `client` |
//! | computing on ciphertexts | `list`, `spaced`, `switch`, `pbs`, `cmux`, `external_product`, `fourier_ggsws`, `kernel` | `evaluate` |
//! | layers, and where they are computed | `layer`, `backend`, `cpu`, `device_profile` | `evaluate` |
//! | making answers independent of the computation | `rerandomize`, `zeros` | `evaluate` |
//!
//! A torus element is a `u64`, read as a fraction of 2^64. All keys are binary. All noise is TUniform at the bound of
//! tfhe's curve for 132 bits of security ([`noise`]).
//!
//! An encryption and what a server does first with it:
//!
//! ```
//! # #[cfg(all(feature = "client", feature = "os"))] {
//! use fhectl_core::fhe::random::OsEntropy;
//! use fhectl_core::fhe::{GlweSecret, GlweShape, Lwe, SeededLayout};
//!
//! let shape = GlweShape::new(1, 1024);
//! let secret = GlweSecret::generate(shape, &mut OsEntropy);
//! let layout = SeededLayout { shape, bodies: 3, bits: 32 };
//! let messages = [1 << 61, 2 << 61, 3 << 61];
//! let request = layout.encrypt(&secret, &messages, &mut OsEntropy);
//! assert_eq!(request.len(), layout.wire_len());
//!
//! let ciphertexts = layout.expand(&request)?;
//! let mut sum = Lwe::zero(shape.lwe_dimension());
//! ciphertexts.add_coefficient(0, 1, &mut sum);
//! ciphertexts.add_coefficient(1, 2, &mut sum); // an encryption of 1 + 2 * 2, in units of 2^61
//! # }
//! # Ok::<(), fhectl_core::error::Error>(())
//! ```

#[cfg(feature = "evaluate")]
pub mod backend;
pub mod bootstrap;
#[cfg(feature = "evaluate")]
pub mod cmux;
#[cfg(feature = "evaluate")]
pub mod cost;
#[cfg(feature = "evaluate")]
pub mod cpu;
#[cfg(feature = "evaluate")]
pub mod device_profile;
pub mod disclosure;
#[cfg(feature = "client")]
pub mod encrypt;
#[cfg(feature = "evaluate")]
pub mod external_product;
#[cfg(feature = "evaluate")]
pub mod fourier_ggsws;
pub mod ggsw;
mod glwe_shape;
#[cfg(feature = "evaluate")]
mod kernel;
mod keystream;
pub mod keyswitch;
#[cfg(feature = "evaluate")]
pub mod layer;
#[cfg(feature = "evaluate")]
pub mod list;
pub mod lwe;
mod multiple;
pub mod noise;
mod noise_formulas;
pub mod ntt;
mod parameters;
pub mod part;
pub mod partial_glwe;
#[cfg(feature = "evaluate")]
pub mod pbs;
#[cfg(feature = "client")]
pub(crate) mod phase;
#[cfg(feature = "evaluate")]
mod polynomial;
pub mod public_key;
pub mod random;
#[cfg(feature = "evaluate")]
pub mod rerandomize;
#[cfg(feature = "client")]
pub mod secret;
pub mod seeded;
#[cfg(feature = "evaluate")]
pub mod spaced;
pub mod stride;
#[cfg(feature = "evaluate")]
pub mod switch;
mod vectorized;
pub mod wire;
#[cfg(feature = "evaluate")]
pub mod zeros;

pub use glwe_shape::GlweShape;
pub use lwe::Lwe;
pub(crate) use parameters::bad_parameters;
pub use partial_glwe::PartialGlwe;
pub use random::{Entropy, Random, Seed};
#[cfg(feature = "client")]
pub use secret::GlweSecret;
pub use seeded::{GlweList, SeededLayout};
