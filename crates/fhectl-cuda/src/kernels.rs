//! The kernels as functions: what each takes, and the grid that it is started with (`kernels/README.md`).
#![allow(unsafe_code)]

use crate::arguments::{Bootstraps, Inputs, Keyswitch, ModulusSwitch, Rows, Sums, WeightPointers, ZeroLaunch};
use crate::driver::Argument::{Pointer, Word};
use crate::driver::{Argument, Context, Function, Grid, Module, Stream};
use crate::limits::Limits;
use crate::variant::Variant;
use fhectl_core::error::Result;
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::keyswitch::KeyswitchParams;
use fhectl_core::fhe::{GlweShape, noise, public_key};
use std::sync::Arc;

/// For devices of compute capability 8.0 to 8.9.
const SM_80: &str = include_str!("../ptx/sm_80.ptx");
/// For 9.0 and above: keys are read by bulk copies.
const SM_90: &str = include_str!("../ptx/sm_90.ptx");

/// The number that fills up an array of slots.
pub(crate) const NO_CIPHERTEXT: u32 = u32::MAX;
/// The number of a seed that stands for none.
pub(crate) const NO_SEED: u32 = u32::MAX;
/// Slots of a block of `keyswitch_product`.
pub(crate) const KEYSWITCH_SLOTS: usize = 64;
/// The smallest number of polynomials, `k + 1`, that there are bootstraps for.
pub(crate) const LEAST_POLYNOMIALS: usize = 4;

/// All entry points.
pub(crate) struct Kernels {
    encrypt_zeros: Function,
    expand_bootstrap_key: Function,
    expand_keyswitch_key: Function,
    extract_inputs: Function,
    combine_dense: Function,
    combine_sparse: Function,
    keyswitch_digits: Function,
    keyswitch_product: Function,
    switch_modulus: Function,
    block: Function,
    pair: Function,
    /// For [`LEAST_POLYNOMIALS`] and more.
    warp: [Function; 3],
}

impl Kernels {
    /// Compiles the kernels for a device.
    ///
    /// # Errors
    /// `device_unavailable` where the driver cannot compile them.
    pub fn load(context: &Arc<Context>, limits: &Limits) -> Result<Self> {
        let module = Module::load(context, if limits.reads_by_bulk_copies() { SM_90 } else { SM_80 })?;
        let plain = |name| module.function(name, 0);
        let shared = |name| module.function(name, limits.shared_bytes);
        Ok(Self {
            encrypt_zeros: shared("encrypt_zeros")?,
            expand_bootstrap_key: plain("expand_bootstrap_key")?,
            expand_keyswitch_key: plain("expand_keyswitch_key")?,
            extract_inputs: plain("extract_inputs")?,
            combine_dense: plain("combine_dense")?,
            combine_sparse: plain("combine_sparse")?,
            keyswitch_digits: plain("keyswitch_digits")?,
            keyswitch_product: plain("keyswitch_product")?,
            switch_modulus: plain("switch_modulus")?,
            block: shared("bootstrap_block")?,
            pair: shared("bootstrap_pair")?,
            warp: [shared("bootstrap_warp_k4")?, shared("bootstrap_warp_k5")?, shared("bootstrap_warp_k6")?],
        })
    }

