//! A model as a table: its scores for every input there is.

use super::params::{MAX_BITS, MAX_SCORES, TableParams};
use crate::circuit::compiled::unfit;
use crate::circuit::input_bits::widths;
use crate::error::{Error, ErrorCode, Result};
use crate::model::{Model, Quantizer};
use rayon::prelude::*;

/// A model's scores for every input that its quantizer can give, `None` for spellings beyond a feature's levels.
pub struct Entries {
    pub scores: Vec<Option<Vec<i64>>>,
}

impl Entries {
    /// Evaluates the model everywhere.
    ///
    /// # Errors
    /// `circuit_unfit` where the inputs have too many bits, or the entries too many scores.
    pub fn new(model: &Model, quantizer: &Quantizer) -> Result<Self> {
        let widths = widths(quantizer);
        let total: u32 = widths.iter().sum();
        if total as usize > MAX_BITS || total == 0 {
            return Err(Error::new(
                ErrorCode::CircuitUnfit,
                format!("table: the inputs have {total} bits in all, want 1 to {MAX_BITS}"),
            )
            .hint("give features fewer bits with --bits, or choose --circuit auto"));
        }
        let scores = model.scores(&vec![0; widths.len()]).len() << total;
        if scores > MAX_SCORES {
            return Err(Error::new(
                ErrorCode::CircuitUnfit,
                format!("table: {scores} scores in all, at most {MAX_SCORES}"),
            )
            .hint("give features fewer bits with --bits, or choose --circuit auto"));
        }
        let scores = (0u32..1 << total).into_par_iter().map(|spelling| {
            let mut rest = spelling;
            let row: Vec<u32> = widths
                .iter()
                .map(|width| {
                    let q = rest & ((1 << width) - 1);
                    rest >>= width;
                    q
                })
                .collect();
            let known = row.iter().zip(&quantizer.features).all(|(q, feature)| *q < feature.levels());
            known.then(|| model.scores(&row))
        });
        Ok(Self { scores: scores.collect() })
    }

    /// The smallest and largest score.
    pub fn range(&self) -> (i64, i64) {
        let all = self.scores.iter().flatten().flatten();
        all.fold((i64::MAX, i64::MIN), |(low, high), score| (low.min(*score), high.max(*score)))
    }

    /// The tables of all answers, torus words.
    ///
    /// # Errors
    /// `model_invalid` where a score is not one that the parameters provide for.
    pub fn tables(&self, params: &TableParams) -> Result<Vec<Vec<u64>>> {
        let step = 64 - params.message_bits();
        let message = |scores: &[i64]| {
            scores.iter().enumerate().try_fold(0u64, |message, (place, score)| {
                let digit = u64::try_from(score - params.low).ok().filter(|digit| digit >> params.score_bits == 0)?;
                Some(message | digit << (place as u32 * params.score_bits))
            })
        };
        let tables = (0..params.answers()).map(|answer| {
            let entry = |scores: &Option<Vec<i64>>| match scores {
                None => Some(0),
                Some(scores) if scores.len() != params.scores => None,
                Some(scores) => {
                    let from = answer * params.scores_per_ciphertext;
                    message(&scores[from..(from + params.scores_per_ciphertext).min(scores.len())])
                        .map(|message| message << step)
                }
            };
            self.scores.iter().map(entry).collect::<Option<Vec<u64>>>()
        });
        tables.collect::<Option<_>>().ok_or_else(unfit)
    }
}
