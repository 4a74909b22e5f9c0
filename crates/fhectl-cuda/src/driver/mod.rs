//! CUDA's driver: the device's context, memory, streams and kernels, as types that clean up after themselves.
//!
//! All calls of the driver are here, and with [`super::kernels`] all `unsafe` code of the crate. What is copied between host
//! and device lives in [`Upload`] and [`Download`], which wait for a copy before anyone touches or frees its memory.

mod context;
mod event;
mod failure;
mod leftover;
mod library;
mod memory;
mod module;
mod pinned;
mod stream;
mod transfer;

pub(crate) use context::{Context, device_count};
pub use failure::is_out_of_memory;
pub(crate) use memory::{DeviceBuffer, Growable};
pub(crate) use module::{Argument, Function, Grid, Module};
pub(crate) use stream::Stream;
pub(crate) use transfer::{Download, Upload};
