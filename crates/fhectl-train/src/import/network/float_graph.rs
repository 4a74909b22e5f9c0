//! A network as sums and scalar functions, in floats: what ONNX graphs become and integer networks are made from.

use super::function::Function;
use std::collections::BTreeMap;

/// `bias + sum coefficient * atom`: atoms are the inputs, then the values of all blocks in their order. Terms are in
/// the order of atoms, each once, none zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Affine {
    pub bias: f64,
    pub terms: Vec<(u32, f64)>,
}

/// One function of several sums: every row makes an atom.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub function: Function,
    pub rows: Vec<Affine>,
    /// So many rows after one another are alike (the places of an image's channel). Divides their number.
    pub positions: usize,
}

/// A graph of blocks, each over inputs and earlier blocks. Linear maps need no step of their own: they are in the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct FloatGraph {
    pub inputs: usize,
    pub blocks: Vec<Block>,
    pub outputs: Vec<Affine>,
}

impl Affine {
    /// The atom itself.
    pub fn atom(atom: u32) -> Self {
        Self { bias: 0.0, terms: vec![(atom, 1.0)] }
    }

    /// The sum for these atoms.
    pub fn value(&self, atoms: &[f64]) -> f64 {
        self.bias + self.terms.iter().map(|(atom, coefficient)| coefficient * atoms[*atom as usize]).sum::<f64>()
    }

    /// The atom and its coefficient, where there is one.
    pub fn single(&self) -> Option<(u32, f64)> {
        match self.terms.as_slice() {
            [term] => Some(*term),
            _ => None,
        }
    }
}

/// The sum of rows times their factors.
pub(super) fn combined(rows: &[(f64, &Affine)]) -> Affine {
    let mut terms: BTreeMap<u32, f64> = BTreeMap::new();
    for (factor, row) in rows {
        row.terms.iter().for_each(|(atom, coefficient)| *terms.entry(*atom).or_default() += factor * coefficient);
    }
    let bias = rows.iter().map(|(factor, row)| factor * row.bias).sum();
    Affine { bias, terms: terms.into_iter().filter(|(_, coefficient)| *coefficient != 0.0).collect() }
}

impl FloatGraph {
    /// The outputs for one row of `inputs` values.
    pub fn evaluate(&self, row: &[f64]) -> Vec<f64> {
        let mut atoms = row.to_vec();
        for block in &self.blocks {
            let values: Vec<f64> = block.rows.iter().map(|row| block.function.apply(row.value(&atoms))).collect();
            atoms.extend(values);
        }
        self.outputs.iter().map(|row| row.value(&atoms)).collect()
    }

    /// Rows that make atoms, in the atoms' order behind the inputs.
    pub fn atom(&self, atom: u32) -> Option<(&Block, &Affine)> {
        let mut index = (atom as usize).checked_sub(self.inputs)?;
        for block in &self.blocks {
            match block.rows.get(index) {
                Some(row) => return Some((block, row)),
                None => index -= block.rows.len(),
            }
        }
        None
    }

    /// Leaves out rows that no output depends on. Places of a channel stay together where any is needed, so that blocks
    /// keep their shape.
    #[must_use]
    pub fn pruned(mut self) -> Self {
        let total = self.inputs + self.blocks.iter().map(|block| block.rows.len()).sum::<usize>();
        let mut needed = vec![false; total];
        let mark = |needed: &mut Vec<bool>, row: &Affine| {
            row.terms.iter().for_each(|(atom, _)| needed[*atom as usize] = true);
        };
        self.outputs.iter().for_each(|row| mark(&mut needed, row));
        let mut end = total;
        for block in self.blocks.iter().rev() {
            end -= block.rows.len();
            for (group, rows) in block.rows.chunks(block.positions).enumerate() {
                let own = end + group * block.positions..end + group * block.positions + rows.len();
                if needed[own.clone()].contains(&true) {
                    needed[own].fill(true);
                    rows.iter().for_each(|row| mark(&mut needed, row));
                }
            }
        }
        // Inputs stay: a row has them all.
        needed[..self.inputs].fill(true);
        let mut next = 0;
        let renumbered: Vec<u32> = needed
            .iter()
            .map(|needed| {
                next += u32::from(*needed);
                next.saturating_sub(1)
            })
            .collect();
        let mut atom = self.inputs;
        for block in &mut self.blocks {
            block.rows.retain(|_| {
                atom += 1;
                needed[atom - 1]
            });
        }
        self.blocks.retain(|block| !block.rows.is_empty());
        let rows = self.blocks.iter_mut().flat_map(|block| &mut block.rows).chain(&mut self.outputs);
        rows.flat_map(|row| &mut row.terms).for_each(|(atom, _)| *atom = renumbered[*atom as usize]);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(bias: f64, terms: &[(u32, f64)]) -> Affine {
        Affine { bias, terms: terms.to_vec() }
    }

    #[test]
    fn what_no_output_needs_is_left_out() {
        let graph = FloatGraph {
            inputs: 2,
            blocks: vec![
                Block {
                    function: Function::Tanh,
                    rows: vec![row(0.0, &[(0, 1.0)]), row(0.5, &[(1, 2.0)])],
                    positions: 1,
                },
                Block { function: Function::RELU, rows: vec![row(0.0, &[(2, 1.0)])], positions: 1 },
                Block { function: Function::RELU, rows: vec![row(1.0, &[(0, 1.0), (3, -1.0)])], positions: 1 },
            ],
            outputs: vec![row(0.0, &[(5, 3.0)])],
        };
        let wanted = graph.evaluate(&[0.3, 0.1]);
        assert!((wanted[0] - 3.0 * (1.3 - 0.7f64.tanh())).abs() < 1e-12);
        let pruned = graph.pruned();
        assert_eq!(pruned.blocks.len(), 2);
        assert_eq!(pruned.blocks[1].rows, [row(1.0, &[(0, 1.0), (2, -1.0)])]);
        assert_eq!(pruned.evaluate(&[0.3, 0.1]), wanted);
        assert!(pruned.atom(1).is_none());
        assert_eq!(pruned.atom(3).map(|(block, _)| block.function), Some(Function::RELU));
        assert!(pruned.atom(9).is_none());
    }
}
