//! The client's core for JavaScript: models, keys, rows, and what is said to a server.
//!
//! It is `fhectl_core::client` behind wasm-bindgen. Sockets, storage and clocks are the TypeScript's of `web/client/src`, which
//! sends the requests that a [`talk::Talk`] asks for and keeps the bytes that it is given. What is safe with a key
//! (tags, what is told of a network, which scores are shown) is decided here.

mod decrypted;
mod entropy;
mod info;
mod keys;
mod model;
mod rows;
mod talk;
mod thrown;
mod usage;

pub use decrypted::Decrypted;
pub use keys::{Encrypted, EvaluationKey, KeyFile, Keys, SecretKey};
pub use model::Model;
pub use rows::Rows;
pub use talk::{Answer, Talk, list_models};
