//! The HTTP service of fhectl and its key store.
//!
//! [`store`] keeps evaluation keys at rest, [`server`] answers requests with them. The crate uses `fhectl-core` without its
//! feature `client`: no secret key has a name here.

pub mod server;
pub mod store;
