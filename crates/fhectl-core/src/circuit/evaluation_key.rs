//! A client's evaluation key, unpacked for use.

use super::key_part::KeyPart;
use crate::error::{Error, ErrorCode, Result};
use crate::fhe::list::LweList;
use crate::fhe::pbs::BootstrapKey;
use crate::fhe::rerandomize::Rerandomizer;
use crate::fhe::switch::KeyswitchKey;
use crate::fhe::zeros::Zeros;
use crate::fhe::{GlweShape, Random, public_key};

/// A client's evaluation key, unpacked for use.
pub struct EvaluationKey {
    /// What the parts are.
    layout: Vec<KeyPart>,
    /// What rows go through, in that order.
    parts: Vec<UnpackedPart>,
    rerandomizer: Option<Rerandomizer>,
    name: [u8; 32],
}

enum UnpackedPart {
    Bootstrap(Box<BootstrapKey>),
    Keyswitch(KeyswitchKey),
}

impl EvaluationKey {
    /// Reads a key in its wire form: its parts, then the public key of shape `public`, where there is one. Bootstrap keys
    /// are taken in a secret order with `shuffle`.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the layouts.
    pub fn unpack(
        parts: &[KeyPart],
        public: Option<GlweShape>,
        bytes: &[u8],
        mut shuffle: Option<&mut Random>,
    ) -> Result<Self> {
        let mut rest = bytes;
        let mut unpacked = Vec::with_capacity(parts.len());
        for part in parts {
            let (own, after) = rest.split_at(part.wire_len().min(rest.len()));
            unpacked.push(match part {
                KeyPart::Bootstrap { params, .. } => {
                    UnpackedPart::Bootstrap(Box::new(BootstrapKey::unpack(params, own, shuffle.as_deref_mut())?))
                }
                KeyPart::Keyswitch { params, .. } => UnpackedPart::Keyswitch(KeyswitchKey::unpack(params, own)?),
            });
            rest = after;
        }
        let rerandomizer = match public {
            None => None,
            Some(shape) => {
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

    /// Whether the key was unpacked as one of these parts, and a public key of shape `public` where there is one.
    pub(super) fn is_of(&self, parts: &[KeyPart], public: Option<GlweShape>) -> bool {
        self.layout == parts && self.rerandomizer.as_ref().map(Rerandomizer::shape) == public
    }

    /// What answers are re-randomized with, where they are.
    pub fn rerandomizer(&self) -> Option<&Rerandomizer> {
        self.rerandomizer.as_ref()
    }

    /// The bootstrap key that rows meet after `earlier` others.
    ///
    /// # Errors
    /// `key_missing` where there is none: the key is another circuit's.
    pub fn bootstrap(&self, earlier: usize) -> Result<&BootstrapKey> {
        let mut keys = self.parts.iter().filter_map(|part| match part {
            UnpackedPart::Bootstrap(key) => Some(&**key),
            UnpackedPart::Keyswitch(_) => None,
        });
        keys.nth(earlier).ok_or_else(|| Error::new(ErrorCode::KeyMissing, "no bootstrap key"))
    }

    /// The keyswitching key, where rows meet one.
    pub fn keyswitch(&self) -> Option<&KeyswitchKey> {
        self.parts.iter().find_map(|part| match part {
            UnpackedPart::Keyswitch(key) => Some(key),
            UnpackedPart::Bootstrap(_) => None,
        })
    }

    /// Whether rows go through anything but a re-randomization.
    pub(super) fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Fresh inputs through every part, each bootstrap with the same table and with zeros of its own where answers are
    /// re-randomized.
    pub(super) fn look_up_through_all(&self, inputs: LweList, table: &[u64], random: &mut Random) -> LweList {
        self.parts.iter().fold(inputs, |values, part| match part {
            UnpackedPart::Keyswitch(key) => key.switch(&values),
            UnpackedPart::Bootstrap(key) => {
                let zeros = self.rerandomizer().map(|key| Zeros::new(key, random));
                key.look_up(&values, |_| table, zeros.as_ref())
            }
        })
    }
}
