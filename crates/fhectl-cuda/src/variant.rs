//! The kernels that bootstrap.

use serde::{Deserialize, Serialize};

/// Which kernel bootstraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// A block a ciphertext: the least time for few.
    Block,
    /// A block two ciphertexts.
    Pair,
    /// A warp a ciphertext, up to eight in a block that share the key: the highest rate.
    Warp,
}

/// A variant with the threads and the memory of its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockShape {
    pub variant: Variant,
    /// Slots of a block.
    pub ciphertexts: usize,
    pub threads: usize,
    /// Bytes of dynamic shared memory.
    pub shared: usize,
    /// Stages of the key's ring.
    pub stages: usize,
}

impl BlockShape {
    /// Blocks for so many ciphertexts of each key.
    pub fn blocks(&self, of_keys: &[usize]) -> usize {
        of_keys.iter().map(|count| count.div_ceil(self.ciphertexts)).sum()
    }
}
