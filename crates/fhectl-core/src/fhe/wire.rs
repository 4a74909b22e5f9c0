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
pub fn pack(words: &[u64], bits: u32, out: &mut Vec<u8>) {
    pack_all([words], bits, out);
}

/// As [`pack`], of the words of several slices, one after the other.
pub fn pack_all<const PARTS: usize>(parts: [&[u64]; PARTS], bits: u32, out: &mut Vec<u8>) {
    debug_assert!((1..=64).contains(&bits));
    out.reserve(packed_len(parts.iter().map(|part| part.len()).sum(), bits));
    let (mut held, mut held_bits) = (0, 0);
    for words in parts {
        for word in words {
            let value = round_to_bits(*word, bits);
            held |= value << held_bits;
            held_bits += bits;
            if held_bits >= 64 {
                out.extend_from_slice(&held.to_le_bytes());
                held_bits -= 64;
                held = if held_bits == 0 { 0 } else { value >> (bits - held_bits) };
            }
        }
    }
    out.extend_from_slice(&held.to_le_bytes()[..held_bits.div_ceil(8) as usize]);
}

/// The sum of the errors that rounding to `bits` bits adds to words.
pub(super) fn sum_of_rounding_errors(words: &[u64], bits: u32) -> i128 {
    // An error is at most 2^(63 - bits): so many do not leave 64 bits, in which a machine adds several at once.
    let together = 1 << (bits - 1).min(16);
    let sum = |words: &[u64]| words.iter().map(|word| rounding_error(*word, bits)).sum::<i64>();
    words.chunks(together).map(|words| i128::from(sum(words))).sum()
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
    let mut words = Vec::with_capacity(count);
    // Words of up to 57 bits lie in eight bytes, wherever they begin in the first of them; and eight words take `bits` bytes.
    if bits <= 57 {
        let block = bits as usize;
        let starts: [_; 8] = std::array::from_fn(|index| start(index, bits));
        let mut rest = bytes;
        while let Some(window) = rest.get(..block + 8) {
            words.extend(starts.iter().map(|(byte, shift)| {
                let word = window[*byte..].first_chunk().expect("a block has all bytes of its words");
                (u64::from_le_bytes(*word) >> shift) << (64 - bits)
            }));
            rest = &rest[block..];
        }
    }
    words.extend((words.len()..count).map(|index| {
        let (byte, shift) = start(index, bits);
        let from = &bytes[byte..];
        let mut window = [0; 16];
        let len = from.len().min(16);
        window[..len].copy_from_slice(&from[..len]);
        ((u128::from_le_bytes(window) >> shift) as u64) << (64 - bits)
    }));
    Some(words)
}

/// The byte in which a packed word begins, and the bit of that byte.
fn start(index: usize, bits: u32) -> (usize, u32) {
    let bit = index as u64 * u64::from(bits);
    ((bit / 8) as usize, (bit % 8) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back_rounded(words in prop::collection::vec(any::<u64>(), 0..80), bits in 1u32..=64) {
            let mut bytes = Vec::new();
            pack(&words, bits, &mut bytes);
            prop_assert_eq!(bytes.len(), packed_len(words.len(), bits));
            let back = unpack(&bytes, words.len(), bits).unwrap();
            for (word, got) in words.iter().zip(&back) {
                let error = (got.wrapping_sub(*word) as i64).unsigned_abs();
                let half = if bits == 64 { 0 } else { 1u64 << (63 - bits) };
                prop_assert!(error <= half, "{word} became {got} at {bits} bits");
            }
        }

        #[test]
        fn errors_are_added_up_whole(words in prop::collection::vec(any::<u64>(), 0..80), extreme in 0usize..80, bits in 1u32..=64) {
            // Words that lie half-way between two multiples have the largest errors.
            let half = if bits == 64 { 0 } else { 1u64 << (63 - bits) };
            let words: Vec<u64> = [words, vec![half; extreme]].concat();
            let sum: i128 = words.iter().map(|word| i128::from(rounding_error(*word, bits))).sum();
            prop_assert_eq!(sum_of_rounding_errors(&words, bits), sum);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64), count in 0usize..40, bits in 1u32..=64) {
            if let Some(words) = unpack(&bytes, count, bits) {
                let mut again = Vec::new();
                pack(&words, bits, &mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
