//! The HTTP service of fhectl and its key store.
//!
//! [`store`] keeps evaluation keys at rest, [`page`] is what browsers get, [`device`] computes beside the processor, [`server`] answers requests. The crate uses `fhectl-core` without its
//! feature `client`: no secret key has a name here.

pub mod device;
pub mod page;
pub mod server;
pub mod store;
