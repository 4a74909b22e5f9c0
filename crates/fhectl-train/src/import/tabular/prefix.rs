//! What a client does with a row before it is encrypted: from the cells of a table to the features of a model.

use super::arena::Arena;
use super::atom::{Atom, Categories};
use super::inputs::{Cells as CellsOf, Table};
use super::lin::{AtomId, Lin};
use super::program::{self, Base, Parted};
use super::univariate::straightened;
use crate::import::model::{MAX_FEATURES, large};
use crate::import::onnx::unsupported;
use fhectl_core::error::Result;
use fhectl_core::model::{ClearStep, ColumnKind, ColumnRule, InputColumn, InputSchema, Vocabulary, Words};
use std::collections::{BTreeMap, BTreeSet};

/// The program on a row, and the place that each atom has after it.
pub(super) struct Prefix {
    pub input: Option<InputSchema>,
    /// How many numbers a row has before.
    pub width: usize,
    pub steps: Vec<ClearStep>,
    pub places: BTreeMap<AtomId, u32>,
    /// How many it has after.
    pub features: usize,
}

/// The program that makes these atoms. A row of numbers that are the features themselves needs none.
///
/// # Errors
/// `import_large`; `onnx_unsupported` for a text that is both a category and words.
pub(super) fn of(arena: &mut Arena, table: &Table, atoms: &BTreeSet<AtomId>) -> Result<Prefix> {
    let plain = |atom: &AtomId| match arena.atom(*atom) {
        Atom::Input(column) => Some((*atom, *column)),
        _ => None,
    };
    let places: Option<BTreeMap<AtomId, u32>> = atoms.iter().map(plain).collect();
    let numbers = table.columns.iter().all(|column| column.cells == CellsOf::Numbers);
    if let Some(places) = places.filter(|_| numbers) {
        let width = table.columns.len();
        return Ok(Prefix { input: None, width, steps: Vec::new(), places, features: width });
    }
    if atoms.len() > MAX_FEATURES {
        return Err(large(format!("{} features after preparation, at most {MAX_FEATURES}", atoms.len())));
    }
    let mut made = Vec::with_capacity(atoms.len());
    for atom in atoms {
        made.push(straightened(arena, *atom)?);
    }
    let cells = Cells::of(arena, table, &made)?;
    let wanted: Vec<Lin> = made.iter().map(|atom| Lin::atom(*atom)).collect();
    let steps = program::steps(arena, &cells, &wanted)?;
    let places = atoms.iter().copied().zip(0..).collect();
    let input = (!numbers).then(|| InputSchema { columns: cells.columns.clone(), missing: Vec::new() });
    Ok(Prefix { input, width: cells.width, steps, places, features: atoms.len() })
}

/// The numbers of a row before any step.
struct Cells {
    columns: Vec<InputColumn>,
    width: usize,
    atoms: BTreeMap<AtomId, (u32, ColumnRule)>,
}

