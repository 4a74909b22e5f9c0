//! fhectl: private machine-learning inference with fully homomorphic encryption.
//!
//! The rooms, each using only those above it in this list:
//!
//! 1. [`error`]: the one error type.
//! 2. [`model`]: quantisers and the integer models in clear, which the encrypted computation must equal.
//! 3. [`fhe`]: ciphertexts, keys, noise, bootstrapping. The only room that names `tfhe`.
//! 4. [`circuit`]: how a model becomes something that runs on ciphertexts: plan, encode, evaluate, decode.
//! 5. [`bundle`]: `client.zip`, `server.zip`, `versions.json`.
//! 6. [`protocol`]: messages and byte formats that client and server share.
//! 7. [`data`], [`train`], [`import`]: tables, images and models of other tools in, quantised models out.
//! 8. [`store`], [`server`]: evaluation keys at rest, and the HTTP service.
//! 9. [`client`]: one session with one server.
//! 10. [`report`], [`commands`]: what a person sees.
//!
//! With no cargo feature only the client's pure core is built: `error`, `model`, the client half of `fhe` and
//! `circuit`, `bundle`'s readers and `protocol`. It needs no threads, sockets, files or clock.

pub mod bundle;
pub mod circuit;
#[cfg(feature = "cli")]
pub mod client;
#[cfg(feature = "cli")]
pub mod commands;
#[cfg(feature = "train")]
pub mod data;
pub mod error;
pub mod fhe;
#[cfg(feature = "train")]
pub mod import;
pub mod model;
pub mod protocol;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "serve")]
pub mod server;
#[cfg(feature = "serve")]
pub mod store;
#[cfg(feature = "train")]
pub mod train;
