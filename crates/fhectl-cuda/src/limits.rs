//! What a device has, and which bootstraps fit it.

use crate::driver::Context;
use crate::variant::{BlockShape, Variant};
use cudarc::driver::sys::CUdevice_attribute as Attribute;
use fhectl_core::error::{Error, ErrorCode, Result};

/// The most warps in a block of [`Variant::Warp`].
const MOST_WARPS: usize = 8;
/// Shared memory of a block that the device takes for itself.
const RESERVED_SHARED: usize = 1 << 10;
/// Registers of a thread of the bootstraps, of which the compiler uses nearly all.
const REGISTERS: usize = 256;

/// What a device has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Major and minor compute capability.
    pub capability: (usize, usize),
    pub multiprocessors: usize,
    /// Bytes of shared memory that a block may have.
    pub shared_bytes: usize,
    /// Bytes of shared memory of a multiprocessor.
    pub shared_of_multiprocessor: usize,
    /// Registers of a multiprocessor.
    pub registers: usize,
}

impl Limits {
    /// Asks the device.
    ///
    /// # Errors
    /// `device_unavailable`, also where the device is too old.
    pub fn of(context: &Context) -> Result<Self> {
        let limits = Self {
            capability: (
                context.attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
                context.attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
            ),
            multiprocessors: context.attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?.max(1),
            shared_bytes: context.attribute(Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?,
            shared_of_multiprocessor: context
                .attribute(Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR)?,
            registers: context.attribute(Attribute::CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR)?,
        };
        let (major, minor) = limits.capability;
        if major < 8 {
            let message =
                format!("the device has compute capability {major}.{minor}, 8.0 is the least that is supported");
            return Err(Error::new(ErrorCode::DeviceUnavailable, message)
                .hint("devices from the A100 on have it; `--device cpu` needs none"));
        }
        Ok(limits)
    }

    /// Whether keys are read by bulk copies into shared memory.
    pub fn reads_by_bulk_copies(&self) -> bool {
        self.capability.0 >= 9
    }

    /// The ways to bootstrap with so many polynomials (`k + 1`) and levels that fit the device.
    pub fn shapes(&self, polynomials: usize, levels: usize) -> Vec<BlockShape> {
        if !(4..=7).contains(&polynomials) {
            return Vec::new();
        }
        let spectra = levels * polynomials;
        let of_block = |variant, ciphertexts, shared| {
            let shape = BlockShape { variant, ciphertexts, threads: 32 * polynomials, shared, stages: 0 };
            (shared <= self.shared_bytes).then_some(shape)
        };
        let block = of_block(Variant::Block, 1, 4608 + 6144 * polynomials + 8192 * spectra);
        let pair = of_block(Variant::Pair, 2, 4608 + 8192 * polynomials + 16384 * spectra);
        let warps = (1..=MOST_WARPS).filter_map(|warps| self.warp_shape(polynomials, warps));
        block.into_iter().chain(pair).chain(warps).collect()
    }

    fn warp_shape(&self, polynomials: usize, warps: usize) -> Option<BlockShape> {
        let (fixed, stage) = (4608 + warps * (4096 + 2048 * polynomials), 4096 * polynomials + 16);
        let room = self.shared_bytes.checked_sub(fixed)?;
        let stages = if self.reads_by_bulk_copies() { (room / stage).min(5) } else { 0 };
        let missing = self.reads_by_bulk_copies() && stages < 2;
        let shape = BlockShape {
            variant: Variant::Warp,
            ciphertexts: warps,
            threads: 32 * warps,
            shared: fixed + stages * stage,
            stages,
        };
        (polynomials < 7 && !missing).then_some(shape)
    }

    /// Blocks of this shape that the device runs at once.
    pub fn resident(&self, shape: &BlockShape) -> usize {
        let by_memory = self.shared_of_multiprocessor / (shape.shared + RESERVED_SHARED);
        let by_registers = self.registers / (REGISTERS * shape.threads);
        self.multiprocessors * by_memory.min(by_registers).max(1)
    }
}
