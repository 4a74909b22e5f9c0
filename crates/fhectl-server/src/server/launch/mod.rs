//! Launches: rows of many clients, computed by a device together.
//!
//! A request's rows wait in the queue of the device that has its key, or is to have it (`homes`). Launcher threads take as
//! many as a launch holds, fairly over clients, and hand answers back (`rows`). What a device cannot compute, for want of
//! memory or because it failed, goes back to the request, which has the processor compute it: a request never fails because
//! of a device while the processor can take it.
//!
//! Files use those below them: `fleet`, `launcher`, `running_device`, `rows`, `queue`, `homes`.

mod fleet;
mod homes;
mod launcher;
mod queue;
mod rows;
mod running_device;

pub(super) use fleet::{DeviceRequest, Fleet, FleetConfig};