impl Cells {
    fn of(arena: &Arena, table: &Table, wanted: &[AtomId]) -> Result<Self> {
        let used = used(arena, wanted);
        let mut categories: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
        let mut phrases: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
        for atom in &used {
            match arena.atom(*atom) {
                Atom::Category { column, of } => {
                    categories.entry(*column).or_default().extend(of.values.keys().map(String::as_str));
                }
                Atom::Words { column, phrase } => {
                    phrases.entry(*column).or_default().insert(phrase);
                }
                _ => {}
            }
        }
        let mut columns = Vec::with_capacity(table.columns.len());
        let mut starts = Vec::with_capacity(table.columns.len());
        let mut width = 0usize;
        for (at, column) in table.columns.iter().enumerate() {
            let at = at as u32;
            let kind = match (categories.get(&at), phrases.get(&at)) {
                (Some(_), Some(_)) => {
                    return Err(unsupported(format!("`{}` is both a category and words", column.name.escape_debug()))
                        .hint("give the table the column twice"));
                }
                (None, Some(phrases)) => words(phrases, arena.lower.get(&at).copied().unwrap_or(true)),
                (Some(values), None) => {
                    ColumnKind::Category { values: values.iter().map(ToString::to_string).collect() }
                }
                (None, None) if column.cells == CellsOf::Texts => ColumnKind::Category { values: Vec::new() },
                (None, None) if column.cells == CellsOf::Truths => ColumnKind::Boolean,
                (None, None) => ColumnKind::Number,
            };
            starts.push(width as u32);
            width += kind.width();
            columns.push(InputColumn { name: column.name.clone(), kind });
        }
        if width > MAX_FEATURES {
            return Err(large(format!("{width} words and columns, at most {MAX_FEATURES}")));
        }
        let index = |set: Option<&BTreeSet<&str>>, text: &str| set.map_or(0, |set| set.range(..text).count());
        let mut word_places: BTreeMap<(u32, &str), u32> = BTreeMap::new();
        for (column, phrases) in &phrases {
            word_places.extend(phrases.iter().zip(0..).map(|(phrase, place)| ((*column, *phrase), place)));
        }
        let mut atoms = BTreeMap::new();
        for atom in used {
            match arena.atom(atom) {
                Atom::Input(column) => {
                    atoms.insert(atom, (starts[*column as usize], ColumnRule::Copy));
                }
                Atom::Words { column, phrase } => {
                    let place = word_places.get(&(*column, phrase)).copied().unwrap_or(0);
                    atoms.insert(atom, (starts[*column as usize] + place, ColumnRule::Copy));
                }
                Atom::Category { column, of } => {
                    let place = |text: &str| index(categories.get(column), text) as f64;
                    atoms.insert(atom, (starts[*column as usize], rule(of, place)?));
                }
                _ => {}
            }
        }
        Ok(Self { columns, width, atoms })
    }
}

impl Base for Cells {
    fn width(&self) -> usize {
        self.width
    }

    fn atom(&self, atom: AtomId) -> Option<(u32, ColumnRule)> {
        self.atoms.get(&atom).cloned()
    }

    fn part(&self, sum: &Lin) -> Parted {
        (None, sum.terms().to_vec())
    }
}

/// All atoms that atoms are made of.
fn used(arena: &Arena, wanted: &[AtomId]) -> BTreeSet<AtomId> {
    let mut found = BTreeSet::new();
    let mut groups = BTreeSet::new();
    let mut open = wanted.to_vec();
    while let Some(atom) = open.pop() {
        if found.insert(atom)
            && let Atom::Made { of, .. } | Atom::Part { of, .. } = arena.atom(atom)
            && groups.insert(of.as_ptr() as usize)
        {
            open.extend(of.iter().flat_map(|sum| sum.terms()).map(|term| term.0));
        }
    }
    found
}

/// What a column's index stands for.
fn rule(of: &Categories, place: impl Fn(&str) -> f64) -> Result<ColumnRule> {
    if of.values.values().chain([&of.other, &of.missing]).any(|value| !value.is_finite()) {
        return Err(unsupported("a text that stands for no number").hint("give unknown texts a number of their own"));
    }
    let truths = of.other == 0.0 && of.values.values().all(|value| *value == 1.0);
    Ok(match truths && (of.missing == 0.0 || of.missing == 1.0) {
        true => {
            ColumnRule::OneOf { values: of.values.keys().map(|text| place(text)).collect(), missing: of.missing == 1.0 }
        }
        false => ColumnRule::Lookup {
            keys: of.values.keys().map(|text| place(text)).collect(),
            values: of.values.values().copied().collect(),
            other: of.other,
        },
    })
}

fn words(phrases: &BTreeSet<&str>, lower: bool) -> ColumnKind {
    let length = |phrase: &&str| phrase.split(' ').count() as u32;
    let lengths = || phrases.iter().map(length);
    ColumnKind::Text {
        words: Words {
            phrases: (lengths().min().unwrap_or(1), lengths().max().unwrap_or(1)),
            keep_case: !lower,
            ..Words::counts(Vocabulary::Listed { words: phrases.iter().map(ToString::to_string).collect() })
        },
    }
}
