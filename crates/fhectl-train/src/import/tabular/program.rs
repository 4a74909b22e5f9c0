//! From atoms to the steps of a client's program: level by level, all that is still needed side by side.

use super::arena::Arena;
use super::atom::{Atom, Op};
use super::lin::{AtomId, Lin};
use crate::import::model::large;
use crate::import::onnx::{invalid, unsupported};
use fhectl_core::error::Result;
use fhectl_core::model::{ClearStep, Column, ColumnRule, MAX_CLEAR_VALUES, Neighbors, Part, Vote, VoteWeights};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A number with its factor, where a part of a sum is one, and the atoms that are left with theirs.
pub(super) type Parted = (Option<(u32, f64)>, Vec<(AtomId, f64)>);

/// What a program begins with.
pub(super) trait Base {
    /// How many numbers there are.
    fn width(&self) -> usize;
    /// The number that an atom is, and what is done to it; `None` for atoms that the program computes.
    fn atom(&self, atom: AtomId) -> Option<(u32, ColumnRule)>;
    /// The number, and its factor, that the part of a sum is which is no atom of the program; that part is left out of
    /// the atoms.
    fn part(&self, sum: &Lin) -> Parted;
}

#[derive(Debug, Clone)]
enum Kind {
    Given,
    Rule(ColumnRule),
    Linear(Vec<f64>, f64),
    Op(Op, u32),
}

#[derive(Debug)]
struct Node {
    kind: Kind,
    from: Rc<[usize]>,
    level: usize,
    /// The last level that takes it.
    last: usize,
}

/// The steps that make sums of what a program begins with.
///
/// # Errors
/// `import_large` for a program of too many numbers, `onnx_invalid` for numbers that are not finite.
pub(super) fn steps(arena: &Arena, base: &dyn Base, wanted: &[Lin]) -> Result<Vec<ClearStep>> {
    let mut builder = Builder {
        arena,
        base,
        nodes: Vec::new(),
        known: BTreeMap::new(),
        atoms: BTreeMap::new(),
        wholes: BTreeMap::new(),
        entries: 0,
    };
    for at in 0..base.width() {
        builder.nodes.push(Node { kind: Kind::Given, from: Rc::from([at]), level: 0, last: 0 });
    }
    for atom in reachable(arena, base, wanted) {
        let node = builder.of_atom(atom)?;
        builder.atoms.insert(atom, node);
    }
    let outputs: Vec<usize> = wanted.iter().map(|sum| builder.of_sum(sum)).collect::<Result<_>>()?;
    let mut groups = BTreeSet::new();
    for at in 0..builder.nodes.len() {
        let (level, from) = (builder.nodes[at].level, Rc::clone(&builder.nodes[at].from));
        if level > 0 && groups.insert(from.as_ptr() as usize) {
            from.iter().for_each(|from| builder.nodes[*from].last = builder.nodes[*from].last.max(level));
        }
    }
    outputs.iter().for_each(|at| builder.nodes[*at].last = usize::MAX);
    let steps = builder.levels(&outputs)?;
    ClearStep::check_all(&steps, base.width()).map_err(|error| invalid(error.message))?;
    Ok(steps)
}

/// Atoms that are computed, each after those that it is made of.
fn reachable(arena: &Arena, base: &dyn Base, wanted: &[Lin]) -> BTreeSet<AtomId> {
    let mut found = BTreeSet::new();
    // Parts of one whole are of the same sums.
    let mut groups = BTreeSet::new();
    let mut open: Vec<AtomId> = wanted.iter().flat_map(|sum| base.part(sum).1).map(|(atom, _)| atom).collect();
    while let Some(atom) = open.pop() {
        // What an atom is made of has a smaller number.
        if found.insert(atom)
            && base.atom(atom).is_none()
            && let Atom::Made { of, .. } | Atom::Part { of, .. } = arena.atom(atom)
            && groups.insert(of.as_ptr() as usize)
        {
            open.extend(of.iter().flat_map(|sum| base.part(sum).1).map(|(atom, _)| atom));
        }
    }
    found
}

