//! From a graph to a chain: every activation gets a level, and what later levels need is carried there.
//!
//! An integer network is a chain of linear maps and activations. A block stands one level above what it depends on; a
//! value that is needed further up is handed on by an identity at each level between. Values that all later sums take in
//! the same proportion are handed on as one.

use super::call::refused;
use super::float_graph::{Affine, FloatGraph};
use super::function::Function;
use fhectl_core::error::Result;
use std::collections::BTreeMap;

/// The most levels: integer networks have at most 16 layers, the scores' among them.
const MAX_LEVELS: usize = 15;

/// A network as a chain of layers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    pub(super) inputs: usize,
    pub(super) layers: Vec<Layer>,
    /// Over the values of the last layer.
    pub(super) outputs: Vec<Affine>,
}

/// Values of one level, over those of the one before (of the inputs, in the first): all channels' first places, then
/// their second ones, and so on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    /// One function a channel.
    pub(super) functions: Vec<Function>,
    /// Row `i` is of channel `i % functions.len()`.
    pub(super) rows: Vec<Affine>,
}

/// Atoms or sums with coefficients.
type Shares = Vec<(u32, f64)>;

/// Rows that share function and scale.
struct Group {
    function: Function,
    atoms: Vec<u32>,
}

/// All atoms with their level, group and sum.
struct Atoms {
    level: Vec<usize>,
    group: Vec<usize>,
    /// Inputs have an empty one.
    rows: Vec<Affine>,
    groups: Vec<Group>,
}

/// Puts a graph in levels.
///
/// # Errors
/// `onnx_unsupported` where there are too many, or no activation at all.
pub(super) fn levels(graph: &FloatGraph) -> Result<Levels> {
    let mut atoms = Atoms {
        level: vec![0; graph.inputs],
        group: vec![0; graph.inputs],
        rows: vec![Affine::default(); graph.inputs],
        groups: vec![Group { function: Function::Identity, atoms: (0..graph.inputs as u32).collect() }],
    };
    for block in &graph.blocks {
        let below = |row: &Affine| row.terms.iter().map(|(atom, _)| atoms.level[*atom as usize]).max().unwrap_or(0);
        let level = 1 + block.rows.iter().map(below).max().unwrap_or(0);
        for rows in block.rows.chunks(block.positions) {
            atoms.add(block.function, level, rows.to_vec());
        }
    }
    let top = atoms.level.iter().copied().max().unwrap_or(0);
    if top == 0 {
        return Err(refused("a network without an activation", "a linear model is made with `fhectl create logreg`"));
    }
    if top > MAX_LEVELS {
        return Err(refused(
            format!("{top} activations after one another"),
            format!(
                "at most {MAX_LEVELS} are run: use a shallower network; a max pooling counts as many as it has halvings"
            ),
        ));
    }
    let mut outputs = graph.outputs.clone();
    for level in 1..=top {
        atoms.carry(level, &mut outputs);
    }
    let mut place: Vec<u32> = (0..graph.inputs as u32).collect();
    let mut layers = Vec::with_capacity(top);
    for level in 1..=top {
        let (layer, own) = atoms.layer(level, &place);
        layers.push(layer);
        place = own;
    }
    let outputs = outputs.iter().map(|row| moved(row, &place)).collect();
    Ok(Levels { inputs: graph.inputs, layers, outputs })
}

impl Atoms {
    fn add(&mut self, function: Function, level: usize, rows: Vec<Affine>) {
        let first = self.rows.len() as u32;
        self.groups.push(Group { function, atoms: (first..first + rows.len() as u32).collect() });
        self.level.extend(rows.iter().map(|_| level));
        self.group.extend(rows.iter().map(|_| self.groups.len() - 1));
        self.rows.extend(rows);
    }