    /// Expands a bootstrap key from its wire form.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn expand_bootstrap_key(
        &self,
        stream: &Stream,
        params: &BootstrapParams,
        [wire, order, out]: [u64; 3],
    ) -> Result<()> {
        let polynomials = params.output.dimension + 1;
        let blocks = [params.levels as usize * polynomials, params.lwe_dimension, 1];
        let arguments = [Pointer(wire), Pointer(order), Word(params.levels), Word(params.key_bits), Pointer(out)];
        launch(&self.expand_bootstrap_key, stream, Grid { blocks, threads: 32 * polynomials, shared: 0 }, &arguments)
    }

    /// Expands a public key from its wire form: its rows are like a bootstrap key's, one for each polynomial of the mask.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn expand_public_key(&self, stream: &Stream, shape: GlweShape, wire: u64, out: u64) -> Result<()> {
        let blocks = [shape.dimension, 1, 1];
        let grid = Grid { blocks, threads: 32 * (shape.dimension + 1), shared: 0 };
        let bits = public_key::layout(shape).bits;
        let arguments = [Pointer(wire), Pointer(0), Word(1), Word(bits), Pointer(out)];
        launch(&self.expand_bootstrap_key, stream, grid, &arguments)
    }

    /// Makes encryptions of zero.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn encrypt_zeros(&self, stream: &Stream, zeros: &ZeroLaunch) -> Result<()> {
        let dimension = zeros.shape.lwe_dimension();
        let arguments = [
            Pointer(zeros.keys),
            Pointer(zeros.key_of),
            Pointer(zeros.seeds),
            Pointer(zeros.numbers),
            Word(noise::t_uniform_bound(dimension)),
            // A number of ones is at most the bound where it is at most the integer below it.
            Word(noise::hamming_weight_bound(dimension) as u32),
            Pointer(zeros.out),
        ];
        let polynomials = zeros.shape.dimension + 1;
        let grid =
            Grid { blocks: [zeros.count, 1, 1], threads: 32 * polynomials, shared: zeros_shared_bytes(polynomials) };
        launch(&self.encrypt_zeros, stream, grid, &arguments)
    }

    /// Expands a keyswitching key from its wire form.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn expand_keyswitch_key(&self, stream: &Stream, params: &KeyswitchParams, wire: u64, rows: Rows) -> Result<()> {
        let GlweShape { dimension, size } = params.to;
        let bodies = params.layout().bodies;
        let arguments = [
            Pointer(wire),
            word(bodies),
            word(dimension),
            word(size),
            Word(params.key_bits),
            Pointer(rows.pointer),
            word(rows.stride),
        ];
        let grid = Grid { blocks: [bodies.div_ceil(size), 1, 1], threads: 256, shared: 4 * dimension * size };
        launch(&self.expand_keyswitch_key, stream, grid, &arguments)
    }

    /// Reads every coefficient as a row.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn extract_inputs(&self, stream: &Stream, inputs: &Inputs, rows: Rows) -> Result<()> {
        let arguments = [
            Pointer(inputs.reversed_masks),
            Pointer(inputs.bodies),
            word(inputs.shape.dimension),
            word(inputs.shape.size),
            word(inputs.coefficients),
            Pointer(rows.pointer),
            word(rows.stride),
        ];
        let blocks = [inputs.requests * inputs.coefficients, rows.stride.div_ceil(128), 1];
        launch(&self.extract_inputs, stream, Grid { blocks, threads: 128, shared: 0 }, &arguments)
    }

    /// Adds rows up.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn combine(&self, stream: &Stream, sums: &Sums, rows: Rows, out: Rows) -> Result<()> {
        let columns = sums.width.div_ceil(128);
        let input = [Pointer(rows.pointer), word(rows.stride), word(sums.inputs)];
        let output =
            [Pointer(sums.constants), Pointer(out.pointer), word(out.stride), word(sums.width), word(sums.outputs)];
        let (function, blocks, arguments) = match sums.weights {
            WeightPointers::Dense { weights } => {
                let blocks = [columns, sums.outputs.div_ceil(8), sums.requests];
                (&self.combine_dense, blocks, [&input[..], &[Pointer(weights)], &output].concat())
            }
            WeightPointers::Sparse { starts, terms } => {
                let blocks = [columns, sums.outputs, sums.requests];
                (&self.combine_sparse, blocks, [&input[..], &[Pointer(starts), Pointer(terms)], &output].concat())
            }
        };
        launch(function, stream, Grid { blocks, threads: 128, shared: 0 }, &arguments)
    }

    /// Switches rows to the small key.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn keyswitch(&self, stream: &Stream, switch: &Keyswitch<'_>, limits: &Limits) -> Result<()> {
        let KeyswitchParams { from, to, base_log, levels, .. } = *switch.params;
        let (to, depth) = (to.lwe_dimension(), from * levels as usize);
        let arguments = [
            Pointer(switch.rows.pointer),
            word(switch.rows.stride),
            word(from),
            Word(base_log),
            Word(levels),
            Pointer(switch.digits),
            Pointer(switch.out.pointer),
            word(switch.out.stride),
            word(to),
        ];
        let blocks = [switch.count, from.max(to + 1).div_ceil(256), 1];
        launch(&self.keyswitch_digits, stream, Grid { blocks, threads: 256, shared: 0 }, &arguments)?;

        // Few blocks take few digits each, so that all multiprocessors have some.
        let columns = (to + 1).div_ceil(64);
        let shares = (4 * limits.multiprocessors).div_ceil(columns * switch.blocks);
        let share = depth.div_ceil(shares).next_multiple_of(16).max(256);
        let arguments = [
            Pointer(switch.keys),
            Pointer(switch.key_of),
            Pointer(switch.slots),
            Pointer(switch.digits),
            word(depth),
            word(switch.key_stride),
            Pointer(switch.out.pointer),
            word(switch.out.stride),
            word(to + 1),
            word(share),
        ];
        let blocks = [columns, switch.blocks, depth.div_ceil(share)];
        launch(&self.keyswitch_product, stream, Grid { blocks, threads: 256, shared: 0 }, &arguments)
    }

    /// Switches rows to the modulus of the rotation.
    ///
    /// # Errors
    /// `device_failed`.
    pub fn switch_modulus(&self, stream: &Stream, switch: &ModulusSwitch) -> Result<()> {
        let arguments = [
            Pointer(switch.rows.pointer),
            word(switch.rows.stride),
            word(switch.count),
            word(switch.dimension),
            Pointer(switch.orders),
            Pointer(switch.key_of),
            Word(switch.log_modulus),
            Pointer(switch.switched),
        ];
        let grid = Grid { blocks: [switch.count.div_ceil(4), 1, 1], threads: 128, shared: 0 };
        launch(&self.switch_modulus, stream, grid, &arguments)
    }

    /// Bootstraps switched words.
    ///
    /// # Errors
    /// `device_failed`.
    ///
    /// # Panics
    /// Where there is no such kernel: [`Limits::shapes`] lists those that there are.
    pub fn bootstrap(&self, stream: &Stream, all: &Bootstraps<'_>) -> Result<()> {
        let BootstrapParams { lwe_dimension, output, base_log, levels, .. } = *all.params;
        let function = match all.shape.variant {
            Variant::Block => &self.block,
            Variant::Pair => &self.pair,
            Variant::Warp => &self.warp[output.dimension + 1 - LEAST_POLYNOMIALS],
        };
        let arguments = [
            Pointer(all.keys),
            Pointer(all.key_of),
            Pointer(all.slots),
            Pointer(all.switched),
            Pointer(all.tables),
            Pointer(all.table_of),
            Pointer(all.zeros),
            Pointer(all.out.pointer),
            word(all.out.stride),
            word(lwe_dimension),
            Word(base_log),
            Word(levels),
            word(all.shape.stages),
        ];
        let grid = Grid { blocks: [all.blocks, 1, 1], threads: all.shape.threads, shared: all.shape.shared };
        launch(function, stream, grid, &arguments)
    }
}

/// Bytes of dynamic shared memory of `encrypt_zeros`: roots of unity, tables of AES, bits, and a place for each polynomial.
pub(crate) const fn zeros_shared_bytes(polynomials: usize) -> usize {
    38_064 + 4096 * polynomials
}

fn launch(function: &Function, stream: &Stream, grid: Grid, arguments: &[Argument]) -> Result<()> {
    // SAFETY: the functions above pass what `kernels/README.md` lists, in its order, with its grids. `evaluate`, `key` and
    // `program` make the buffers from the same parameters, as large as that page says.
    unsafe { function.launch(stream, grid, arguments) }
}

/// A size as an argument.
fn word(size: usize) -> Argument {
    Word(u32::try_from(size).expect("sizes that `supports` allows are words"))
}
