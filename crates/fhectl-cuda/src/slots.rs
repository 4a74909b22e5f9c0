//! Numbers that tell kernels which ciphertext has which key and table.

use crate::kernels::NO_CIPHERTEXT;

/// Slots of blocks, each of which has ciphertexts of one key: `of_keys` says how many there are of each, one key after the
/// other.
pub(crate) fn slots(of_keys: &[usize], block: usize, out: &mut Vec<u32>) {
    let mut first = 0;
    for count in of_keys {
        out.extend(first..first + *count as u32);
        out.extend(std::iter::repeat_n(NO_CIPHERTEXT, count.next_multiple_of(block) - count));
        first += *count as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_block_has_two_keys() {
        const NONE: u32 = NO_CIPHERTEXT;
        let mut out = Vec::new();
        slots(&[3, 4, 1], 2, &mut out);
        assert_eq!(out, [0, 1, 2, NONE, 3, 4, 5, 6, 7, NONE]);
    }
}