    /// Hands on to `level` what levels above it need from below it.
    fn carry(&mut self, level: usize, outputs: &mut [Affine]) {
        // For each old atom the sums above that take it, and its coefficients there.
        let mut columns: BTreeMap<u32, Shares> = BTreeMap::new();
        let above =
            |atoms: &Self| -> Vec<usize> { (0..atoms.rows.len()).filter(|atom| atoms.level[*atom] > level).collect() };
        let users = above(self);
        let rows = users.iter().map(|atom| &self.rows[*atom]).chain(outputs.iter());
        for (user, row) in rows.enumerate() {
            for (atom, coefficient) in row.terms.iter().filter(|(atom, _)| self.level[*atom as usize] < level) {
                columns.entry(*atom).or_default().push((user as u32, *coefficient));
            }
        }
        // Atoms in one proportion in all sums are handed on as their sum.
        let mut bundles: BTreeMap<Vec<(u32, u64)>, Shares> = BTreeMap::new();
        for (atom, column) in &columns {
            let first = column[0].1;
            let key = column.iter().map(|(user, coefficient)| (*user, (coefficient / first).to_bits())).collect();
            bundles.entry(key).or_default().push((*atom, first));
        }
        // In the order of their first atoms, those of the same groups together: they share a scale.
        let mut carried: BTreeMap<Vec<usize>, Vec<Shares>> = BTreeMap::new();
        let mut bundles: Vec<Shares> = bundles.into_values().collect();
        bundles.sort_by_key(|bundle| bundle[0].0);
        for bundle in bundles {
            // Inputs have scales of their own.
            let own = |(atom, _): &(u32, f64)| match self.group[*atom as usize] {
                0 => self.groups.len() + *atom as usize,
                group => group,
            };
            carried.entry(bundle.iter().map(own).collect()).or_default().push(bundle);
        }
        // What replaces each atom: the carried atom and its share, or nothing where another of the bundle stands for it.
        let mut replaced: BTreeMap<u32, Option<(u32, f64)>> = BTreeMap::new();
        for bundles in carried.into_values() {
            let mut rows = Vec::with_capacity(bundles.len());
            for bundle in bundles {
                let first = bundle[0].1;
                let new = (self.rows.len() + rows.len()) as u32;
                replaced.extend(bundle[1..].iter().map(|(atom, _)| (*atom, None)));
                replaced.insert(bundle[0].0, Some((new, 1.0)));
                rows.push(Affine { bias: 0.0, terms: bundle.iter().map(|(atom, c)| (*atom, c / first)).collect() });
            }
            self.add(Function::Identity, level, rows);
        }
        let replace = |row: &mut Affine| {
            let terms = row.terms.iter().filter_map(|(atom, coefficient)| match replaced.get(atom) {
                None => Some((*atom, *coefficient)),
                Some(new) => new.map(|(new, share)| (new, coefficient * share)),
            });
            row.terms = terms.collect();
            row.terms.sort_unstable_by_key(|(atom, _)| *atom);
        };
        users.into_iter().for_each(|atom| replace(&mut self.rows[atom]));
        outputs.iter_mut().for_each(replace);
    }

    /// The layer of a level, and where in it each atom stands. `place` says it of the level below.
    fn layer(&self, level: usize, place: &[u32]) -> (Layer, Vec<u32>) {
        let groups: Vec<&Group> = self
            .groups
            .iter()
            .filter(|group| group.atoms.first().is_some_and(|a| self.level[*a as usize] == level))
            .collect();
        // As many places in every channel: larger groups are cut.
        let places = groups.iter().fold(0, |places, group| gcd(places, group.atoms.len())).max(1);
        let channels: Vec<(Function, &[u32])> =
            groups.iter().flat_map(|group| group.atoms.chunks(places).map(|atoms| (group.function, atoms))).collect();
        let mut own = vec![0; self.rows.len()];
        let mut rows = Vec::with_capacity(places * channels.len());
        for at in 0..places {
            for (_, atoms) in &channels {
                own[atoms[at] as usize] = rows.len() as u32;
                rows.push(moved(&self.rows[atoms[at] as usize], place));
            }
        }
        (Layer { functions: channels.iter().map(|(function, _)| *function).collect(), rows }, own)
    }
}

