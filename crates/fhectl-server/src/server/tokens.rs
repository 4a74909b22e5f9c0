//! Bearer tokens: who may use a server, and whose keys are whose.
//!
//! A token file holds hashes (`sha256:...`), so that whoever reads it cannot use the server. Tokens have 256 random
//! bits, so a plain hash is enough: there is nothing to guess.

use crate::store::Owner;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fhectl_core::digest;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::Entropy;
use std::path::{Path, PathBuf};
use subtle::{Choice, ConstantTimeEq};

/// What a line of a token file begins with where it holds a hash.
const HASHED: &str = "sha256:";
/// Shorter ones can be guessed, which a fast hash makes easy.
const LEAST_CHARACTERS: usize = 20;

/// The tokens that a server takes, kept as hashes.
#[derive(Clone)]
pub struct TokenSet {
    hashes: Vec<[u8; 32]>,
    /// How many stood there as they are.
    plain: usize,
    source: Option<PathBuf>,
}

/// A new token of 256 random bits.
pub fn new_token(entropy: &mut impl Entropy) -> String {
    let bytes = [entropy.seed().0, entropy.seed().0].concat();
    format!("fhectl_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The line of a token file that lets `token` in.
///
/// # Errors
/// `token_invalid` where it is not a token or could be guessed.
pub fn hash_line(token: &str) -> Result<String> {
    if token.len() < LEAST_CHARACTERS || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::new(
            ErrorCode::TokenInvalid,
            format!("a token has at least {LEAST_CHARACTERS} visible ASCII characters and no spaces"),
        )
        .hint("let `fhectl token new` make one"));
    }
    Ok(format!("{HASHED}{}", digest::to_hex(&hash(token))))
}

impl TokenSet {
    /// Reads a file of one token a line, each as `sha256:` and the hash in hexadecimal, or as it is. Empty lines and
    /// lines that begin with `#` are skipped, and so is what follows a hash after a space. A server that is given the
    /// result reads the file again when it changes.
    ///
    /// # Errors
    /// `token_file` where the file cannot be read or holds no token, or a line is not one; tokens are never quoted.
    pub fn from_file(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path)
            .map_err(|error| bad_file(format!("{error}"), "check the path and its permissions"))
            .map_err(|error| error.context(path.display()))?;
        let read = Self::from_bytes(&bytes).map_err(|error| error.context(path.display()))?;
        Ok(Self { source: Some(path.to_owned()), ..read })
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| bad_file("not a text".into(), "write one token a line, as `fhectl token new` prints it"))?;
        Self::parse(text)
    }

    /// The file it was read from.
    pub(super) fn source(&self) -> Option<&Path> {
        self.source.as_deref()
    }

    /// How many tokens there are, and how many of them stand in the file as they are.
    pub fn counts(&self) -> (usize, usize) {
        (self.hashes.len(), self.plain)
    }

    /// As [`TokenSet::from_file`], from its text.
    ///
    /// # Errors
    /// As [`TokenSet::from_file`].
    pub fn parse(text: &str) -> Result<Self> {
        let (mut hashes, mut plain) = (Vec::new(), 0);
        for (number, line) in text.lines().enumerate() {
            let token = line.trim();
            if token.is_empty() || token.starts_with('#') {
                continue;
            }
            if let Some(rest) = token.strip_prefix(HASHED) {
                let hex = rest.split_whitespace().next().unwrap_or_default();
                hashes.push(digest::from_hex(hex).ok_or_else(|| {
                    bad_file(
                        format!("line {}: not a SHA-256 in hexadecimal", number + 1),
                        "write the line that `fhectl token hash` prints",
                    )
                })?);
                continue;
            }
            if !token.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(bad_file(
                    format!("line {}: not a token", number + 1),
                    "write one token a line, of visible ASCII characters without spaces",
                ));
            }
            hashes.push(hash(token));
            plain += 1;
        }
        if hashes.is_empty() {
            return Err(bad_file(
                "no token in it".into(),
                "write the line that `fhectl token new` prints; or leave --token-file away to let everyone in",
            ));
        }
        Ok(Self { hashes, plain, source: None })
    }

    /// The owner that an `Authorization` header stands for.
    ///
    /// # Errors
    /// `unauthorized`.
    pub fn check(&self, authorization: Option<&[u8]>) -> Result<Owner> {
        let refuse = |what: &str| {
            Err(Error::new(ErrorCode::Unauthorized, what)
                .hint("send a token of this server: --token or FHECTL_TOKEN, in HTTP `Authorization: Bearer <token>`"))
        };
        let Some(header) = authorization.and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
            return refuse("this server wants a token");
        };
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return refuse("the Authorization header holds no bearer token"),
        };
        // Every hash is compared in full: the time taken tells nothing about which came close.
        let own = hash(token);
        let known = self.hashes.iter().fold(Choice::from(0), |known, other| known | own.ct_eq(other));
        if bool::from(known) { Ok(Owner::of_token(token)) } else { refuse("the token is not one of this server's") }
    }
}

