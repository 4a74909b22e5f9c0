//! The cryptography: LWE and GLWE ciphertexts, keys, noise, bootstrapping.
//!
//! The only room that names `tfhe`. Nouns hold shape ([`GlweShape`], [`Lwe`], [`GlweList`]), verbs act on
//! them. What only a client can do stands in `secret`, `phase` and `encrypt` (feature `client`); what a server does in
//! `rerandomize`, `zeros`, `external_product`, `cmux`, `pbs`, `list` and `switch` (feature `evaluate`).
//!
//! The torus is `u64`, read as a fraction of 2^64. Every key is binary; every noise is TUniform at the bound
//! of tfhe's 132-bit curve ([`noise`]).

pub mod bootstrap;
#[cfg(feature = "evaluate")]
pub mod cmux;
#[cfg(feature = "evaluate")]
pub mod cost;
pub mod disclosure;
#[cfg(feature = "client")]
pub mod encrypt;
#[cfg(feature = "evaluate")]
pub mod external_product;
pub mod ggsw;
mod glwe_shape;
pub mod keyswitch;
#[cfg(feature = "evaluate")]
pub mod list;
pub mod lwe;
pub mod noise;
mod noise_formulas;
pub mod ntt;
mod parameters;
pub mod partial_glwe;
#[cfg(feature = "evaluate")]
pub mod pbs;
#[cfg(feature = "client")]
pub(crate) mod phase;
pub mod public_key;
pub mod random;
#[cfg(feature = "evaluate")]
pub mod rerandomize;
#[cfg(feature = "client")]
pub mod secret;
pub mod seeded;
#[cfg(feature = "evaluate")]
pub mod spaced;
#[cfg(feature = "evaluate")]
pub mod switch;
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
