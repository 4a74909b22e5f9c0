//! SHA-256 digests and hexadecimal text: the ids of bundles, keys and tokens.

use sha2::Digest;

/// The length of a SHA-256 digest in bytes.
pub const LEN: usize = 32;

/// The SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; LEN] {
    sha2::Sha256::digest(bytes).into()
}

/// The SHA-256 of `bytes` as 64 lowercase hexadecimal digits.
///
/// ```
/// use fhectl_core::digest::sha256_hex;
/// assert_eq!(&sha256_hex(b"abc")[..8], "ba7816bf");
/// ```
pub fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(&sha256(bytes))
}

/// Bytes as lowercase hexadecimal digits, two a byte.
pub fn to_hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

/// Reads `N` bytes from exactly `2 * N` hexadecimal digits of either case. `None` for any other text.
///
/// ```
/// use fhectl_core::digest::from_hex;
/// assert_eq!(from_hex::<2>("0fA0"), Some([0x0f, 0xa0]));
/// assert_eq!(from_hex::<2>("+fa0"), None);
/// ```
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// The SHA-256 of bytes that come in pieces.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// The digest of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends bytes to what is digested.
    pub fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update(bytes);
    }

    /// The digest of all bytes in their order.
    pub fn finish(self) -> [u8; LEN] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_the_digest_of_the_whole() {
        let mut pieces = Sha256::new();
        pieces.update(b"fhe");
        pieces.update("ctl");
        assert_eq!(pieces.finish(), sha256(b"fhectl"));
    }

    #[test]
    fn hexadecimal_text_survives_a_round_trip_and_nothing_else_is_read() {
        let digest = sha256(b"fhectl");
        assert_eq!(from_hex(&to_hex(&digest)), Some(digest));
        assert_eq!(from_hex(&to_hex(&digest).to_uppercase()), Some(digest));
        for bad in ["", "0", "000", "00000", "zz00", "+100", "é0", " 000"] {
            assert_eq!(from_hex::<2>(bad), None, "{bad}");
        }
    }
}
