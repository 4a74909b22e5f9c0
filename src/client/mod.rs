//! A client's side: its keys on disk, and one session with one server.

pub mod http;
pub mod keyring;
mod proxy;
pub mod session;
mod tls;
mod trouble;
mod untrusted_answers;

pub use http::Http;
pub use keyring::{Keyring, OpenedKeys, Passphrase};
pub use session::{Exchange, Session};
pub use untrusted_answers::UntrustedAnswers;
