//! A client's keys on disk: made once, readable by their owner only, replaced as a whole or not at all.

mod disk;
mod failures;
mod file;
mod inventory;
mod passphrase;
mod usage;

pub use failures::RETIRE_AFTER;
pub use file::Header;
pub use inventory::StoredKey;
pub use passphrase::Passphrase;
pub use usage::{NETWORK_KEY_BITS, Told};

use fhectl_core::bundle::{ClientBundle, ModelId};
use fhectl_core::circuit::ClientKey;
use fhectl_core::error::{Error, Result};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::frame;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The most bytes of a secret key's file: three keys of dimension 8192 take 3 KiB.
const MOST_BYTES: usize = 1 << 16;

/// The folder that holds them: for each model `<model id>.secret`, and beside it, named after the serial of the secret,
/// `<model id>.<serial>.eval`, `.failures` and `.told`.
pub struct Keyring {
    folder: PathBuf,
    passphrase: Option<Passphrase>,
    max_age: Option<Duration>,
}

/// A client's keys for one model, ready for use.
pub struct ClientKeys {
    pub secret: ClientKey,
    /// Names them among those that the model had and will have.
    pub(super) serial: String,
    /// The framed evaluation key; empty where the circuit needs none.
    pub evaluation: Vec<u8>,
    /// SHA-256 of `evaluation`, in hexadecimal.
    pub key_id: String,
    /// Whether they were made just now.
    pub fresh: bool,
    /// Why they took the place of others just now.
    pub renewed: Option<Renewal>,
    /// Whether the secret one's file is under a passphrase.
    pub sealed: bool,
}

/// Why a key was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// It was as old as this, which is more than is allowed.
    Age(Duration),
    /// So many failures were reported of it.
    Failures(u32),
    /// As much was told of answers under it as may be of a network's.
    Told,
}

impl fmt::Display for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age(age) => {
                let whole = humantime::format_duration(Duration::from_secs(age.as_secs()));
                write!(f, "the one before was {whole} old")
            }
            Self::Failures(count) => write!(f, "{count} answers under the one before were wrong"),
            Self::Told => write!(f, "{NETWORK_KEY_BITS} bits were told of a network's answers under the one before"),
        }
    }
}

