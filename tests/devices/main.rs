//! A server with computing devices, which are made of the processor and fail as they are told.

#[path = "../common/mod.rs"]
mod common;
mod fake;
mod faults;
mod keys;
mod launches;
#[path = "../live/mod.rs"]
mod live;
mod served;
#[path = "../common/until.rs"]
mod until;
