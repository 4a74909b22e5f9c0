//! All atoms of a graph, each once, and on whose side each is computed.

use super::atom::{Atom, Categories, Op};
use super::bounds;
use super::lin::{AtomId, Lin};
use crate::import::model::{MAX_VALUES, Tree, large};
use crate::import::onnx::unsupported;
use fhectl_core::digest::sha256;
use fhectl_core::error::Result;
use fhectl_core::model::ColumnRule;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most numbers that reading a graph may take.
const MAX_WORK: usize = 1 << 25;

/// Where a number is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The client knows it before encryption: a function of the row that is public.
    Row,
    /// One tree's leaf says it.
    Leaf(u32),
    /// The client knows it after decryption: a function of scores.
    Score,
}

/// The numbers of the row that something depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Only {
    Nothing,
    One(AtomId),
    Several,
}

/// Atoms, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Arena {
    atoms: Vec<Atom>,
    sides: Vec<Side>,
    bounds: Vec<(f64, f64)>,
    gaps: Vec<bool>,
    /// Which number of the row each is a function of, where it is of one only.
    only: Vec<Only>,
    /// Trees, whose splits compare atoms; their leaves are numbered.
    pub trees: Vec<fhectl_core::model::Tree<f64, u32>>,
    known: BTreeMap<Vec<u8>, AtomId>,
    /// Products of numbers of the row that a model is a sum of; see [`super::center`].
    pub expanded: std::collections::BTreeSet<AtomId>,
    /// Of columns whose words are counted: whether they are counted in lower case.
    pub lower: BTreeMap<u32, bool>,
    /// Tables that numbers are picked of, by their digest.
    tables: BTreeMap<[u8; 32], Rc<[f64]>>,
    spent: usize,
    effort: usize,
}

impl Arena {
    pub fn atom(&self, id: AtomId) -> &Atom {
        &self.atoms[id as usize]
    }

    pub fn side_of(&self, id: AtomId) -> Side {
        self.sides[id as usize]
    }

    /// Whether an atom can be a missing number.
    pub fn may_miss(&self, id: AtomId) -> bool {
        self.gaps[id as usize]
    }

    fn has_gap(&self, atom: &Atom) -> bool {
        let of = match atom {
            Atom::Input(_) => return true,
            Atom::Category { of, .. } => return of.missing.is_nan(),
            Atom::Words { .. } | Atom::Leaf { .. } => return false,
            Atom::Made { op: Op::Rule(rule), of } => match rule {
                ColumnRule::Impute { .. }
                | ColumnRule::Missing
                | ColumnRule::OneOf { .. }
                | ColumnRule::Lookup { .. } => return false,
                ColumnRule::MissingWithin { .. } => return true,
                _ => of,
            },
            Atom::Made { of, .. } | Atom::Part { of, .. } => of,
        };
        of.iter().any(|sum| sum.terms().iter().any(|(atom, _)| self.may_miss(*atom)))
    }

    /// A table; the one that is there already where it is the same.
    pub fn shared(&mut self, table: Vec<f64>) -> Rc<[f64]> {
        let bytes: Vec<u8> = table.iter().flat_map(|value| value.to_bits().to_le_bytes()).collect();
        Rc::clone(self.tables.entry(sha256(&bytes)).or_insert_with(|| table.into()))
    }

    /// Takes what is left for so many numbers.
    ///
    /// # Errors
    /// `import_large` where they are too many.
    pub fn spend(&mut self, numbers: usize) -> Result<()> {
        self.spent = self.spent.saturating_add(numbers);
        if self.spent > MAX_WORK { Err(large("a graph of too many sums of sums")) } else { Ok(()) }
    }

    /// Whether there is time for so many steps that are of use but not needed.
    pub fn try_hard(&mut self, steps: usize) -> bool {
        self.effort = self.effort.saturating_add(steps);
        self.effort <= MAX_WORK
    }

