//! What is encrypted: the sums of the row or of trees that functions of scores are taken of.

use super::arena::{Arena, Side};
use super::atom::Atom;
use super::lin::{AtomId, Lin};
use super::program::{Base, Parted};
use crate::import::model::{MAX_CLASSES, large};
use crate::import::onnx::unsupported;
use fhectl_core::error::Result;
use fhectl_core::model::ColumnRule;
use std::collections::{BTreeMap, BTreeSet};

/// Sums without functions of scores, none of which is a multiple of another.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub sums: Vec<Lin>,
    places: BTreeMap<String, usize>,
    /// Functions of scores.
    scores: BTreeSet<AtomId>,
}

impl Cut {
    /// The sums that these depend on.
    ///
    /// # Errors
    /// `import_large` for too many.
    pub fn of(arena: &Arena, outputs: &[Lin]) -> Result<Self> {
        let mut cut = Self::default();
        let mut open: Vec<&Lin> = outputs.iter().collect();
        // Parts of one whole are of the same sums.
        let mut groups = BTreeSet::new();
        while let Some(sum) = open.pop() {
            let (scores, own): (Vec<_>, Vec<_>) =
                sum.terms().iter().copied().partition(|(atom, _)| arena.side_of(*atom) == Side::Score);
            for (atom, _) in scores {
                if cut.scores.insert(atom)
                    && let Atom::Made { of, .. } | Atom::Part { of, .. } = arena.atom(atom)
                    && groups.insert(of.as_ptr() as usize)
                {
                    open.extend(of.iter());
                }
            }
            if !own.is_empty() {
                let next = cut.sums.len();
                if *cut.places.entry(direction(&own)).or_insert(next) == next {
                    cut.sums.push(Lin::of(own, 0.0));
                }
                if cut.sums.len() > MAX_CLASSES {
                    return Err(large(format!("more than {MAX_CLASSES} scores")));
                }
            }
        }
        // The first sum of the first output comes first, as people read them.
        cut.reversed();
        Ok(cut)
    }

    fn reversed(&mut self) {
        self.sums.reverse();
        let last = self.sums.len().saturating_sub(1);
        self.places.values_mut().for_each(|place| *place = last - *place);
    }
}

/// The same text for a sum and all its multiples.
fn direction(terms: &[(AtomId, f64)]) -> String {
    let first = terms.first().map_or(1.0, |term| term.1);
    let mut text = String::with_capacity(terms.len() * 20);
    for (atom, factor) in terms {
        text.push_str(&format!("{atom}:{:.10e} ", factor / first));
    }
    text
}

impl Base for Cut {
    fn width(&self) -> usize {
        self.sums.len()
    }

    fn atom(&self, _: AtomId) -> Option<(u32, ColumnRule)> {
        None
    }

    fn part(&self, sum: &Lin) -> Parted {
        let (scores, own): (Vec<_>, Vec<_>) =
            sum.terms().iter().copied().partition(|(atom, _)| self.scores.contains(atom));
        if own.is_empty() {
            return (None, scores);
        }
        let place = self.places.get(&direction(&own)).copied();
        let given = place.map(|place| {
            let factor = own[0].1 / self.sums[place].terms()[0].1;
            (place as u32, factor)
        });
        (given, scores)
    }
}

/// What sums are made of.
///
/// # Errors
/// `onnx_unsupported` where some are of the row and others of trees, or where none depends on the row.
pub(super) fn of_trees(arena: &Arena, sums: &[Lin]) -> Result<Option<bool>> {
    let mut found = (false, false);
    for (atom, _) in sums.iter().flat_map(|sum| sum.terms()) {
        match arena.side_of(*atom) {
            Side::Row => found.0 = true,
            Side::Leaf(_) => found.1 = true,
            Side::Score => return Err(unsupported("a score that is made of scores")),
        }
    }
    match found {
        (true, false) => Ok(Some(false)),
        (false, true) => Ok(Some(true)),
        (true, true) => Ok(None),
        (false, false) => Err(unsupported("scores that do not depend on the row")
            .hint("the model says the same of every row; was it trained?")),
    }
}
