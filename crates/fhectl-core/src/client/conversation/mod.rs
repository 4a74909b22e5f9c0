//! What client and server say to each other, without the sending.
//!
//! A [`Conversation`] knows what to ask next and what a reply means. A [`Driver`] adds patience with a server that is busy or
//! away. Sockets, sleeping and the clock are the caller's, so the same code runs over a blocking HTTP client, in a browser
//! and in a test:
//!
//! ```
//! use fhectl_core::client::conversation::{CheckModel, Driver, Next, Reply};
//! use fhectl_core::client::ClientModel;
//!
//! let model = ClientModel::read(&std::fs::read("../../compiled_model/tree-spam/client.zip")?)?;
//! let mut driver = Driver::new(CheckModel::new(&model), "http://localhost:8000");
//! let request = driver.request();
//! assert_eq!((request.method.name(), &request.path[..]), ("GET", "/v1/models/tree-spam"));
//! // Send it. Here the server is busy, so the same request is sent again after a pause.
//! let busy = Reply::new(503, vec![("retry-after".into(), "1".into())], Vec::new());
//! assert!(matches!(driver.handle_reply(busy)?, Next::Wait(pause) if pause.as_secs() == 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod driver;
mod inference;
mod message;
mod models;
mod refusal;
mod upload;

pub use driver::{Driver, Next};
pub use inference::{Answer, Inference, InferenceOutcome};
pub use message::{Conversation, Method, Reply, Request, Single};
pub use models::{CheckModel, FetchModel};
pub use refusal::refusal;
pub use upload::{ForgetKey, KeyUpload, PART_BYTES, Part};

#[cfg(test)]
mod tests;
