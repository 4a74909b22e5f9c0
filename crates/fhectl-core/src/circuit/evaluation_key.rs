//! A client's evaluation key, unpacked for use.

use crate::error::{Error, ErrorCode, Result};
use crate::fhe::cpu::CpuKey;
use crate::fhe::list::LweList;
use crate::fhe::part::PartParams;
use crate::fhe::rerandomize::Rerandomizer;
use crate::fhe::zeros::Zeros;
use crate::fhe::{GlweShape, Random, public_key};

/// A client's evaluation key, unpacked for use.
pub struct EvaluationKey {
    /// What the parts are.
    layout: Vec<PartParams>,
    /// What rows go through, in that order.
    parts: CpuKey,
    rerandomizer: Option<Rerandomizer>,
    name: [u8; 32],
}

impl EvaluationKey {
    /// Reads a key in its wire form: its parts, then the public key of shape `public`, where there is one. Bootstrap keys
    /// are taken in a secret order with `shuffle`.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the layouts.
    pub fn unpack(
        parts: &[PartParams],
        public: Option<GlweShape>,
        bytes: &[u8],
        shuffle: Option<&mut Random>,
    ) -> Result<Self> {
        let unpacked = CpuKey::unpack(parts, bytes, shuffle)?;
        let rerandomizer = match public {
            None => None,
            Some(shape) => {
                let of_parts: usize = parts.iter().map(PartParams::wire_len).sum();
                let rest = bytes.get(of_parts..).unwrap_or_default();
                debug_assert_eq!(rest.len(), public_key::layout(shape).wire_len());
                Some(Rerandomizer::unpack(shape, rest)?)
            }
        };
        Ok(Self { layout: parts.to_vec(), parts: unpacked, rerandomizer, name: [0; 32] })
    }

    /// The same key, bearing the SHA-256 of the message that it was unpacked from.
    #[must_use]
    pub fn named(self, name: [u8; 32]) -> Self {
        Self { name, ..self }
    }

    /// What the key was named; zeros where it was not.
    pub fn name(&self) -> &[u8; 32] {
        &self.name
    }

    /// Refuses a key that was not unpacked as one of these parts and a public key of shape `public`, where there is one: one that
    /// another model accepted. One without a public key would give answers that are neither re-randomized nor flooded.
    ///
    /// # Errors
    /// `key_missing`.
    pub(super) fn check_of(&self, parts: &[PartParams], public: Option<GlweShape>) -> Result<()> {
        if self.layout == parts && self.rerandomizer.as_ref().map(Rerandomizer::shape) == public {
            return Ok(());
        }
        Err(Error::new(ErrorCode::KeyMissing, "the evaluation key was unpacked for another circuit")
            .hint("unpack it with the model that it is used with"))
    }

    /// What answers are re-randomized with, where they are.
    pub fn rerandomizer(&self) -> Option<&Rerandomizer> {
        self.rerandomizer.as_ref()
    }

    /// The parts that rows go through.
    pub fn parts(&self) -> &CpuKey {
        &self.parts
    }

    /// Fresh inputs through every part, each bootstrap with the same table and with zeros of its own where answers are
    /// re-randomized.
    pub(super) fn look_up_through_all(&self, inputs: LweList, table: &[u64], random: &mut Random) -> LweList {
        self.parts.look_up_through_all(inputs, table, || self.rerandomizer().map(|key| Zeros::new(key, random)))
    }
}
