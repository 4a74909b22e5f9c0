//! The HTTP service: `/v1` for our own clients, the endpoint form on `/` for those that exist, one engine behind both.
//!
//! A request passes the `layers` (its id, its line in the log, who sent it, whether that is too often) and reaches one
//! of the `handlers`, which reads the message and asks a service: `key_service` or `inference`. Services know nothing of
//! HTTP. Async threads move bytes and nothing else; all computing happens on one pool (`compute`) behind one bounded
//! queue (`fair_queue`), or on devices that have queues of their own (`launch`), so that overload is refused at the door instead of being piled up. Every reply but a success is
//! JSON (`reply`).
//!
//! Files use those below them: `lifecycle`, `routes`, `layers` and `handlers`, `state`, services, the rest.

mod answered;
mod background;
mod batch;
mod body;
mod budgets;
mod caller;
mod compute;
mod config;
mod connections;
mod device_metrics;
#[doc(hidden)]
pub mod endpoint_json;
mod estimate;
mod fair_queue;
mod handlers;
mod inference;
mod key_service;
mod key_uids;
mod launch;
mod layers;
mod lifecycle;
mod metrics;
mod models;
mod openapi;
mod rate_limiter;
mod reload;
mod reply;
mod routes;
mod scrape;
mod shutdown;
mod state;
mod tls;
mod tokens;
mod upload_locks;
mod write_timeout;

pub use budgets::check_row_budget;
pub use config::{KeyPolicy, ServeConfig, Timeouts};
pub use lifecycle::Server;
pub use models::check_models;
pub use rate_limiter::RateLimit;
pub use routes::openapi_document;
pub use shutdown::shutdown_signal;
pub use tls::TlsIdentity;
pub use tokens::{TokenSet, hash_line, new_token};
