//! The layout of ciphertexts in lists.

/// Words from one ciphertext of this dimension to the next: mask and body, padded to whole blocks of 128.
pub(crate) const fn stride(dimension: usize) -> usize {
    (dimension + 1).next_multiple_of(128)
}