fn moved(row: &Affine, place: &[u32]) -> Affine {
    let mut terms: Vec<(u32, f64)> = row.terms.iter().map(|(atom, c)| (place[*atom as usize], *c)).collect();
    terms.sort_unstable_by_key(|(atom, _)| *atom);
    Affine { bias: row.bias, terms }
}

fn gcd(a: usize, b: usize) -> usize {
    if a == 0 { b } else { gcd(b % a, a) }
}

impl Layer {
    /// Sums and values for the values of the layer before.
    pub(super) fn evaluate(&self, before: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let sums: Vec<f64> = self.rows.iter().map(|row| row.value(before)).collect();
        let channels = self.functions.len();
        let values = sums.iter().enumerate().map(|(index, sum)| self.functions[index % channels].apply(*sum)).collect();
        (sums, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::network::Block;
    use fhectl_core::error::ErrorCode;

    fn row(bias: f64, terms: &[(u32, f64)]) -> Affine {
        Affine { bias, terms: terms.to_vec() }
    }

    fn chain(levels: &Levels, row: &[f64]) -> Vec<f64> {
        let values = levels.layers.iter().fold(row.to_vec(), |values, layer| layer.evaluate(&values).1);
        levels.outputs.iter().map(|row| row.value(&values)).collect()
    }

    /// `relu(tanh(a + b) - b) + a + 2 tanh(a + b)` of images of two places.
    fn shortcut() -> FloatGraph {
        let tanh = vec![row(0.1, &[(0, 1.0), (2, 1.0)]), row(0.1, &[(1, 1.0), (3, 1.0)])];
        let relu = vec![row(0.0, &[(2, -1.0), (4, 1.0)]), row(0.0, &[(3, -1.0), (5, 1.0)])];
        FloatGraph {
            inputs: 4,
            blocks: vec![
                Block { function: Function::Tanh, rows: tanh, positions: 2 },
                Block { function: Function::RELU, rows: relu, positions: 2 },
            ],
            outputs: vec![row(0.0, &[(0, 1.0), (4, 2.0), (6, 1.0)]), row(1.0, &[(1, 1.0), (5, 2.0), (7, 1.0)])],
        }
    }

    #[test]
    fn a_chain_computes_what_the_graph_does() {
        let graph = shortcut();
        let levels = levels(&graph).unwrap();
        for row in [[0.3, -0.2, 0.5, 0.9], [-1.0, 2.0, 0.1, -0.4]] {
            let (got, wanted) = (chain(&levels, &row), graph.evaluate(&row));
            assert!(got.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?} {wanted:?}");
        }
        // The first layer has tanh at two places, a and b of both; the second relu and `a + 2 tanh` as one.
        assert_eq!(levels.layers[0].rows.len(), 6);
        assert_eq!(levels.layers[1].rows.len(), 4);
        // Inputs have scales of their own, so nothing that is handed on from them shares one.
        let [relu, carried] = [Function::RELU, Function::Identity];
        assert_eq!(levels.layers[1].functions, [relu, relu, carried, carried]);
    }

    #[test]
    fn chains_that_are_too_long_or_linear_are_refused() {
        let tanh = |atom| Block { function: Function::Tanh, rows: vec![row(0.0, &[(atom, 1.0)])], positions: 1 };
        let deep = |depth: u32| FloatGraph {
            inputs: 1,
            blocks: (0..depth).map(tanh).collect(),
            outputs: vec![row(0.0, &[(depth, 1.0)])],
        };
        assert!(levels(&deep(15)).is_ok());
        assert_eq!(levels(&deep(16)).unwrap_err().code, ErrorCode::OnnxUnsupported);
        assert_eq!(levels(&deep(0)).unwrap_err().code, ErrorCode::OnnxUnsupported);
    }
}
