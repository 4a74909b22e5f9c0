//! The core of fhectl: private machine-learning inference with fully homomorphic encryption.
//!
//! Modules, each using only those above it in this list:
//!
//! 1. [`error`]: the one error type.
//! 2. [`digest`]: SHA-256 and hexadecimal text.
//! 3. [`model`]: quantizers and the integer models in clear, which the encrypted computation must equal.
//! 4. [`fhe`]: ciphertexts, keys, noise, bootstrapping. The only module that names `tfhe`.
//! 5. [`circuit`]: how a model becomes something that runs on ciphertexts: search, encode, evaluate, decode.
//! 6. [`bundle`]: `client.zip`, `server.zip`, `versions.json`.
//! 7. [`protocol`]: messages and byte formats that client and server share.
//!
//! Feature `client` adds secret keys, encoding and decoding: pure code without threads, sockets, files or a clock, whose
//! randomness comes in as an argument. Feature `evaluate` adds what a server computes on ciphertexts and the search for
//! parameters. Neither needs the other; a crate that asks for `evaluate` alone cannot name a secret key.

// Both halves share helpers that nobody needs without them.
#![cfg_attr(not(any(feature = "client", feature = "evaluate")), allow(dead_code))]

pub mod bundle;
pub mod circuit;
pub mod digest;
pub mod error;
pub mod fhe;
pub mod model;
pub mod protocol;
