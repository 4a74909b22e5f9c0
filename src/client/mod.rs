//! A client's side: its keys on disk, and one session with one server.

mod distrust;
pub mod http;
pub mod keyring;
pub mod session;

pub use distrust::Distrusted;
pub use http::Http;
pub use keyring::{Keyring, OpenedKeys, Passphrase};
pub use session::{Exchange, Session};