fn hash(token: &str) -> [u8; 32] {
    digest::sha256(token.as_bytes())
}

fn bad_file(what: String, hint: &str) -> Error {
    Error::new(ErrorCode::TokenFile, what).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::fhe::random::OsEntropy;

    #[test]
    fn tokens_are_told_apart() {
        let tokens = TokenSet::parse("# ours\n\nalpha\n  beta  \n").unwrap();
        let owner = |header: &str| tokens.check(Some(header.as_bytes())).map_err(|error| error.code);
        assert_eq!(owner("Bearer alpha"), Ok(Owner::of_token("alpha")));
        assert_eq!(owner("bearer beta"), Ok(Owner::of_token("beta")));
        assert_ne!(Owner::of_token("alpha"), Owner::of_token("beta"));
        for bad in ["Bearer gamma", "Bearer ", "Basic alpha", "alpha", "Bearer # ours", ""] {
            assert_eq!(owner(bad), Err(ErrorCode::Unauthorized), "{bad}");
        }
        assert_eq!(tokens.check(None).unwrap_err().code, ErrorCode::Unauthorized);
    }

    #[test]
    fn a_file_of_hashes_lets_the_same_tokens_in() {
        let token = new_token(&mut OsEntropy);
        assert_ne!(token, new_token(&mut OsEntropy));
        let line = hash_line(&token).unwrap();
        assert!(!line.contains(&token));
        let tokens = TokenSet::parse(&format!("{line} for the billing job\nalpha\n")).unwrap();
        assert_eq!(tokens.counts(), (2, 1));
        assert_eq!(tokens.check(Some(format!("Bearer {token}").as_bytes())), Ok(Owner::of_token(&token)));
        // The hash itself is no token.
        assert_eq!(tokens.check(Some(format!("Bearer {line}").as_bytes())).unwrap_err().code, ErrorCode::Unauthorized);
        for weak in ["short", "", "with a space in the middle of it"] {
            assert_eq!(hash_line(weak).unwrap_err().code, ErrorCode::TokenInvalid);
        }
        for bad in ["sha256:", "sha256:00", "sha256:zz", &format!("sha256:{}", "é".repeat(32))] {
            assert_eq!(TokenSet::parse(bad).map(drop).unwrap_err().code, ErrorCode::TokenFile, "{bad}");
        }
    }

    #[test]
    fn a_file_without_tokens_is_refused() {
        for bad in ["", "# only\n\n", "two words\n"] {
            let error = TokenSet::parse(bad).map(drop).unwrap_err();
            assert!(error.code == ErrorCode::TokenFile && !error.message.contains("two words"), "{error:?}");
        }
        let missing = TokenSet::from_file(Path::new("/nowhere/tokens")).map(drop).unwrap_err();
        assert!(missing.message.contains("/nowhere/tokens"));
    }
}
