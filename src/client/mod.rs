//! A client's side: its keys on disk, sessions with a server, and rows that are run through one.

mod check_trusted;
mod held_keys;
pub mod http;
mod in_order;
pub mod keyring;
mod proxy;
mod row_runner;
pub mod session;
mod staged;
mod tls;
mod trouble;
mod untrusted_answers;

pub use check_trusted::check_trusted;
pub use held_keys::HeldKeys;
pub use http::Http;
pub use in_order::infer_in_order;
pub use keyring::{Keyring, OpenedKeys, Passphrase};
pub use row_runner::{RowRunner, quantize_rows};
pub use session::{Exchange, Session};
pub use staged::Encrypted;
pub use untrusted_answers::UntrustedAnswers;
