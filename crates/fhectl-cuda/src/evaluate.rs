//! The way of rows through layers.

use crate::arguments::{Bootstraps, Inputs, Keyswitch, ModulusSwitch, Rows, Sums, ZeroLaunch};
use crate::device::Device;
use crate::key::Key;
use crate::lane::Lane;
use crate::numbers::{LookUpNumbers, Numbers};
use crate::plan::{Piece, Plan, Stage, StageLookUp};
use crate::program::Program;
use crate::zeros;
use fhectl_core::error::Result;
use fhectl_core::fhe::backend::Group;
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::stride::stride;
use rayon::prelude::*;

/// As [`fhectl_core::fhe::backend::Backend::evaluate`].
pub(crate) fn evaluate(device: &Device, program: &Program, groups: &[Group<'_, Key>]) -> Result<Vec<LweList>> {
    let Some(plan) = Plan::new(&device.limits, program, groups)? else {
        return Ok(groups.iter().map(|_| LweList::zero(0, 0)).collect());
    };
    let outputs = program.layers.last().map_or(0, |layer| layer.outputs);
    let mut answers: Vec<LweList> =
        groups.iter().map(|group| LweList::zero(group.rows.len() * outputs, plan.dimension)).collect();
    let mut lane = device.lane()?;
    let pieces = plan.pieces(device.scratch_bytes, groups);
    let seeds = {
        let lane = &mut *lane;
        lane.seeds.copy(&zeros::seeds(plan.stages.len(), groups), &lane.stream)?
    };
    let mut run = Run { device, plan: &plan, groups, lane: &mut lane, seeds };
    for piece in &pieces {
        run.piece(piece, outputs, &mut answers)?;
    }
    Ok(answers)
}

/// An evaluation under way.
struct Run<'a> {
    device: &'a Device,
    plan: &'a Plan<'a>,
    groups: &'a [Group<'a, Key>],
    lane: &'a mut Lane,
    /// Where the seeds of encryptions of zero are.
    seeds: u64,
}

