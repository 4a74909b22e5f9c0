//! Layers: weighted sums of ciphertexts, and a table that each sum is looked up in.

use super::list::{LweList, Term, narrow};

/// One layer of a circuit that alternates sums and look-ups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// One list a sum, zero weights left out. Inputs are counted from the first value of a row.
    pub sums: Vec<Vec<Term>>,
    /// What is added to each sum, a torus word.
    pub constants: Vec<u64>,
    /// What the sums go through; nothing in a last layer, whose sums are the answer.
    pub look_up: Option<LookUp>,
}

/// A bootstrap for each sum of a layer, after a keyswitch where sums are under the big key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUp {
    /// `N` torus words each; sum `i` takes table `i % tables.len()`.
    pub tables: Vec<Vec<u64>>,
    /// The keyswitching key, as an index into the parts of the evaluation key.
    pub keyswitch: Option<usize>,
    /// The bootstrap key, likewise.
    pub bootstrap: usize,
}

impl Layer {
    /// The sums, for `rows` rows whose values follow one another.
    ///
    /// # Panics
    /// Where an input is no value of the list.
    pub fn sum(&self, values: &LweList, rows: usize) -> LweList {
        let each = values.len() / rows.max(1);
        let firsts: Vec<usize> = (0..rows).map(|row| row * each).collect();
        values.combine(&firsts, &self.sums, &self.narrow_constants())
    }

    /// The constants in the words of lists.
    pub fn narrow_constants(&self) -> Vec<u32> {
        self.constants.iter().map(|constant| narrow(*constant)).collect()
    }

    /// Bootstraps of one row.
    pub fn bootstraps(&self) -> usize {
        if self.look_up.is_some() { self.sums.len() } else { 0 }
    }
}

impl LookUp {
    /// The table of a sum.
    pub fn table(&self, sum: usize) -> &[u64] {
        &self.tables[sum % self.tables.len()]
    }
}
