//! Layers on the device.

use crate::arguments::WeightPointers;
use crate::device::Device;
use crate::driver::DeviceBuffer;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::layer::{Layer, LookUp};
use fhectl_core::fhe::list::narrow;

/// A model's layers in a device's memory.
pub struct Program {
    pub(crate) layers: Vec<LoadedLayer>,
}

/// One layer.
pub(crate) struct LoadedLayer {
    /// Rows of each request that the sums are of.
    pub inputs: usize,
    /// Sums of each request.
    pub outputs: usize,
    weights: Weights,
    pub constants: DeviceBuffer<u32>,
    pub look_up: Option<LoadedLookUp>,
}

/// The tables of a layer, and the parts of the key that it goes through.
pub(crate) struct LoadedLookUp {
    pub tables: DeviceBuffer<u32>,
    /// The number of tables.
    pub count: usize,
    pub keyswitch: Option<usize>,
    pub bootstrap: usize,
}

enum Weights {
    /// `[outputs][inputs]`.
    Dense(DeviceBuffer<i32>),
    /// Where each output's terms begin, and pairs of input and weight.
    Sparse(DeviceBuffer<u32>, DeviceBuffer<u32>),
}

impl Program {
    /// Loads layers. The first is taken to be of as many inputs as its terms name, every other of all sums before it.
    ///
    /// # Errors
    /// `device_failed`, also where layers do not fit each other: kernels would read what is not there.
    pub(crate) fn load(device: &Device, layers: &[Layer]) -> Result<Self> {
        let mut loaded: Vec<LoadedLayer> = Vec::with_capacity(layers.len());
        for layer in layers {
            let inputs = loaded.last().map_or_else(|| named_inputs(layer), |before| before.outputs);
            if named_inputs(layer) > inputs || layer.constants.len() != layer.sums.len() {
                let message = format!("a layer of {inputs} inputs that names others, or lacks constants");
                return Err(Error::new(ErrorCode::DeviceFailed, message).hint("compute this model on the processor"));
            }
            loaded.push(LoadedLayer::load(device, layer, inputs)?);
        }
        Ok(Self { layers: loaded })
    }
}

impl LoadedLayer {
    fn load(device: &Device, layer: &Layer, inputs: usize) -> Result<Self> {
        let constants = device.resident(&layer.narrow_constants())?;
        let look_up = layer.look_up.as_ref().map(|look_up| LoadedLookUp::load(device, look_up)).transpose()?;
        Ok(Self {
            inputs,
            outputs: layer.sums.len(),
            weights: Weights::load(device, layer, inputs)?,
            constants,
            look_up,
        })
    }

    /// Where the weights are.
    pub fn weights(&self) -> WeightPointers {
        match &self.weights {
            Weights::Dense(weights) => WeightPointers::Dense { weights: weights.pointer() },
            Weights::Sparse(starts, terms) => {
                WeightPointers::Sparse { starts: starts.pointer(), terms: terms.pointer() }
            }
        }
    }
}

impl LoadedLookUp {
    fn load(device: &Device, look_up: &LookUp) -> Result<Self> {
        let entries: Vec<u32> = look_up.tables.iter().flatten().map(|word| narrow(*word)).collect();
        Ok(Self {
            tables: device.resident(&entries)?,
            count: look_up.tables.len(),
            keyswitch: look_up.keyswitch,
            bootstrap: look_up.bootstrap,
        })
    }
}

impl Weights {
    fn load(device: &Device, layer: &Layer, inputs: usize) -> Result<Self> {
        let terms: usize = layer.sums.iter().map(Vec::len).sum();
        if is_sparse(terms, inputs * layer.sums.len()) {
            let mut starts = vec![0];
            let mut pairs = Vec::with_capacity(2 * terms);
            for sum in &layer.sums {
                pairs.extend(sum.iter().flat_map(|term| [term.input, term.weight as u32]));
                starts.push((pairs.len() / 2) as u32);
            }
            return Ok(Self::Sparse(device.resident(&starts)?, device.resident(&pairs)?));
        }
        let mut weights = vec![0i32; inputs * layer.sums.len()];
        for (sum, row) in layer.sums.iter().zip(weights.chunks_mut(inputs.max(1))) {
            for term in sum {
                let weight = &mut row[term.input as usize];
                *weight = weight.wrapping_add(term.weight);
            }
        }
        Ok(Self::Dense(device.resident(&weights)?))
    }
}

/// Inputs up to the last that a term names.
pub(crate) fn named_inputs(layer: &Layer) -> usize {
    layer.sums.iter().flatten().map(|term| term.input as usize + 1).max().unwrap_or(0)
}

/// Whether few enough weights differ from zero that a list of them is read in less time than all.
fn is_sparse(terms: usize, weights: usize) -> bool {
    4 * terms < weights || weights == 0
}
