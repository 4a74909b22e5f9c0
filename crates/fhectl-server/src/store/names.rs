//! The names that paths are made of. Each is checked when it is made, so no path can climb out of its place.

use fhectl_core::bundle::ModelId;
use fhectl_core::digest::{self, sha256_hex};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::Entropy;
use fhectl_core::protocol::api::is_key_id;
use object_store::path::Path;
use std::fmt;

/// Whose keys: everyone's where a server has no tokens, else those of one token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner(String);

impl Owner {
    /// The owner of all keys on a server without tokens.
    pub fn anyone() -> Self {
        Self("anyone".into())
    }

    /// The owner that a token stands for; the token cannot be found from it.
    pub fn of_token(token: &str) -> Self {
        let mut digest = sha256_hex(format!("fhectl owner{token}").as_bytes());
        digest.truncate(32);
        Self(digest)
    }

    /// An owner as [`Owner::as_str`] writes it; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        (text == "anyone" || is_hex(text, 32)).then(|| Self(text.into()))
    }

    /// `anyone`, or 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the text is so many lower-case hexadecimal digits.
fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The SHA-256 of a framed evaluation key, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// # Errors
    /// `key_id_invalid` where the text is not 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self> {
        if is_key_id(text) {
            return Ok(Self(text.into()));
        }
        Err(Error::new(ErrorCode::KeyIdInvalid, "a key id is 64 lower-case hexadecimal digits")
            .hint("it is the SHA-256 of the whole evaluation key as it is sent"))
    }

    /// The id of these bytes.
    pub fn of(framed_key: &[u8]) -> Self {
        Self(sha256_hex(framed_key))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hash itself.
    pub fn bytes(&self) -> [u8; 32] {
        digest::from_hex(&self.0).expect("a key id is checked when it is made")
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the endpoint form names a key by: 128 random bits in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uid(String);

impl Uid {
    pub fn fresh(entropy: &mut impl Entropy) -> Self {
        Self(digest::to_hex(&entropy.seed().0))
    }

    /// `None` where no server could have given out this text.
    pub fn parse(text: &str) -> Option<Self> {
        is_hex(text, 32).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An upload that is under way, named by the key it will be or by its uid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UploadId(String);

impl From<&KeyId> for UploadId {
    fn from(id: &KeyId) -> Self {
        Self(id.0.clone())
    }
}

impl From<&Uid> for UploadId {
    fn from(uid: &Uid) -> Self {
        Self(uid.0.clone())
    }
}

/// One owner's keys for one model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyNamespace {
    pub model: ModelId,
    pub owner: Owner,
}

impl KeyNamespace {
    /// The folder of this namespace among `keys`, `parts`, `uids` or `budgets`.
    pub(super) fn folder(&self, room: &str) -> Path {
        Path::from_iter([room, &self.model.to_string(), &self.owner.0])
    }

    /// The namespace of an object or of anything below one, such as `keys/<model id>/<owner>/<key id>`, and what follows
    /// it; `None` for what is none of ours.
    pub(super) fn of(path: &Path) -> Option<(Self, Vec<String>)> {
        let mut parts = path.parts().skip(1);
        let model = parts.next()?.as_ref().parse().ok()?;
        let owner = Owner::parse(parts.next()?.as_ref())?;
        Some((Self { model, owner }, parts.map(|part| part.as_ref().to_owned()).collect()))
    }

    pub(super) fn key(&self, id: &KeyId) -> Path {
        self.folder("keys").join(id.0.as_str())
    }

    pub(super) fn uid(&self, uid: &Uid) -> Path {
        self.folder("uids").join(uid.0.as_str())
    }

    pub(super) fn parts(&self, upload: &UploadId) -> Path {
        self.folder("parts").join(upload.0.as_str())
    }

    pub(super) fn part(&self, upload: &UploadId, index: u32) -> Path {
        self.parts(upload).join(format!("{index:05}"))
    }
}
