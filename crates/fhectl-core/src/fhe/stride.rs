//! How lists of ciphertexts lie in memory.

/// Words of a sum that stay in registers together. Rows are padded to a multiple of this.
pub const BLOCK: usize = 128;

/// Words from one ciphertext of this dimension to the next: mask and body, padded to whole blocks.
pub const fn stride(dimension: usize) -> usize {
    (dimension + 1).next_multiple_of(BLOCK)
}
