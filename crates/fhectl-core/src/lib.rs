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
//! 8. [`client`]: all that a client does, from rows to predictions ([`client::ClientModel`]).
//! 9. [`server_model`]: its twin at the server ([`server_model::ServerModel`]).
//!
//! Feature `client` adds secret keys, encoding and decoding: pure code without threads, sockets, files or a clock, whose
//! randomness comes in as an argument. Feature `evaluate` adds what a server computes on ciphertexts and the search for
//! parameters. Neither needs the other; a crate that asks for `evaluate` alone cannot name a secret key.
//!
//! # A row there and back
//!
//! ```
//! use fhectl_core::client::{ClientModel, Detail, Predicted};
//! use fhectl_core::fhe::{Random, random::OsEntropy};
//! use fhectl_core::server_model::ServerModel;
//!
//! // A decision tree that tells spam by 57 word counts: the client's half and the server's.
//! let client = ClientModel::read(&std::fs::read("../../compiled_model/tree-spam/client.zip")?)?;
//! let server = ServerModel::read(&std::fs::read("../../compiled_model/tree-spam/server.zip")?)?;
//!
//! let keys = client.generate_keys(&mut OsEntropy);
//! let row = client.quantize(&[0.0; 57])?;
//! let (request, pending) = client.encrypt(&keys, &[row.clone()], true, &mut OsEntropy)?.into_parts();
//!
//! // The server sees the evaluation key and the request, and none of the secret key, the row and the prediction.
//! let mut random = Random::fresh(&mut OsEntropy);
//! let key = server.accept_key(keys.evaluation(), &mut random)?;
//! let answer = server.evaluate(&key, &request, &mut random)?;
//!
//! // Of networks and of answers that cannot be trusted a client keeps count: `ClientModel::decrypt` says how.
//! let predictions = client.decrypt(&keys, pending, &answer, Detail::Prediction).trusted()?;
//! assert_eq!(predictions[0].predicted(), Predicted::Class(server.model().predict(&row)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// Both halves share helpers that nobody needs without them.
#![cfg_attr(not(any(feature = "client", feature = "evaluate")), allow(dead_code))]

pub mod bundle;
pub mod circuit;
#[cfg(feature = "client")]
pub mod client;
pub mod digest;
pub mod error;
pub mod fhe;
pub mod model;
pub mod protocol;
#[cfg(feature = "evaluate")]
pub mod server_model;
