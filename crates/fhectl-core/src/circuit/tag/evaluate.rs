//! The server's side of tags: every kind of key is used once on the way, as for rows.

use super::TagLayout;
use crate::error::{Error, Result};
use crate::fhe::list::LweList;
use crate::fhe::rerandomize::Rerandomizer;
use crate::fhe::zeros::Zeros;
use crate::fhe::{Lwe, Random};
use rayon::prelude::*;

/// What the look-ups of a tag begin with, where answers are re-randomised.
pub type TagZeros<'a> = [Option<&'a Zeros<'a>>; 2];

/// Answers a tag where the public key is all there is: a fresh encryption of zeros and flooding are added, words cut.
///
/// # Errors
/// `ciphertext_invalid` where the request does not have the layout.
pub fn add_zeros(
    layout: &TagLayout,
    key: Option<&Rerandomizer>,
    request: &[u8],
    random: &mut Random,
) -> Result<Vec<u8>> {
    let mut glwe = layout.request.expand_one(request)?;
    let key = key.ok_or_else(|| Error::fault("key_missing", "a tag for a circuit without a key"))?;
    key.apply_partial(&mut glwe, layout.flooding(), random);
    let mut answer = Vec::with_capacity(layout.response_bytes());
    glwe.write(layout.output, layout.response_bits, &mut answer);
    Ok(answer)
}

/// Answers a tag that goes through bootstraps: `look_up` takes each symbol through all of them, with the table that it
/// is given, and with fresh zeros for the first and the second of them. Then symbols are re-randomised and flooded, where
/// the circuit's answers are, and cut.
///
/// # Errors
/// `ciphertext_invalid` where the request does not have the layout.
pub fn look_up(
    layout: &TagLayout,
    look_up: impl Fn(&LweList, &[u64], TagZeros<'_>) -> LweList,
    key: Option<&Rerandomizer>,
    request: &[u8],
    random: &mut Random,
) -> Result<Vec<u8>> {
    let zeros = [0; 2].map(|_| key.map(|key| Zeros::new(key, random)));
    let zeros = [zeros[0].as_ref(), zeros[1].as_ref()];
    let symbols = look_up(&layout.request.expand(request)?.to_list(), &table(layout), zeros);
    let tasks: Vec<(Lwe, Random)> = (0..symbols.len()).map(|index| (symbols.lwe(index), random.fork())).collect();
    let answers = tasks.into_par_iter().map(|(mut symbol, mut random)| {
        if let Some(key) = key {
            key.apply(&mut symbol, layout.flooding(), &mut random);
        }
        let mut bytes = Vec::with_capacity(layout.symbol_bytes());
        symbol.write(layout.response_bits, &mut bytes);
        bytes
    });
    Ok(answers.collect::<Vec<_>>().concat())
}

/// The points of the lower half of the circle, each for the phases that are nearest to it; a bootstrap negates them for
/// the upper half.
fn table(layout: &TagLayout) -> Vec<u64> {
    let half = 1 << (layout.symbol_bits - 1);
    (0..layout.output.size).map(|entry| layout.point((entry * half / layout.output.size) as u64)).collect()
}