/// An operation in words that are the same on every run, so that programs are.
fn stated(op: &Op) -> String {
    format!("{op:?}")
}

struct Builder<'a> {
    arena: &'a Arena,
    base: &'a dyn Base,
    nodes: Vec<Node>,
    known: BTreeMap<String, usize>,
    atoms: BTreeMap<AtomId, usize>,
    /// What the parts of a whole are made of, by where its sums are.
    wholes: BTreeMap<usize, Rc<[usize]>>,
    /// How many entries all tables have.
    entries: usize,
}

impl Builder<'_> {
    fn node(&mut self, kind: Kind, from: Vec<usize>) -> usize {
        let key = format!("{kind:?} {from:?}");
        if let Some(at) = self.known.get(&key) {
            return *at;
        }
        let at = self.push(kind, from.into());
        self.known.insert(key, at);
        at
    }

    fn push(&mut self, kind: Kind, from: Rc<[usize]>) -> usize {
        let level = 1 + from.iter().map(|at| self.nodes[*at].level).max().unwrap_or(0);
        self.nodes.push(Node { kind, from, level, last: 0 });
        self.nodes.len() - 1
    }

    fn of_atom(&mut self, atom: AtomId) -> Result<usize> {
        if let Some((place, rule)) = self.base.atom(atom) {
            return Ok(match rule {
                ColumnRule::Copy => place as usize,
                rule => self.node(Kind::Rule(rule), vec![place as usize]),
            });
        }
        let (op, of, index) = match self.arena.atom(atom) {
            Atom::Made { op, of } => (op.clone(), of.clone(), 0),
            Atom::Part { op, of, index } => (op.clone(), of.clone(), *index),
            _ => return Err(unsupported("a number that the client does not have")),
        };
        if let Some(from) = self.wholes.get(&(of.as_ptr() as usize)) {
            let from = Rc::clone(from);
            return Ok(self.push(Kind::Op(op, index), from));
        }
        let from: Vec<usize> = of.iter().map(|sum| self.of_sum(sum)).collect::<Result<_>>()?;
        if matches!(self.arena.atom(atom), Atom::Part { .. }) {
            let from: Rc<[usize]> = from.into();
            self.wholes.insert(of.as_ptr() as usize, Rc::clone(&from));
            return Ok(self.push(Kind::Op(op, index), from));
        }
        Ok(match op {
            Op::Rule(ColumnRule::Copy) => from[0],
            Op::Rule(rule) => self.node(Kind::Rule(rule), from),
            Op::Pick(table) => {
                self.entries += table.len();
                if self.entries > MAX_CLEAR_VALUES {
                    return Err(large("a client's tables of too many numbers"));
                }
                let keys = (0..table.len()).map(|at| at as f64).collect();
                let rule =
                    ColumnRule::Lookup { keys, values: table.to_vec(), other: table.last().copied().unwrap_or(0.0) };
                self.node(Kind::Rule(rule), from)
            }
            op => self.node(Kind::Op(op, index), from),
        })
    }

    fn of_sum(&mut self, sum: &Lin) -> Result<usize> {
        let (given, atoms) = self.base.part(sum);
        let mut terms: Vec<(usize, f64)> = given.into_iter().map(|(place, factor)| (place as usize, factor)).collect();
        for (atom, factor) in atoms {
            let at = self.atoms.get(&atom).ok_or_else(|| unsupported("a number that the client does not have"))?;
            terms.push((*at, factor));
        }
        Ok(match terms[..] {
            // Whatever number there is, this one is looked up for it.
            [] => {
                let rule = ColumnRule::Lookup { keys: Vec::new(), values: Vec::new(), other: sum.bias };
                self.node(Kind::Rule(rule), vec![0])
            }
            [(at, 1.0)] if sum.bias == 0.0 => at,
            [(at, scale)] => self.node(Kind::Rule(ColumnRule::Affine { offset: -sum.bias / scale, scale }), vec![at]),
            _ => {
                let (from, weights) = terms.into_iter().unzip();
                self.node(Kind::Linear(weights, sum.bias), from)
            }
        })
    }

    fn levels(&self, outputs: &[usize]) -> Result<Vec<ClearStep>> {
        let mut rank: BTreeMap<usize, usize> = BTreeMap::new();
        for (place, at) in outputs.iter().enumerate() {
            rank.entry(*at).or_insert(place);
        }
        let deepest = self.nodes.iter().filter(|node| node.last > 0).map(|node| node.level).max().unwrap_or(0);
        let mut of_level: Vec<Vec<usize>> = vec![Vec::new(); deepest + 1];
        for (at, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.last > 0) {
            of_level[node.level].push(at);
        }
        let mut slots: Vec<usize> = (0..self.base.width()).collect();
        let mut steps = Vec::new();
        let mut size = 0usize;
        for (level, fresh) in of_level.iter().enumerate().skip(1) {
            let mut columns: Vec<usize> = slots.iter().copied().filter(|at| self.nodes[*at].last > level).collect();
            columns.extend(fresh.iter().filter(|at| matches!(self.nodes[**at].kind, Kind::Rule(_))));
            columns.sort_by_key(|at| (rank.get(at).copied().unwrap_or(usize::MAX), *at));
            let (made, layer) = self.layer(&slots, columns, fresh)?;
            size = size.saturating_add(made.len());
            if size > MAX_CLEAR_VALUES {
                return Err(large("a client's program of too many numbers"));
            }
            slots = made;
            steps.extend(layer);
        }
        if slots != outputs {
            let place: BTreeMap<usize, usize> = slots.iter().enumerate().map(|(place, at)| (*at, place)).collect();
            let copy = |at: &usize| {
                let source = place.get(at).ok_or_else(|| invalid("a number that is lost on its way"))?;
                Ok(Column { source: *source as u32, rule: ColumnRule::Copy })
            };
            steps.push(ClearStep::Columns { columns: outputs.iter().map(copy).collect::<Result<_>>()? });
        }
        Ok(steps)
    }

    /// The step or steps that make the next level's numbers, and these.
    fn layer(&self, slots: &[usize], columns: Vec<usize>, fresh: &[usize]) -> Result<(Vec<usize>, Vec<ClearStep>)> {
        let place: BTreeMap<usize, u32> = slots.iter().enumerate().map(|(place, at)| (*at, place as u32)).collect();
        let of = |at: usize| place.get(&at).copied().ok_or_else(|| invalid("a number that is lost on its way"));
        let mut made = columns.clone();
        let mut parts = Vec::new();
        let rules: Vec<Column> = columns
            .iter()
            .map(|at| match &self.nodes[*at].kind {
                Kind::Rule(rule) if !place.contains_key(at) => {
                    Ok(Column { source: of(self.nodes[*at].from[0])?, rule: rule.clone() })
                }
                _ => Ok(Column { source: of(*at)?, rule: ColumnRule::Copy }),
            })
            .collect::<Result<_>>()?;
        // Numbers that are made together of the same ones.
        let mut together: BTreeMap<(String, Rc<[usize]>), Vec<usize>> = BTreeMap::new();
        for at in fresh {
            let node = &self.nodes[*at];
            let key = match &node.kind {
                Kind::Given | Kind::Rule(_) => continue,
                Kind::Linear(..) => ("linear".to_owned(), Rc::clone(&node.from)),
                Kind::Op(Op::Product | Op::Choose, _) => (format!("{:?}", node.kind), Rc::from([])),
                Kind::Op(op, _) if op.width(node.from.len()) > 1 => {
                    (format!("{} {}", stated(op), node.from.as_ptr() as usize), Rc::from([]))
                }
                Kind::Op(op, _) => (stated(op), Rc::clone(&node.from)),
            };
            together.entry(key).or_default().push(*at);
        }
        for nodes in together.into_values() {
            let mut sources: Vec<usize> = nodes.iter().flat_map(|at| self.nodes[*at].from.iter().copied()).collect();
            if matches!(&self.nodes[nodes[0]].kind, Kind::Op(Op::Product | Op::Choose, _)) {
                sources.sort_unstable();
                sources.dedup();
            } else {
                sources = self.nodes[nodes[0]].from.to_vec();
            }
            let steps = self.part(&nodes, &sources)?;
            made.extend(&nodes);
            parts.push(Part { sources: sources.into_iter().map(of).collect::<Result<_>>()?, steps });
        }
        if parts.is_empty() {
            return Ok((made, vec![ClearStep::Columns { columns: rules }]));
        }
        if rules.is_empty() && parts.len() == 1 {
            let whole = parts[0].sources.iter().copied().eq(0..slots.len() as u32);
            if whole {
                return Ok((made, parts.swap_remove(0).steps));
            }
        }
        if !rules.is_empty() {
            let copies = rules.iter().all(|column| column.rule == ColumnRule::Copy);
            let steps = if copies { Vec::new() } else { vec![ClearStep::Columns { columns: rules.clone() }] };
            let sources = if copies {
                rules.iter().map(|column| column.source).collect()
            } else {
                (0..slots.len() as u32).collect()
            };
            parts.insert(0, Part { sources, steps });
        }
        Ok((made, vec![ClearStep::Parts { parts }]))
    }

    /// The steps that make nodes of the same kind from these sources.
    fn part(&self, nodes: &[usize], sources: &[usize]) -> Result<Vec<ClearStep>> {
        let place: BTreeMap<usize, u32> = sources.iter().enumerate().map(|(place, at)| (*at, place as u32)).collect();
        let of = |at: &usize| place.get(at).copied().unwrap_or(0);
        let first = &self.nodes[nodes[0]];
        let (step, width) = match &first.kind {
            Kind::Linear(..) => {
                let (mut weights, mut biases) = (Vec::new(), Vec::new());
                for at in nodes {
                    if let Kind::Linear(row, bias) = &self.nodes[*at].kind {
                        weights.push(row.clone());
                        biases.push(*bias);
                    }
                }
                return Ok(vec![ClearStep::Linear { weights, biases }]);
            }
            Kind::Op(Op::Product, _) => {
                let terms = nodes.iter().map(|at| self.nodes[*at].from.iter().map(of).collect()).collect();
                return Ok(vec![ClearStep::Products { terms }]);
            }
            Kind::Op(Op::Choose, _) => {
                let choice = |at: &usize| {
                    let from = &self.nodes[*at].from;
                    [of(&from[0]), of(&from[1]), of(&from[2])]
                };
                return Ok(vec![ClearStep::Choose { choices: nodes.iter().map(choice).collect() }]);
            }
            Kind::Op(Op::Softmax, _) => (ClearStep::Softmax {}, sources.len()),
            Kind::Op(Op::Normalize(norm), _) => (ClearStep::Normalize { norm: *norm }, sources.len()),
            Kind::Op(Op::Largest, _) => (ClearStep::Largest {}, 1),
            Kind::Op(Op::WhichLargest, _) => (ClearStep::WhichLargest {}, 1),
            Kind::Op(Op::Neighbors(count, values), _) => {
                let vote = Vote::Mean { values: values.to_vec() };
                (ClearStep::Neighbors(Neighbors { neighbors: *count, vote, weights: VoteWeights::Uniform }), 1)
            }
            kind => {
                let what = match kind {
                    Kind::Op(Op::Nearest(_), _) => "which rows are nearest, one by one",
                    _ => "a number of another kind",
                };
                return Err(unsupported(format!("a program that asks {what}"))
                    .hint("train the nearest neighbors with weights=\"uniform\""));
            }
        };
        let index = |at: &usize| if let Kind::Op(_, index) = self.nodes[*at].kind { index } else { 0 };
        let chosen: Vec<u32> = nodes.iter().map(index).collect();
        let mut steps = vec![step];
        if !chosen.iter().copied().eq(0..width as u32) {
            let columns = chosen.iter().map(|source| Column { source: *source, rule: ColumnRule::Copy }).collect();
            steps.push(ClearStep::Columns { columns });
        }
        Ok(steps)
    }
}
