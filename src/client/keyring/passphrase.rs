//! Key files under a passphrase: scrypt makes a key of it, ChaCha20-Poly1305 seals with that.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use fhectl_core::client::key_file::Seal;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::Entropy;
use zeroize::Zeroizing;

/// log2 of scrypt's N: with r = 8 a guess takes 256 MiB and about a second, as age and its kin have it.
const WORK_LOG2: u8 = 18;
/// The most that a file may ask for: 1 GiB.
const MOST_WORK_LOG2: u8 = 20;
/// scrypt's block size; its parallelism is 1.
const BLOCK: u32 = 8;
const SALT: usize = 16;

/// What a person seals key files with. Has no `Debug`; wiped when dropped.
pub struct Passphrase {
    text: Zeroizing<Vec<u8>>,
    work_log2: u8,
}

impl Passphrase {
    /// # Errors
    /// `key_passphrase_invalid` where it is empty.
    pub fn new(text: Zeroizing<Vec<u8>>) -> Result<Self> {
        Self::with_work(text, WORK_LOG2)
    }

    /// With another log2 of scrypt's N for what is sealed, 1 to 20. Tests take a low one.
    ///
    /// # Errors
    /// As [`Passphrase::new`].
    pub fn with_work(text: Zeroizing<Vec<u8>>, work_log2: u8) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::new(ErrorCode::KeyPassphraseInvalid, "the passphrase is empty")
                .hint("give a long one, or leave out the flag to have no passphrase"));
        }
        Ok(Self { text, work_log2: work_log2.clamp(1, MOST_WORK_LOG2) })
    }

    fn cipher(&self, work_log2: u8, salt: &[u8; SALT]) -> Result<ChaCha20Poly1305> {
        let failed = || Error::new(ErrorCode::KeyPassphrase, "no key can be made of the passphrase");
        let params = scrypt::Params::new(work_log2, BLOCK, 1).map_err(|_| failed())?;
        let mut key = Zeroizing::new([0; 32]);
        scrypt::scrypt(&self.text, salt, &params, key.as_mut_slice()).map_err(|_| failed())?;
        let key: &Key = (&*key).into();
        Ok(ChaCha20Poly1305::new(key))
    }
}

impl Seal for Passphrase {
    /// `log2 N (1 byte) | salt (16) | ciphertext and tag`, bound to `header`.
    ///
    /// The salt is fresh, so the key is used for this text alone, and the nonce may be zero.
    fn seal(&self, header: &[u8], bits: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
        let salt = entropy.seed();
        let payload = Payload { msg: bits, aad: header };
        let sealed = self.cipher(self.work_log2, &salt.0)?.encrypt(&Nonce::default(), payload);
        let sealed = sealed.map_err(|_| Error::new(ErrorCode::KeyPassphrase, "the key could not be sealed"))?;
        Ok([&[self.work_log2], &salt.0[..], &sealed].concat())
    }

    fn open(&self, header: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let invalid = |what: &str| Error::new(ErrorCode::KeyFileInvalid, what);
        let (work, rest) = sealed.split_first().ok_or_else(|| invalid("the sealed key is cut off"))?;
        let (salt, text) = rest.split_first_chunk::<SALT>().ok_or_else(|| invalid("the sealed key is cut off"))?;
        if !(1..=MOST_WORK_LOG2).contains(work) {
            return Err(invalid("the sealed key asks for more work than any of ours"));
        }
        let opened = self.cipher(*work, salt)?.decrypt(&Nonce::default(), Payload { msg: text, aad: header });
        opened.map(Zeroizing::new).map_err(|_| {
            Error::new(ErrorCode::KeyPassphraseWrong, "the passphrase is not the one that this key was sealed with")
                .hint("the file was left as it is; where the passphrase is lost, `fhectl keyring delete` makes room for a new key")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::fhe::random::OsEntropy;

    #[test]
    fn only_the_passphrase_and_the_header_open_what_was_sealed() {
        let with = |text: &str| Passphrase::with_work(Zeroizing::new(text.into()), 4).unwrap();
        let sealed = with("right").seal(b"header", b"key bits", &mut OsEntropy).unwrap();
        assert_eq!(sealed.len(), 1 + SALT + b"key bits".len() + 16);
        assert_eq!(*with("right").open(b"header", &sealed).unwrap(), b"key bits");
        let code = |passphrase: &str, header: &[u8], sealed: &[u8]| {
            with(passphrase).open(header, sealed).err().map(|error| error.code)
        };
        assert_eq!(code("wrong", b"header", &sealed), Some(ErrorCode::KeyPassphraseWrong));
        assert_eq!(code("right", b"Header", &sealed), Some(ErrorCode::KeyPassphraseWrong));
        for end in 0..17 {
            assert_eq!(code("right", b"header", &sealed[..end]), Some(ErrorCode::KeyFileInvalid));
        }
        let costly = [&[40], &sealed[1..]].concat();
        assert_eq!(code("right", b"header", &costly), Some(ErrorCode::KeyFileInvalid));
        assert!(Passphrase::new(Zeroizing::new(Vec::new())).is_err());
    }
}
