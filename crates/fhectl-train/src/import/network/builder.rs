//! Where blocks and sums are made, within bounds.

use super::float_graph::{Affine, Block};
use super::function::{Curve, Function, Side};
use super::tensor::{Elements, SymbolicTensor};
use crate::import::onnx::{invalid, unsupported};
use fhectl_core::error::Result;

/// The most terms and elements that all tensors of a graph may take together.
const MAX_ENTRIES: usize = 1 << 24;
/// The most products of two numbers while sums are put together.
const MAX_WORK: usize = 1 << 29;
/// The most values of functions: each is a bootstrap.
const MAX_ATOMS: usize = 1 << 18;

/// A graph under construction.
pub(super) struct GraphBuilder {
    pub(super) inputs: usize,
    pub(super) blocks: Vec<Block>,
    atoms: usize,
    entries: usize,
    work: usize,
    /// A sum while it is put together, by atoms, and which of them it has.
    sum: Vec<f64>,
    touched: Vec<u32>,
    /// Whether pooling becomes the mean before an activation, and how many values came out of what would change.
    pub(super) averages: bool,
    pub(super) pooled: usize,
}

impl GraphBuilder {
    pub(super) fn new(inputs: usize) -> Self {
        Self {
            inputs,
            blocks: Vec::new(),
            atoms: inputs,
            entries: 0,
            work: 0,
            sum: vec![0.0; inputs],
            touched: vec![],
            averages: false,
            pooled: 0,
        }
    }

    /// The block and row that make an atom; none for inputs.
    pub(super) fn source(&self, atom: u32) -> Option<(&Block, &Affine)> {
        let mut index = (atom as usize).checked_sub(self.inputs)?;
        for block in &self.blocks {
            match block.rows.get(index) {
                Some(row) => return Some((block, row)),
                None => index -= block.rows.len(),
            }
        }
        None
    }

    /// Counts what a tensor takes.
    ///
    /// # Errors
    /// `onnx_unsupported` beyond the limit.
    pub(super) fn keep(&mut self, tensor: SymbolicTensor) -> Result<SymbolicTensor> {
        self.count_entries(2 * tensor.len() + tensor.terms())?;
        Ok(tensor)
    }

    fn count_entries(&mut self, entries: usize) -> Result<()> {
        self.entries = self.entries.saturating_add(entries);
        if self.entries > MAX_ENTRIES {
            return Err(unsupported(format!("the network's sums have more than {MAX_ENTRIES} terms"))
                .hint("use smaller layers or images: encrypted inference takes a bootstrap an activation"));
        }
        Ok(())
    }

    /// Counts steps of computing, before they are done.
    ///
    /// # Errors
    /// `onnx_unsupported` beyond the limit.
    pub(super) fn spend(&mut self, steps: usize) -> Result<()> {
        self.work = self.work.saturating_add(steps);
        if self.work > MAX_WORK {
            return Err(unsupported(format!("the network takes more than {MAX_WORK} products"))
                .hint("use smaller layers or images: encrypted inference takes a bootstrap an activation"));
        }
        Ok(())
    }

    /// `bias` and all `rows` times their factors.
    ///
    /// # Errors
    /// `onnx_unsupported` beyond the limits.
    pub(super) fn sum<'a>(&mut self, rows: impl IntoIterator<Item = (f64, &'a Affine)>, bias: f64) -> Result<Affine> {
        let mut total = bias;
        let mut work = 0;
        for (factor, row) in rows {
            work += 1 + row.terms.len();
            if factor == 0.0 {
                continue;
            }
            total += factor * row.bias;
            for (atom, coefficient) in &row.terms {
                let at = &mut self.sum[*atom as usize];
                if *at == 0.0 {
                    self.touched.push(*atom);
                }
                *at += factor * coefficient;
            }
        }
        // An atom whose sum was zero in between stands here twice.
        self.touched.sort_unstable();
        self.touched.dedup();
        let mut terms = Vec::with_capacity(self.touched.len());
        for atom in self.touched.drain(..) {
            let coefficient = std::mem::take(&mut self.sum[atom as usize]);
            if coefficient != 0.0 {
                terms.push((atom, coefficient));
            }
        }
        self.spend(work)?;
        self.count_entries(terms.len())?;
        if !total.is_finite() || terms.iter().any(|(_, coefficient)| !coefficient.is_finite()) {
            return Err(invalid("a weight of the network is not finite"));
        }
        Ok(Affine { bias: total, terms })
    }

    /// `function` of every element.
    ///
    /// # Errors
    /// `onnx_unsupported` beyond the limits.
    pub(super) fn activate(&mut self, function: Function, tensor: &SymbolicTensor) -> Result<SymbolicTensor> {
        let rows = match &tensor.elements {
            Elements::Constant(values) => {
                let values = values.iter().map(|value| function.apply(*value)).collect();
                return Ok(SymbolicTensor::constant(tensor.shape.clone(), values));
            }
            Elements::Computed(rows) => rows.clone(),
        };
        let positions = if tensor.shape.len() > 2 { tensor.shape[2..].iter().product() } else { 1 };
        let atoms = self.block(function, rows, positions)?;
        Ok(SymbolicTensor::computed(tensor.shape.clone(), atoms))
    }

    /// A function with one valley, of every element.
    ///
    /// # Errors
    /// `onnx_unsupported` beyond the limits.
    pub(super) fn curve(&mut self, curve: Curve, tensor: &SymbolicTensor) -> Result<SymbolicTensor> {
        let side = |side| Function::Side { curve, side };
        let (rising, falling) =
            (self.activate(side(Side::Rising), tensor)?, self.activate(side(Side::Falling), tensor)?);
        let lowest = curve.apply(curve.lowest());
        let sums = (0..tensor.len()).map(|i| self.sum([(1.0, &rising.row(i)), (-1.0, &falling.row(i))], -lowest));
        let rows = sums.collect::<Result<Vec<_>>>()?;
        Ok(match tensor.elements {
            Elements::Constant(_) => {
                SymbolicTensor::constant(tensor.shape.clone(), rows.iter().map(|row| row.bias).collect())
            }
            Elements::Computed(_) => SymbolicTensor::computed(tensor.shape.clone(), rows),
        })
    }

    /// Adds a block and returns its atoms; `positions` rows after one another are alike.
    ///
    /// # Errors
    /// `onnx_unsupported` beyond the limit.
    pub(super) fn block(&mut self, function: Function, rows: Vec<Affine>, positions: usize) -> Result<Vec<Affine>> {
        let first = self.atoms;
        self.atoms += rows.len();
        if self.atoms - self.inputs > MAX_ATOMS {
            return Err(unsupported(format!("more than {MAX_ATOMS} activations"))
                .hint("use fewer filters or units, a larger stride, or pooling: each activation is a bootstrap"));
        }
        self.sum.resize(self.atoms, 0.0);
        let positions = if rows.len().is_multiple_of(positions.max(1)) { positions.max(1) } else { 1 };
        self.blocks.push(Block { function, rows, positions });
        Ok((first..self.atoms).map(|atom| Affine::atom(atom as u32)).collect())
    }
}
