//! What stands behind every route: a message in, a service asked, a message out.

mod accept;
pub(super) mod endpoint;
pub(super) mod health;
pub(super) mod infer;
pub(super) mod keys;
pub(super) mod models;
pub(super) mod openapi;
pub(super) mod page;
mod params;
mod timings;
