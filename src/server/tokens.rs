//! Bearer tokens: who may use a server, and whose keys are whose.

use crate::error::{Error, Result};
use crate::store::Owner;
use sha2::{Digest, Sha256};
use std::path::Path;
use subtle::{Choice, ConstantTimeEq};

/// The tokens that a server takes, kept as hashes.
#[derive(Clone)]
pub struct TokenSet {
    hashes: Vec<[u8; 32]>,
}

impl TokenSet {
    /// Reads a file of one token a line; empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// `token_file` where the file cannot be read or holds no token, or a line is not one; tokens are never quoted.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| bad_file(format!("{error}"), "check the path and its permissions"))
            .map_err(|error| error.context(path.display()))?;
        Self::parse(&text).map_err(|error| error.context(path.display()))
    }

    /// As [`TokenSet::from_file`], from its text.
    ///
    /// # Errors
    /// As [`TokenSet::from_file`].
    pub fn parse(text: &str) -> Result<Self> {
        let mut hashes = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let token = line.trim();
            if token.is_empty() || token.starts_with('#') {
                continue;
            }
            if !token.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(bad_file(
                    format!("line {}: not a token", number + 1),
                    "write one token a line, of visible ASCII characters without spaces",
                ));
            }
            hashes.push(hash(token));
        }
        if hashes.is_empty() {
            return Err(bad_file(
                "no token in it".into(),
                "write one token a line, e.g. from `openssl rand -hex 32`; or leave --token-file away to let everyone in",
            ));
        }
        Ok(Self { hashes })
    }

    /// The owner that an `Authorization` header stands for.
    ///
    /// # Errors
    /// `unauthorized`.
    pub fn check(&self, authorization: Option<&[u8]>) -> Result<Owner> {
        let refuse = |what: &str| {
            Err(Error::user("unauthorized", what)
                .hint("send `Authorization: Bearer <token>` with a token of this server"))
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
    Sha256::digest(token.as_bytes()).into()
}

fn bad_file(what: String, hint: &str) -> Error {
    Error::user("token_file", what).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_apart() {
        let tokens = TokenSet::parse("# ours\n\nalpha\n  beta  \n").unwrap();
        let owner = |header: &str| tokens.check(Some(header.as_bytes())).map_err(|error| error.code);
        assert_eq!(owner("Bearer alpha"), Ok(Owner::of_token("alpha")));
        assert_eq!(owner("bearer beta"), Ok(Owner::of_token("beta")));
        assert_ne!(Owner::of_token("alpha"), Owner::of_token("beta"));
        for bad in ["Bearer gamma", "Bearer ", "Basic alpha", "alpha", "Bearer # ours", ""] {
            assert_eq!(owner(bad), Err("unauthorized"), "{bad}");
        }
        assert_eq!(tokens.check(None).unwrap_err().code, "unauthorized");
    }

    #[test]
    fn a_file_without_tokens_is_refused() {
        for bad in ["", "# only\n\n", "two words\n"] {
            let error = TokenSet::parse(bad).map(drop).unwrap_err();
            assert!(error.code == "token_file" && !error.message.contains("two words"), "{error:?}");
        }
        let missing = TokenSet::from_file(Path::new("/nowhere/tokens")).map(drop).unwrap_err();
        assert!(missing.message.contains("/nowhere/tokens"));
    }
}
