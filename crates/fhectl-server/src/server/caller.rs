//! Who is asking, as the layers find out and the handlers are told.

use crate::store::Owner;
use std::net::IpAddr;
use std::time::Duration;

/// The address at the other end; on every request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub IpAddr);

/// Whose keys a request is about; on every request that is let in.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub owner: Owner,
    pub peer: IpAddr,
}

/// How long the client waits for its answer at most, where it says so; on every request that is let in.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientTimeout(pub Option<Duration>);