impl Keyring {
    /// Opens `folder`, or the user's own data folder where none is given.
    ///
    /// # Errors
    /// `keys_unwritable` where it cannot be made, `key_file_permissions` where others could put files into it.
    pub fn open(folder: Option<&Path>) -> Result<Self> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => directories::ProjectDirs::from("", "", "fhectl")
                .ok_or_else(|| {
                    Error::user("keys_unwritable", "there is no home folder for keys").hint("name one with --keys")
                })?
                .data_dir()
                .join("keys"),
        };
        disk::folder(&folder)?;
        Ok(Self { folder, passphrase: None, max_age: None })
    }

    /// With the passphrase that key files are opened with, and new ones sealed with.
    #[must_use]
    pub fn with_passphrase(self, passphrase: Option<Passphrase>) -> Self {
        Self { passphrase, ..self }
    }

    /// With an age beyond which a key is replaced when it is asked for.
    #[must_use]
    pub fn with_max_age(self, max_age: Option<Duration>) -> Self {
        Self { max_age, ..self }
    }

    /// Whether new keys are sealed.
    pub fn has_passphrase(&self) -> bool {
        self.passphrase.is_some()
    }

    fn path(&self, model: &ModelId, ending: &str) -> PathBuf {
        self.folder.join(format!("{model}.{ending}"))
    }

    fn secret(&self, model: &ModelId) -> PathBuf {
        self.path(model, "secret")
    }

    /// The keys for a model: read where they are, made where they are not, replaced where they are too old or retired.
    ///
    /// # Errors
    /// `key_file_invalid` for a damaged file and `key_file_version` for one of another release (both are left alone),
    /// `key_file_permissions` for a secret that others can reach, `key_passphrase_missing`, `key_passphrase_wrong`,
    /// `keys_unwritable`.
    pub fn keys_for(&self, bundle: &ClientBundle) -> Result<ClientKeys> {
        let _turn = disk::lock(&self.folder)?;
        let (mut fresh, mut renewed) = (false, None);
        let (header, secret) = match self.stored(bundle)? {
            None => {
                fresh = true;
                self.first(bundle)?
            }
            // Opened before it is replaced: a new key must not be sealed with a passphrase that is mistyped.
            Some((header, secret)) => match self.due(&header)? {
                None => (header, secret),
                reason => {
                    (fresh, renewed) = (true, reason);
                    self.renew(bundle)?
                }
            },
        };
        let evaluation = self.evaluation(bundle, &header, &secret)?;
        let key_id = ModelId(Sha256::digest(&evaluation).into()).to_string();
        Ok(ClientKeys { secret, serial: header.serial(), evaluation, key_id, fresh, renewed, sealed: header.sealed })
    }

    fn due(&self, header: &Header) -> Result<Option<Renewal>> {
        let failures = self.counted(header)?;
        if failures >= RETIRE_AFTER {
            return Ok(Some(Renewal::Failures(failures)));
        }
        if self.is_used_up(header)? {
            return Ok(Some(Renewal::Told));
        }
        let age = header.age();
        Ok(self.max_age.filter(|most| age > *most).map(|_| Renewal::Age(age)))
    }

    /// The secret key that is there, and what its file says.
    fn stored(&self, bundle: &ClientBundle) -> Result<Option<(Header, ClientKey)>> {
        let path = self.secret(&bundle.id);
        let Some(bytes) = disk::read_secret(&path, MOST_BYTES)? else { return Ok(None) };
        let (header, body) = Header::parse(&bytes).map_err(|error| at(&path, error))?;
        if header.model != bundle.id {
            return Err(disk::damaged(&path, "it is another model's key"));
        }
        let opened;
        let bits = match (&self.passphrase, header.sealed) {
            (_, false) => body,
            (None, true) => return Err(sealed(&path)),
            (Some(passphrase), true) => {
                let before = &bytes[..bytes.len() - body.len()];
                opened = passphrase.open(before, body).map_err(|error| at(&path, error))?;
                &opened
            }
        };
        let secret = ClientKey::read(&bundle.spec.circuit, bits).map_err(|error| at(&path, error))?;
        Ok(Some((header, secret)))
    }

    /// Makes a key where there is none. Where there are no locks and another process was faster, its key counts.
    fn first(&self, bundle: &ClientBundle) -> Result<(Header, ClientKey)> {
        let (header, secret, bytes) = self.make(bundle)?;
        if disk::create(&self.secret(&bundle.id), &bytes)? {
            return Ok((header, secret));
        }
        self.stored(bundle)?.ok_or_else(|| disk::damaged(&self.secret(&bundle.id), "it came and went"))
    }

    /// Makes a key in the place of the one that is there: first the new one is written, then what belonged to the old one
    /// goes. A process that has the old one in memory goes on with it.
    fn renew(&self, bundle: &ClientBundle) -> Result<(Header, ClientKey)> {
        let (header, secret, bytes) = self.make(bundle)?;
        disk::replace(&self.secret(&bundle.id), &bytes)?;
        self.sweep(&bundle.id, Some(&header))?;
        Ok((header, secret))
    }

    /// A new secret key and the bytes of its file.
    fn make(&self, bundle: &ClientBundle) -> Result<(Header, ClientKey, Zeroizing<Vec<u8>>)> {
        let secret = ClientKey::generate(&bundle.spec.circuit, &mut OsEntropy);
        let header = Header::new(bundle, self.passphrase.is_some(), &mut OsEntropy);
        // Large enough from the start: growing would leave a copy behind.
        let mut bits = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
        secret.write(&mut bits);
        let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
        bytes.extend_from_slice(&header.bytes());
        match &self.passphrase {
            None => bytes.extend_from_slice(&bits),
            Some(passphrase) => {
                let sealed = passphrase.seal(&header.bytes(), &bits, &mut OsEntropy)?;
                bytes.extend_from_slice(&sealed);
            }
        }
        Ok((header, secret, bytes))
    }

    /// The evaluation key is kept too: its id is its hash, and making it again would make another. Its file is named
    /// after the secret key that it belongs to, so that one left over from another is never used.
    fn evaluation(&self, bundle: &ClientBundle, header: &Header, secret: &ClientKey) -> Result<Vec<u8>> {
        let body = bundle.spec.circuit.key_bytes();
        if body == 0 {
            return Ok(Vec::new());
        }
        let path = self.path(&bundle.id, &format!("{}.eval", header.serial()));
        let most = frame::KEY_HEADER + body;
        let mut bytes = disk::read(&path, most)?;
        if bytes.is_none() {
            let made = frame::write_key(&bundle.id, &secret.evaluation_key(&bundle.spec.circuit, &mut OsEntropy));
            if disk::create(&path, &made)? {
                return Ok(made);
            }
            bytes = disk::read(&path, most)?;
        }
        let mut bytes = bytes.ok_or_else(|| disk::damaged(&path, "it came and went"))?;
        match frame::read_key(&bundle.id, &bytes) {
            Ok(read) if read.len() == body => Ok(std::mem::take(&mut *bytes)),
            Ok(read) => Err(disk::damaged(&path, &format!("{} bytes, expected {body}", read.len()))),
            Err(error) => Err(disk::damaged(&path, &error.message)),
        }
    }
}

/// An error of what a file holds, with its path, and the usual hint where it has none.
fn at(path: &Path, error: Error) -> Error {
    if error.hint.is_none() { disk::damaged(path, &error.message) } else { error.context(path.display()) }
}

fn sealed(path: &Path) -> Error {
    Error::user("key_passphrase_missing", format!("{} is under a passphrase, and none was given", path.display())).hint(
        "give it with --key-passphrase-file FILE, FHECTL_KEY_PASSPHRASE, or --key-passphrase to be asked; where it is \
         lost, `fhectl keyring delete` makes room for a new key",
    )
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
