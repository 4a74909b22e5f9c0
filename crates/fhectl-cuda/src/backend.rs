//! The device as a backend of the core.

use crate::device::Device;
use crate::evaluate::evaluate;
use crate::key::{Key, key_bytes};
use crate::program::Program;
use crate::support::supports;
use fhectl_core::error::Result;
use fhectl_core::fhe::backend::{Backend, Group};
use fhectl_core::fhe::layer::Layer;
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::part::PartParams;
use fhectl_core::fhe::{GlweShape, Random};
use std::sync::Arc;

impl Backend for Device {
    type Program = Program;
    type Key = Key;

    /// Bootstraps with `N = 512`, `k` from 3 to 6 and digits of 31 bits together, whose spectra fit the device's shared
    /// memory; keyswitches of digits of up to 8 bits; up to 65,535 inputs and sums of a layer.
    fn supports(&self, parts: &[PartParams], layers: &[Layer]) -> bool {
        supports(&self.limits, parts, layers)
    }

    fn load_program(&self, layers: &Arc<[Layer]>) -> Result<Program> {
        Program::load(self, layers)
    }

    /// Exactly what is asked of the driver, which gives it in units of 2 MiB or less.
    fn key_bytes(&self, parts: &[PartParams], public: Option<GlweShape>) -> usize {
        key_bytes(parts, public)
    }

    fn load_key(
        &self,
        parts: &[PartParams],
        public: Option<GlweShape>,
        wire: &[u8],
        shuffle: Option<&mut Random>,
    ) -> Result<Key> {
        Key::load(self, parts, public, wire, shuffle)
    }

    /// Rows are computed a piece at a time, in at most [`SCRATCH_BYTES`](crate::SCRATCH_BYTES) of the device's memory.
    /// Encryptions of zero are made on the device, from the seeds of the groups' zeros.
    fn evaluate(&self, program: &Program, groups: &[Group<'_, Key>]) -> Result<Vec<LweList>> {
        evaluate(self, program, groups)
    }

    fn release_unused(&self) {
        self.release_scratch();
    }

    fn give_up(&self, reason: &str) {
        Device::give_up(self, reason);
    }
}
