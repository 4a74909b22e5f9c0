//! Encryptions of zero: what a launch needs to make them, and a launch by itself to be compared with the processor's.

use crate::arguments::ZeroLaunch;
use crate::device::Device;
use crate::kernels::NO_SEED;
use crate::key::Key;
use crate::plan::Piece;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::backend::Group;
use fhectl_core::fhe::zeros::Zeros;
use rayon::prelude::*;
use std::ops::Range;
use zeroize::Zeroizing;

/// Bytes of a seed.
const SEED_BYTES: usize = 16;

/// The seeds of an evaluation, layer after layer and in each group after group. Zeros where a group has none.
pub(crate) fn seeds(layers: usize, groups: &[Group<'_, Key>]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; SEED_BYTES * layers * groups.len()]);
    for (place, out) in bytes.chunks_mut(SEED_BYTES).enumerate() {
        if let Some(zeros) = groups[place % groups.len()].zeros.get(place / groups.len()) {
            out.copy_from_slice(&zeros.seed().0);
        }
    }
    bytes
}

/// The number of the seed and the index of the encryption, for each look-up of a piece in one layer. Nothing where no row has
/// any.
///
/// # Errors
/// `device_failed` where a group has so many look-ups that an index would come twice.
pub(crate) fn numbers(layer: usize, groups: &[Group<'_, Key>], piece: &Piece, each: usize) -> Result<Vec<u32>> {
    let has_zeros = |group: usize| groups[group].zeros.len() > layer;
    if !piece.rows.iter().any(|row| has_zeros(row.group)) {
        return Ok(Vec::new());
    }
    let mut words = Vec::with_capacity(2 * piece.rows.len() * each);
    for row in &piece.rows {
        let seed = if has_zeros(row.group) { word(layer * groups.len() + row.group)? } else { NO_SEED };
        for sum in 0..each {
            words.extend([seed, word(row.row * each + sum)?]);
        }
    }
    Ok(words)
}

fn word(number: usize) -> Result<u32> {
    u32::try_from(number).map_err(|_| {
        Error::new(ErrorCode::DeviceFailed, format!("there is no number {number} of an encryption of zero"))
            .hint("evaluate fewer rows at once")
    })
}

impl Device {
    /// Encryptions of zero of several clients: for each key those with the given indices, as GLWE ciphertexts one after the
    /// other, in words of 32 bits. They are the words of [`Zeros::add`], rounded, up to one unit. For checks; evaluations make
    /// them by themselves.
    ///
    /// # Errors
    /// `key_missing` where a key was loaded without a public key or the public keys are of several shapes, `device_failed`.
    pub fn encrypt_zeros(&self, clients: &[(&Key, &Zeros<'_>, Range<usize>)]) -> Result<Vec<u32>> {
        let Some((first, ..)) = clients.first() else { return Ok(Vec::new()) };
        let shape = first.public_shape()?;
        let mut seeds = Zeroizing::new(Vec::with_capacity(SEED_BYTES * clients.len()));
        let (mut pointers, mut key_of, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (key, zeros, indices)) in clients.iter().enumerate() {
            pointers.push(key.public(shape)?.pointer());
            seeds.extend(zeros.seed().0);
            for index in indices.clone() {
                key_of.push(word(number)?);
                numbers.extend([word(number)?, word(index)?]);
            }
        }
        let count = key_of.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let (pointers, key_of) = (self.resident(&pointers)?, self.resident(&key_of)?);
        let (numbers, seeds) = (self.resident(&numbers)?, self.resident(&seeds)?);
        let words = count * (shape.lwe_dimension() + shape.size);
        let mut lane = self.lane()?;
        let lane = &mut *lane;
        let launch = ZeroLaunch {
            shape,
            count,
            keys: pointers.pointer(),
            key_of: key_of.pointer(),
            seeds: seeds.pointer(),
            numbers: numbers.pointer(),
            out: lane.zeros.reserve(words, &lane.stream)?,
        };
        self.kernels.encrypt_zeros(&lane.stream, &launch)?;
        if let Some(buffer) = lane.zeros.buffer() {
            lane.answers.receive(buffer, words, &lane.stream)?;
        }
        // Also waits for what reads the buffers that end here.
        let mut out = vec![0; words];
        let made = lane.answers.wait(words)?;
        out.par_chunks_mut(1 << 16).zip(made.par_chunks(1 << 16)).for_each(|(out, made)| out.copy_from_slice(made));
        Ok(out)
    }
}
