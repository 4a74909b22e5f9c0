//! The bytes of AES-128 in counter mode that [`super::Random`] draws from: block `i` is the encryption of `i`, big-endian.
//!
//! Machines with AES instructions have them from the crates `aes` and `ctr`. WebAssembly has none, and vectors: there
//! [`bitsliced`] computes eight blocks at once, without tables that a cache could tell of.

#[cfg(any(target_feature = "simd128", test))]
mod bitsliced;
#[cfg(any(target_feature = "simd128", test))]
mod plane;

#[cfg(target_feature = "simd128")]
pub use bitsliced::Keystream;

#[cfg(not(target_feature = "simd128"))]
mod crates {
    use aes::Aes128;
    use ctr::Ctr128BE;
    use ctr::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};

    /// A key's bytes from a place on.
    pub struct Keystream(Ctr128BE<Aes128>);

    impl Keystream {
        pub fn new(key: &[u8; 16], from: u64) -> Self {
            let mut cipher = Ctr128BE::new(key.into(), &[0; 16].into());
            if from > 0 {
                cipher.seek(from);
            }
            Self(cipher)
        }

        /// Fills `bytes` with the next ones.
        pub fn fill(&mut self, bytes: &mut [u8]) {
            self.0.write_keystream(bytes);
        }
    }
}
#[cfg(not(target_feature = "simd128"))]
pub use crates::Keystream;

#[cfg(test)]
mod tests {
    use super::{bitsliced, crates};

    #[test]
    fn both_give_the_same_bytes_wherever_they_begin_and_however_they_are_asked() {
        for (key, from) in
            [([0; 16], 0), ([0xff; 16], 5), (std::array::from_fn(|i| (i * 37) as u8), 1 << 33), ([7; 16], 16 * 255)]
        {
            let (mut one, mut other) = (crates::Keystream::new(&key, from), bitsliced::Keystream::new(&key, from));
            for length in [1, 16, 3, 128, 700, 127, 4096, 0, 129] {
                let (mut a, mut b) = (vec![0; length], vec![1; length]);
                one.fill(&mut a);
                other.fill(&mut b);
                assert!(a == b, "{length} bytes from {from} on");
            }
        }
    }

    /// FIPS 197, appendix B, has another plaintext; the encryption of nought under key nought is NIST's first of its kind.
    #[test]
    fn a_known_block() {
        let mut block = [0; 16];
        bitsliced::Keystream::new(&[0; 16], 0).fill(&mut block);
        assert_eq!(hex::encode(block), "66e94bd4ef8a2c3b884cfa59ca342b2e");
    }
}
