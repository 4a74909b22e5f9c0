//! Where layers are computed: this machine's processor ([`Cpu`](super::cpu::Cpu)), or a device beside it.

use super::GlweShape;
use super::layer::Layer;
use super::list::LweList;
use super::part::PartParams;
use super::random::Random;
use super::seeded::GlweList;
use super::zeros::Zeros;
use crate::error::Result;
use std::sync::Arc;

/// Computes layers on ciphertexts, for rows of several clients together.
///
/// Three steps alternate: sums of ciphertexts (combine), a keyswitch (switch) and a bootstrap with a table (look up). All
/// words are those of [`LweList`]; a backend's sums and keyswitches are the processor's word for word, its bootstraps
/// have the same noise ([`super::noise::bootstrap_variance`]).
pub trait Backend: Send + Sync + 'static {
    /// Layers where the backend reads them.
    type Program: Send + Sync + 'static;
    /// A client's evaluation key, ready for use.
    type Key: Send + Sync + 'static;

    /// Whether it has code for these parts of a key and these layers.
    fn supports(&self, parts: &[PartParams], layers: &[Layer]) -> bool;

    /// Takes over layers, once for a model.
    ///
    /// # Errors
    /// `device_failed`.
    fn load_program(&self, layers: &Arc<[Layer]>) -> Result<Self::Program>;

    /// Bytes that [`Backend::load_key`] takes of the backend's memory.
    fn key_bytes(&self, parts: &[PartParams], public: Option<GlweShape>) -> usize;

    /// Reads the parts of a key from the beginning of its wire form. After them comes the public key, where it has one of the
    /// shape `public`: for backends that make encryptions of zero themselves. With `shuffle`, bootstraps take the bits of the
    /// key in a random order that the client does not know.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the layouts, `device_failed`.
    fn load_key(
        &self,
        parts: &[PartParams],
        public: Option<GlweShape>,
        wire: &[u8],
        shuffle: Option<&mut Random>,
    ) -> Result<Self::Key>;

    /// The last layer's sums of every row, a list a group. Groups are independent: each has a key of its own.
    ///
    /// # Errors
    /// `key_missing` where a key has not the parts that layers name, or zeros want a public key that it was loaded without,
    /// `device_failed`. After an error nothing is known of any group, and all may be computed again.
    fn evaluate(&self, program: &Self::Program, groups: &[Group<'_, Self::Key>]) -> Result<Vec<LweList>>;

    /// Frees memory that no call uses now; the next ones may take it again.
    fn release_unused(&self) {}

    /// It will not be used again, whatever calls of other threads are under way: those that wait for what does not come are to
    /// end. Returns at once.
    fn give_up(&self, reason: &str) {
        let _ = reason;
    }
}

/// Rows under one key.
pub struct Group<'a, K> {
    pub key: &'a K,
    /// The encrypted inputs of each row.
    pub rows: Vec<GlweList>,
    /// Encryptions of zero for each layer's look-ups, which make their noise new: index `i` of a layer is for look-up `i` of
    /// all rows. Empty where answers are not re-randomized. They are under the public key that `key` was loaded with.
    pub zeros: Vec<Zeros<'a>>,
}