impl Run<'_> {
    /// Computes a piece.
    fn piece(&mut self, piece: &Piece, outputs: usize, answers: &mut [LweList]) -> Result<()> {
        let rows = piece.rows.len();
        let numbers = self.send_numbers(piece)?;
        self.extract(piece)?;
        for (layer, stage) in self.plan.stages.iter().enumerate() {
            self.combine(stage, rows)?;
            if let Some((look_up, numbers)) = stage.look_up.as_ref().zip(numbers.layers[layer].as_ref()) {
                self.look_up(rows * stage.layer.outputs, stage, look_up, numbers)?;
            } else {
                std::mem::swap(&mut self.lane.values, &mut self.lane.sums);
            }
        }

        let stride = stride(self.plan.dimension);
        let words = rows * outputs * stride;
        let Lane { answers: download, values, stream, .. } = &mut *self.lane;
        if let Some(buffer) = values.buffer() {
            download.receive(buffer, words, stream)?;
        }
        let words = self.lane.answers.wait(words)?;
        let mut rest = words;
        for rows in piece.rows.chunk_by(|a, b| a.group == b.group) {
            let (own, after) = rest.split_at(rows.len() * outputs * stride);
            rest = after;
            let out = answers[rows[0].group].rows_mut().skip(rows[0].row * outputs);
            out.zip(own.par_chunks(stride)).for_each(|(out, row)| out.copy_from_slice(&row[..out.len()]));
        }
        Ok(())
    }

    /// Uploads where keys are, and which ciphertext has which.
    fn send_numbers(&mut self, piece: &Piece) -> Result<Numbers> {
        let (numbers, words, pointers) = Numbers::new(self.device, self.plan, self.groups, piece)?;
        let lane = &mut *self.lane;
        let words = lane.numbers.copy(&words, &lane.stream)?;
        let pointers = lane.pointers.copy(&pointers, &lane.stream)?;
        Ok(numbers.at(words, pointers))
    }

    /// Uploads the inputs of a piece, and reads their coefficients as rows.
    fn extract(&mut self, piece: &Piece) -> Result<()> {
        let (sizes, shape) = (&self.plan.row, self.plan.shape);
        let rows = &piece.rows;
        let lane = &mut *self.lane;
        let list = |index: usize| &self.groups[rows[index].group].rows[rows[index].row];
        // Inputs past the last that a sum names stay here.
        let (masks, bodies) = (rows.len() * sizes.masks, rows.len() * sizes.bodies);
        lane.masks.write(masks, |out| {
            out.par_chunks_mut(sizes.masks.max(1)).enumerate().for_each(|(index, out)| {
                out.copy_from_slice(&list(index).reversed_masks()[..sizes.masks]);
            });
        })?;
        lane.bodies.write(bodies, |out| {
            for (index, out) in out.chunks_mut(sizes.bodies.max(1)).enumerate() {
                out.copy_from_slice(&list(index).bodies()[..sizes.bodies]);
            }
        })?;
        let inputs = Inputs {
            reversed_masks: lane.masks.send(masks, &lane.stream)?,
            bodies: lane.bodies.send(bodies, &lane.stream)?,
            shape,
            coefficients: sizes.bodies,
            requests: rows.len(),
        };
        // Both, before anything is on its way: to grow they wait.
        let pointer = lane.values.reserve(rows.len() * sizes.rows, &lane.stream)?;
        lane.sums.reserve(rows.len() * sizes.rows, &lane.stream)?;
        if inputs.coefficients == 0 {
            return Ok(());
        }
        let out = Rows { pointer, stride: stride(shape.lwe_dimension()) };
        self.device.kernels.extract_inputs(&lane.stream, &inputs, out)
    }

    /// A layer's sums.
    fn combine(&mut self, stage: &Stage<'_>, rows: usize) -> Result<()> {
        let stride = stride(stage.dimension);
        let sums = Sums {
            weights: stage.layer.weights(),
            constants: stage.layer.constants.pointer(),
            inputs: stage.layer.inputs,
            outputs: stage.layer.outputs,
            requests: rows,
            width: stage.dimension + 1,
        };
        let lane = &*self.lane;
        let (from, to) =
            (Rows { pointer: lane.values.pointer(), stride }, Rows { pointer: lane.sums.pointer(), stride });
        self.device.kernels.combine(&lane.stream, &sums, from, to)
    }

    /// A layer's look-ups, `count` of them.
    fn look_up(
        &mut self,
        count: usize,
        stage: &Stage<'_>,
        look_up: &StageLookUp<'_>,
        numbers: &LookUpNumbers,
    ) -> Result<()> {
        let sums = Rows { pointer: self.lane.sums.pointer(), stride: stride(stage.dimension) };
        let small = self.keyswitch(look_up, numbers, count, sums)?;
        let dimension = look_up.bootstrap.lwe_dimension;
        let kernels = &self.device.kernels;
        let lane = &mut *self.lane;
        let switched = lane.switched.reserve(count * (dimension + 1), &lane.stream)?;
        let switch = ModulusSwitch {
            rows: small,
            count,
            dimension,
            orders: numbers.orders,
            key_of: numbers.key_of,
            log_modulus: (2 * look_up.bootstrap.output.size).trailing_zeros(),
            switched,
        };
        kernels.switch_modulus(&lane.stream, &switch)?;
        let zeros = self.encrypt_zeros(look_up, numbers, count)?;
        let lane = &*self.lane;
        let bootstraps = Bootstraps {
            params: &look_up.bootstrap,
            shape: numbers.shape,
            keys: numbers.bootstrap_keys,
            key_of: numbers.key_of,
            slots: numbers.slots,
            blocks: numbers.blocks,
            switched,
            tables: look_up.loaded.tables.pointer(),
            table_of: numbers.table_of,
            zeros,
            out: Rows { pointer: lane.values.pointer(), stride: stride(look_up.bootstrap.output.lwe_dimension()) },
        };
        kernels.bootstrap(&lane.stream, &bootstraps)
    }

    /// The sums under the small key; as they are where they already are under it.
    fn keyswitch(
        &mut self,
        look_up: &StageLookUp<'_>,
        numbers: &LookUpNumbers,
        count: usize,
        sums: Rows,
    ) -> Result<Rows> {
        let Some(params) = &look_up.keyswitch else { return Ok(sums) };
        let lane = &mut *self.lane;
        let stride = stride(params.to.lwe_dimension());
        let digits = lane.digits.reserve(count * params.from * params.levels as usize, &lane.stream)?;
        let out = Rows { pointer: lane.small.reserve(count * stride, &lane.stream)?, stride };
        let keyswitch = Keyswitch {
            params,
            count,
            rows: sums,
            digits,
            out,
            keys: numbers.keyswitch_keys,
            key_stride: stride,
            key_of: numbers.key_of,
            slots: numbers.keyswitch_slots,
            blocks: numbers.keyswitch_blocks,
        };
        self.device.kernels.keyswitch(&lane.stream, &keyswitch, &self.device.limits)?;
        Ok(out)
    }

    /// Makes the encryptions of zero of look-ups; null where there are none.
    fn encrypt_zeros(&mut self, look_up: &StageLookUp<'_>, numbers: &LookUpNumbers, count: usize) -> Result<u64> {
        let Some(of_zeros) = &numbers.zeros else { return Ok(0) };
        let shape = look_up.bootstrap.output;
        let lane = &mut *self.lane;
        let zeros = ZeroLaunch {
            shape,
            count,
            keys: of_zeros.keys,
            key_of: numbers.key_of,
            seeds: self.seeds,
            numbers: of_zeros.numbers,
            out: lane.zeros.reserve(count * (shape.lwe_dimension() + shape.size), &lane.stream)?,
        };
        self.device.kernels.encrypt_zeros(&lane.stream, &zeros)?;
        Ok(zeros.out)
    }
}