    /// The side of a function of sums; `None` where they are all numbers.
    pub fn side<'a>(&self, sums: impl IntoIterator<Item = &'a Lin>) -> Option<Side> {
        let atoms = sums.into_iter().flat_map(|sum| sum.terms()).map(|(atom, _)| self.side_of(*atom));
        atoms.fold(None, |side, next| match side {
            None => Some(next),
            Some(side) if side == next => Some(side),
            Some(_) => Some(Side::Score),
        })
    }

    /// Whether a sum holds functions of scores.
    pub fn has_score(&self, sum: &Lin) -> bool {
        sum.terms().iter().any(|(atom, _)| self.side_of(*atom) == Side::Score)
    }

    /// The least and the largest number that a sum can be, as far as is known.
    pub fn bounds(&self, sum: &Lin) -> (f64, f64) {
        let ends = |(atom, factor): &(AtomId, f64)| {
            let (low, high) = self.bounds[*atom as usize];
            if *factor > 0.0 { (factor * low, factor * high) } else { (factor * high, factor * low) }
        };
        let parts = sum.terms().iter().map(ends);
        parts.fold((sum.bias, sum.bias), |all, part| (all.0 + part.0, all.1 + part.1))
    }

    pub fn input(&mut self, column: u32) -> Lin {
        self.intern(Atom::Input(column), Side::Row)
    }

    /// How often a phrase occurs in a column's text, which is written in lower case or taken as it is.
    ///
    /// # Errors
    /// `onnx_unsupported` where a column's text is taken in both ways.
    pub fn text(&mut self, column: u32, lower: bool, phrase: &str) -> Result<Lin> {
        if *self.lower.entry(column).or_insert(lower) != lower {
            return Err(unsupported("two vectorizers of one text, one of which keeps capital letters")
                .hint("give both the same `lowercase`"));
        }
        Ok(self.intern(Atom::Words { column, phrase: phrase.into() }, Side::Row))
    }

    pub fn category(&mut self, column: u32, of: Categories) -> Lin {
        self.intern(Atom::Category { column, of: Rc::new(of) }, Side::Row)
    }

    /// A tree whose splits compare atoms, and for each score of its leaves the atom that is worth it.
    pub fn tree(&mut self, tree: Tree) -> Result<Vec<Lin>> {
        let scores = tree.leaves().next().map_or(0, Vec::len);
        let tables: Vec<Rc<[f64]>> =
            (0..scores).map(|score| tree.leaves().map(|values| values[score]).collect()).collect();
        self.spend(tables.iter().map(|table| table.len()).sum())?;
        let id = self.trees.len() as u32;
        let mut next = 0;
        self.trees.push(tree.map_leaves(|_| {
            next += 1;
            next - 1
        }));
        let mut made: Vec<(Rc<[f64]>, Lin)> = Vec::with_capacity(tables.len());
        for table in tables {
            // Two classes may have each other's negative, which is one score then.
            let mirrored = |other: &Rc<[f64]>| other.iter().zip(table.iter()).all(|(a, b)| *a == -b);
            let before = if scores == 2 { made.first().filter(|(other, _)| mirrored(other)) } else { None };
            let leaf = match before {
                Some((_, leaf)) => leaf.negated(),
                None => self.leaf(id, Rc::clone(&table)),
            };
            made.push((table, leaf));
        }
        Ok(made.into_iter().map(|(_, leaf)| leaf).collect())
    }

    fn leaf(&mut self, tree: u32, values: Rc<[f64]>) -> Lin {
        match values.first() {
            Some(first) if values.iter().all(|value| value == first) => Lin::constant(*first),
            _ => self.push(Atom::Leaf { tree, values }, Side::Leaf(tree)),
        }
    }

    /// A leaf that was made before, or is the negative of one that was, is the same.
    fn made_leaf(&mut self, tree: u32, values: Rc<[f64]>) -> Lin {
        let positive = values.iter().find(|value| **value != 0.0).is_none_or(|value| *value > 0.0);
        let mut key = vec![2u8];
        key.extend(tree.to_le_bytes());
        let sign = if positive { 1.0 } else { -1.0 };
        values.iter().for_each(|value| key.extend((value * sign + 0.0).to_bits().to_le_bytes()));
        if let Some(id) = self.known.get(&key) {
            return Lin::atom(*id).scaled(sign);
        }
        let leaf = self.leaf(tree, values.iter().map(|value| value * sign).collect());
        if let Some(id) = leaf.pure() {
            self.known.insert(key, id);
        }
        leaf.scaled(sign)
    }

    /// A sum's number at a leaf of the only tree that it depends on.
    pub fn at_leaf(&self, sum: &Lin, leaf: usize) -> f64 {
        let worth = |(atom, factor): &(AtomId, f64)| match self.atom(*atom) {
            Atom::Leaf { values, .. } => values[leaf] * factor,
            _ => f64::NAN,
        };
        sum.bias + sum.terms().iter().map(worth).sum::<f64>()
    }

    /// What an operation makes of sums. Functions of one tree's leaf are leaves again; a function of the row is the
    /// client's before encryption, unless its sums are to be encrypted as scores.
    ///
    /// # Errors
    /// `import_large`.
    pub fn apply(&mut self, op: Op, of: Vec<Lin>, as_score: bool) -> Result<Vec<Lin>> {
        let width = op.width(of.len());
        self.spend(of.iter().map(Lin::size).sum::<usize>() + width)?;
        let side = match self.side(&of) {
            None => {
                let numbers: Vec<f64> = of.iter().map(|sum| sum.bias).collect();
                return Ok(op.apply(&numbers).into_iter().map(Lin::constant).collect());
            }
            Some(Side::Leaf(tree)) => return self.of_leaves(tree, &op, &of),
            Some(Side::Row) if !as_score => Side::Row,
            Some(_) => Side::Score,
        };
        let of: Rc<[Lin]> = of.into();
        if width == 1 {
            return Ok(vec![self.intern(Atom::Made { op, of }, side)]);
        }
        // All parts are numbered in a row, so that the key, which may be long, is needed once.
        let key = key(&Atom::Part { op: op.clone(), of: Rc::clone(&of), index: 0 }, side);
        let first = match self.known.get(&key) {
            Some(first) => *first,
            None => {
                let first = self.atoms.len() as AtomId;
                for index in 0..width as u32 {
                    let part = Atom::Part { op: op.clone(), of: Rc::clone(&of), index };
                    // What is known of one part is known of all.
                    let known = (index > 0).then(|| self.known_of(first));
                    self.push_known(part, side, known);
                }
                self.known.insert(key, first);
                first
            }
        };
        Ok((first..first + width as AtomId).map(Lin::atom).collect())
    }

    /// As [`Arena::apply`] of an operation that makes one number.
    pub fn one(&mut self, op: Op, of: Vec<Lin>, as_score: bool) -> Result<Lin> {
        Ok(self.apply(op, of, as_score)?.swap_remove(0))
    }

    fn of_leaves(&mut self, tree: u32, op: &Op, of: &[Lin]) -> Result<Vec<Lin>> {
        let leaves = self.trees[tree as usize].leaves().count();
        let width = op.width(of.len());
        if leaves.saturating_mul(width) > MAX_VALUES {
            return Err(large(format!("{leaves} leaves of {width} numbers")));
        }
        self.spend(leaves.saturating_mul(width + of.len()))?;
        let mut tables = vec![Vec::with_capacity(leaves); width];
        for leaf in 0..leaves {
            let numbers: Vec<f64> = of.iter().map(|sum| self.at_leaf(sum, leaf)).collect();
            tables.iter_mut().zip(op.apply(&numbers)).for_each(|(table, number)| table.push(number));
        }
        Ok(tables.into_iter().map(|table| self.made_leaf(tree, table.into())).collect())
    }

    /// An atom; the one that is there already where it is the same.
    fn intern(&mut self, atom: Atom, side: Side) -> Lin {
        let key = key(&atom, side);
        if let Some(id) = self.known.get(&key) {
            return Lin::atom(*id);
        }
        let made = self.push(atom, side);
        self.known.insert(key, self.atoms.len() as u32 - 1);
        made
    }

    fn push(&mut self, atom: Atom, side: Side) -> Lin {
        self.push_known(atom, side, None)
    }

    fn known_of(&self, atom: AtomId) -> ((f64, f64), bool, Only) {
        let at = atom as usize;
        (self.bounds[at], self.gaps[at], self.only[at])
    }

    /// Which number of the row an atom is a function of.
    pub fn only(&self, atom: AtomId) -> Only {
        self.only[atom as usize]
    }

    fn only_of(&self, atom: &Atom) -> Only {
        match atom {
            Atom::Input(_) => Only::One(self.atoms.len() as AtomId),
            Atom::Words { .. } | Atom::Category { .. } | Atom::Leaf { .. } => Only::Several,
            Atom::Made { of, .. } | Atom::Part { of, .. } => {
                let atoms = of.iter().flat_map(|sum| sum.terms()).map(|(atom, _)| self.only(*atom));
                atoms.fold(Only::Nothing, |all, next| match (all, next) {
                    (Only::Nothing, next) => next,
                    (all, next) if all == next => all,
                    _ => Only::Several,
                })
            }
        }
    }

    fn push_known(&mut self, atom: Atom, side: Side, known: Option<((f64, f64), bool, Only)>) -> Lin {
        let known = known
            .unwrap_or_else(|| (bounds::of(&atom, &|sum| self.bounds(sum)), self.has_gap(&atom), self.only_of(&atom)));
        let (bounds, gap, only) = known;
        self.gaps.push(gap);
        self.only.push(only);
        self.atoms.push(atom);
        self.sides.push(side);
        self.bounds.push(bounds);
        Lin::atom(self.atoms.len() as u32 - 1)
    }
}

fn key(atom: &Atom, side: Side) -> Vec<u8> {
    let mut bytes = vec![u8::from(side == Side::Score)];
    let mut text = |text: &str| bytes.extend(text.as_bytes());
    match atom {
        Atom::Input(column) => text(&format!("input {column}")),
        Atom::Words { column, phrase } => text(&format!("words {column} {phrase}")),
        Atom::Category { column, of } => text(&format!("category {column} {of:?}")),
        Atom::Leaf { .. } => {}
        Atom::Made { op, of } | Atom::Part { op, of, .. } => {
            text(&format!("{} ", op.key()));
            of.iter().for_each(|sum| sum.key(&mut bytes));
        }
    }
    bytes
}
