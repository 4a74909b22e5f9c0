//! What a circuit is: one trait, in parts that a client or a server can do without.

mod card;
mod circuit;
mod client;
mod server;

pub use card::{CircuitCard, NoiseClaim};
pub use circuit::{AsCircuit, Circuit};
pub use client::CircuitClient;
pub use server::CircuitServer;
#[cfg(feature = "evaluate")]
pub use server::Simulate;
