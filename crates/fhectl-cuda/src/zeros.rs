//! Encryptions of zero, which this machine's processor makes while the device computes.

use crate::plan::Piece;
use fhectl_core::fhe::list::narrow;
use fhectl_core::fhe::zeros::Zeros;
use rayon::prelude::*;
use zeroize::Zeroize;

/// The look-ups of a piece in one layer.
pub(crate) struct ZerosOf<'a, 'z> {
    /// Each group's encryptions of the layer, where it has any.
    pub of_groups: Vec<Option<&'a Zeros<'z>>>,
    pub piece: &'a Piece,
    /// Look-ups of each row.
    pub each: usize,
    /// Words of a GLWE ciphertext.
    pub words: usize,
}

impl ZerosOf<'_, '_> {
    /// Whether any row has some.
    pub fn any(&self) -> bool {
        self.piece.rows.iter().any(|row| self.of_groups[row.group].is_some())
    }

    /// Writes an encryption for each look-up, on all threads of the current rayon pool; zeros for rows that have none. The
    /// words are rounded to 32 bits.
    pub fn fill(&self, out: &mut [u32]) {
        let wide = || vec![0u64; self.words];
        out.par_chunks_mut(self.words).enumerate().with_min_len(2).for_each_init(wide, |wide, (number, out)| {
            let row = self.piece.rows[number / self.each];
            wide.fill(0);
            if let Some(zeros) = self.of_groups[row.group] {
                zeros.add(row.row * self.each + number % self.each, wide);
            }
            out.iter_mut().zip(wide.iter()).for_each(|(out, word)| *out = narrow(*word));
            wide.as_mut_slice().zeroize();
        });
    }
}
