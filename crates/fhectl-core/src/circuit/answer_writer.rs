//! The last step of every circuit: re-randomize, flood, cut to the bits that travel.

use crate::error::{Error, ErrorCode, Result};
use crate::fhe::rerandomize::Rerandomizer;
use crate::fhe::{GlweShape, Lwe, PartialGlwe, Random};

/// Writes ciphertexts of an answer in their wire form.
///
/// Where answers are re-randomized, each gets a fresh encryption of zero and noise flooding first. One without the other
/// would hide nothing, so they are given together or not at all.
#[derive(Clone, Copy)]
pub(super) struct AnswerWriter<'a> {
    flooding: Option<(&'a Rerandomizer, u64)>,
    response_bits: u32,
}

impl<'a> AnswerWriter<'a> {
    /// `noise_flooding` in units of 2^-64.
    ///
    /// # Errors
    /// `key_missing` where answers are to be flooded and there is no key to do it with: they would tell the model.
    pub fn new(key: Option<&'a Rerandomizer>, noise_flooding: Option<u64>, response_bits: u32) -> Result<Self> {
        if key.is_none() && noise_flooding.is_some() {
            return Err(Error::new(ErrorCode::KeyMissing, "answers are to be re-randomized, without a public key"));
        }
        Ok(Self { flooding: key.zip(noise_flooding), response_bits })
    }

    pub fn lwe(&self, mut lwe: Lwe, random: &mut Random, out: &mut Vec<u8>) {
        if let Some((key, noise_flooding)) = self.flooding {
            key.apply(&mut lwe, noise_flooding, random);
        }
        lwe.write(self.response_bits, out);
    }

    pub fn glwe(&self, mut glwe: PartialGlwe, shape: GlweShape, random: &mut Random, out: &mut Vec<u8>) {
        if let Some((key, noise_flooding)) = self.flooding {
            key.apply_partial(&mut glwe, noise_flooding, random);
        }
        glwe.write(shape, self.response_bits, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_that_is_to_be_flooded_is_written_without_a_key() {
        assert_eq!(
            AnswerWriter::new(None, Some(1 << 40), 32).err().map(|error| error.code),
            Some(ErrorCode::KeyMissing)
        );
        assert!(AnswerWriter::new(None, None, 32).is_ok());
    }
}
