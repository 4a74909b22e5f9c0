//! Layers of `fhectl` on CUDA devices: a [`Backend`](fhectl_core::fhe::backend::Backend) whose sums and keyswitches are the
//! processor's word for word, and whose bootstraps have the same noise.
//!
//! The driver's library is looked for when a device is opened. Neither building nor starting a program needs CUDA.
//!
//! # The way of the data
//!
//! ```text
//! key on the wire, public key -> pinned memory -> device: masks from the seed (AES), transform -> Key
//! layers -> weights (dense or sparse), tables -> Program
//!
//! inputs -> pinned memory -> device: every coefficient a row
//!     -> sums -> keyswitch -> modulus switch -> bootstraps -> sums ... -> pinned memory -> LweList
//!                                                   ^
//! seeds -> pinned memory -> device: encryptions of zero under the public key
//! ```
//!
//! Rows of all clients go through a layer in one launch. Blocks of threads that share a key have ciphertexts of one client
//! only. A call that has many rows computes them in pieces, so that the memory that it works in stays bounded
//! ([`SCRATCH_BYTES`]).
//!
//! Calls may come from several threads at once: each takes a stream and memory of its own, and leaves them to the next.
//!
//! # What is secret
//!
//! The server's secrets are a model's weights, the order of a key's bits, and the encryptions of zero with their seeds. All
//! memory, of the device and pinned, is overwritten with zeros after a call and before it is freed. After an error that makes
//! the device unusable nothing can be written to it; its driver clears memory before another process gets it.
//!
//! # Modules
//!
//! | concern | modules |
//! |---|---|
//! | the driver: context, memory, streams, copies, kernels | `driver`, `kernels` (all `unsafe` code), `arguments` |
//! | what a device has, and how bootstraps are spread over it | `limits`, `variant`, `choice`, `support` |
//! | what stays on the device | `program`, `key` |
//! | an evaluation | `plan`, `numbers`, `slots`, `zeros`, `rows`, `evaluate`, `lane` |
//! | how long bootstraps take | `profile` |
//!
//! # Example
//!
//! ```
//! use fhectl_core::error::Result;
//! use fhectl_core::fhe::backend::Backend;
//! use fhectl_core::fhe::layer::Layer;
//! use fhectl_core::fhe::list::Term;
//! use fhectl_cuda::Device;
//! use std::sync::Arc;
//!
//! fn load_a_sum(device: &Device) -> Result<()> {
//!     let sum = vec![Term { input: 0, weight: 1 }, Term { input: 1, weight: -1 }];
//!     let layers: Arc<[Layer]> = Arc::new([Layer { sums: vec![sum], constants: vec![0], look_up: None }]);
//!     assert!(device.supports(&[], &layers));
//!     device.load_program(&layers).map(drop)
//! }
//!
//! if let Ok(device) = Device::open(0) {
//!     load_a_sum(&device)?;
//! }
//! # Ok::<(), fhectl_core::error::Error>(())
//! ```

mod arguments;
mod backend;
mod choice;
mod device;
mod driver;
mod evaluate;
mod kernels;
mod key;
mod lane;
mod limits;
mod numbers;
mod plan;
mod profile;
mod program;
mod slots;
mod support;
mod switch;
mod variant;
mod zeros;

pub use device::{Device, SCRATCH_BYTES};
pub use driver::is_out_of_memory;
pub use key::Key;
pub use program::Program;
pub use variant::Variant;
