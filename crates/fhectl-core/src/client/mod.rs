//! The client: keys, encryption, decryption, and what it says to a server.
//!
//! The command line, a browser and Python share this module. It opens no sockets and no files, starts no threads and reads
//! no clock; randomness comes in as an [`Entropy`](crate::fhe::Entropy).
//!
//! - [`ClientModel`] is a model as its clients see it: it makes keys, quantizes and encrypts rows, decrypts answers.
//! - [`Prediction`] is what may be shown of an answer, and the only thing that comes out of one.
//! - [`key_file`] is the format of a secret key's file.
//! - [`conversation`] is what client and server say to each other, without the sending.
//! - [`policy`] holds the rules that keep a key safe from the server that answers under it.

pub mod conversation;
pub mod key_file;
mod keys;
mod model;
pub mod policy;
mod prediction;
mod request;
mod wrong_key;

pub use keys::ClientKeys;
pub use model::ClientModel;
pub use prediction::{Detail, Predicted, Prediction, Predictions};
pub use request::{EncryptedRequest, Pending};
pub use wrong_key::WrongKeyAnswer;
