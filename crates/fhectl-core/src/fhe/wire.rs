//! Packing of torus words for the wire: each word is rounded to its most significant bits.

/// The number of bytes that `count` words of `bits` bits take; `usize::MAX` where that is more than a machine can address.
pub const fn packed_len(count: usize, bits: u32) -> usize {
    // In bits the product is eight times as large: of a key of 512 MiB it would not fit into 32 bits.
    let bytes = (count as u128 * bits as u128).div_ceil(8);
    if bytes > usize::MAX as u128 { usize::MAX } else { bytes as usize }
}

/// Rounds a torus word to its `bits` most significant bits (1 to 64). Returns them as an integer below `2^bits`.
pub const fn round_to_bits(word: u64, bits: u32) -> u64 {
    if bits == 64 { word } else { word.wrapping_add(1 << (63 - bits)) >> (64 - bits) }
}

/// Appends `words`, each rounded to `bits` bits, least significant bit first, with zero bits as padding at the end.
pub fn pack(words: impl IntoIterator<Item = u64>, bits: u32, out: &mut Vec<u8>) {
    debug_assert!((1..=64).contains(&bits));
    let mut held = 0u128;
    let mut held_bits = 0;
    for word in words {
        held |= u128::from(round_to_bits(word, bits)) << held_bits;
        held_bits += bits;
        while held_bits >= 32 {
            out.extend_from_slice(&(held as u32).to_le_bytes());
            held >>= 32;
            held_bits -= 32;
        }
    }
    while held_bits > 0 {
        out.push(held as u8);
        held >>= 8;
        held_bits = held_bits.saturating_sub(8);
    }
}

/// The signed error that rounding to `bits` bits adds to a word.
pub(super) const fn rounding_error(word: u64, bits: u32) -> i64 {
    if bits == 64 { 0 } else { (round_to_bits(word, bits) << (64 - bits)).wrapping_sub(word) as i64 }
}

/// Whether `bytes` has the length [`packed_len`] and zero padding bits.
pub fn is_packed(bytes: &[u8], count: usize, bits: u32) -> bool {
    debug_assert!((1..=64).contains(&bits));
    let padding = (bytes.len() as u64 * 8).wrapping_sub(count as u64 * u64::from(bits));
    bytes.len() == packed_len(count, bits) && bytes.last().is_none_or(|last| u16::from(*last) >> (8 - padding) == 0)
}

/// Reads back `count` words from exactly [`packed_len`] bytes, as torus words (low bits zero).
///
/// `None` where the length differs or padding bits are set, so that each ciphertext has exactly one encoding.
pub fn unpack(bytes: &[u8], count: usize, bits: u32) -> Option<Vec<u64>> {
    if !is_packed(bytes, count, bits) {
        return None;
    }
    let mask = u64::MAX >> (64 - bits);
    let word_at = |window: [u8; 16], shift: usize| (u128::from_le_bytes(window) >> shift) as u64 & mask;
    let mut words = Vec::with_capacity(count);
    for bit in (0..count as u64 * u64::from(bits)).step_by(bits as usize) {
        let from = &bytes[(bit / 8) as usize..];
        let window = match from.first_chunk::<16>() {
            Some(window) => *window,
            None => {
                let mut window = [0; 16];
                window[..from.len()].copy_from_slice(from);
                window
            }
        };
        words.push(word_at(window, (bit % 8) as usize) << (64 - bits));
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back_rounded(words in prop::collection::vec(any::<u64>(), 0..80), bits in 1u32..=64) {
            let mut bytes = Vec::new();
            pack(words.iter().copied(), bits, &mut bytes);
            prop_assert_eq!(bytes.len(), packed_len(words.len(), bits));
            let back = unpack(&bytes, words.len(), bits).unwrap();
            for (word, got) in words.iter().zip(&back) {
                let error = (got.wrapping_sub(*word) as i64).unsigned_abs();
                let half = if bits == 64 { 0 } else { 1u64 << (63 - bits) };
                prop_assert!(error <= half, "{word} became {got} at {bits} bits");
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64), count in 0usize..40, bits in 1u32..=64) {
            if let Some(words) = unpack(&bytes, count, bits) {
                let mut again = Vec::new();
                pack(words, bits, &mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
