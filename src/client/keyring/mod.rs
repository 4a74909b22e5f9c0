//! A client's keys on disk: made once, readable by their owner only, replaced as a whole or not at all.

mod disk;
mod failures;
mod inventory;
mod passphrase;
mod usage;

pub use inventory::StoredKey;
pub use passphrase::Passphrase;

use fhectl_core::bundle::ModelId;
use fhectl_core::circuit::ClientKey;
use fhectl_core::client::key_file::{KeyFileHeader, MAX_BYTES, Seal};
use fhectl_core::client::policy::{NETWORK_KEY_BITS, RETIRE_AFTER};
use fhectl_core::client::{ClientKeys, ClientModel};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::frame;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// The folder that holds them: for each model `<model id>.secret`, and beside it, named after the serial of the secret,
/// `<model id>.<serial>.eval`, `.failures` and `.told`.
pub struct Keyring {
    folder: PathBuf,
    passphrase: Option<Passphrase>,
    max_age: Option<Duration>,
}

/// A client's keys for one model, read or made just now.
pub struct OpenedKeys {
    pub keys: ClientKeys,
    /// Names them among those that the model had and will have.
    serial: [u8; 8],
    /// Whether they were made just now.
    pub fresh: bool,
    /// Why they took the place of others just now.
    pub renewed: Option<Renewal>,
    /// Whether the secret one's file is under a passphrase.
    pub sealed: bool,
    /// Failures that were counted here, which stay known where other keys have taken the place of these.
    failures: AtomicU32,
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
                    Error::new(ErrorCode::KeysUnwritable, "there is no home folder for keys")
                        .hint("name one with --keys")
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
    pub fn keys_for(&self, model: &ClientModel) -> Result<OpenedKeys> {
        let _turn = disk::lock(&self.folder)?;
        let (mut fresh, mut renewed) = (false, None);
        let (header, secret) = match self.stored(model)? {
            None => {
                fresh = true;
                self.first(model)?
            }
            // Opened before it is replaced: a new key must not be sealed with a passphrase that is mistyped.
            Some((header, secret)) => match self.due(&header)? {
                None => (header, secret),
                reason => {
                    (fresh, renewed) = (true, reason);
                    self.renew(model)?
                }
            },
        };
        let evaluation = self.evaluation(model, &header, &secret)?;
        let keys = model.keys(secret, evaluation)?;
        Ok(OpenedKeys {
            keys,
            serial: header.serial,
            fresh,
            renewed,
            sealed: header.sealed,
            failures: AtomicU32::new(0),
        })
    }

    fn due(&self, header: &KeyFileHeader) -> Result<Option<Renewal>> {
        let failures = self.counted(header)?;
        if failures >= RETIRE_AFTER {
            return Ok(Some(Renewal::Failures(failures)));
        }
        if self.is_used_up(header)? {
            return Ok(Some(Renewal::Told));
        }
        let age = age(header);
        Ok(self.max_age.filter(|most| age > *most).map(|_| Renewal::Age(age)))
    }

    /// The secret key that is there, and what its file says.
    fn stored(&self, model: &ClientModel) -> Result<Option<(KeyFileHeader, ClientKey)>> {
        let path = self.secret(model.id());
        let Some(bytes) = disk::read_secret(&path, MAX_BYTES)? else { return Ok(None) };
        match model.read_key_file(&bytes, self.seal()) {
            Err(error) if error.code == ErrorCode::KeyPassphraseMissing => Err(sealed(&path)),
            outcome => outcome.map(Some).map_err(|error| at(&path, error)),
        }
    }

    fn seal(&self) -> Option<&dyn Seal> {
        self.passphrase.as_ref().map(|passphrase| passphrase as &dyn Seal)
    }

    /// Makes a key where there is none. Where there are no locks and another process was faster, its key counts.
    fn first(&self, model: &ClientModel) -> Result<(KeyFileHeader, ClientKey)> {
        let (header, secret, bytes) = self.make(model)?;
        if disk::create(&self.secret(model.id()), &bytes)? {
            return Ok((header, secret));
        }
        self.stored(model)?.ok_or_else(|| disk::damaged(&self.secret(model.id()), "it came and went"))
    }

    /// Makes a key in the place of the one that is there: first the new one is written, then what belonged to the old one
    /// goes. A process that has the old one in memory goes on with it.
    fn renew(&self, model: &ClientModel) -> Result<(KeyFileHeader, ClientKey)> {
        let (header, secret, bytes) = self.make(model)?;
        disk::replace(&self.secret(model.id()), &bytes)?;
        self.sweep(model.id(), Some(&header))?;
        Ok((header, secret))
    }

    /// A new secret key and the bytes of its file.
    fn make(&self, model: &ClientModel) -> Result<(KeyFileHeader, ClientKey, Zeroizing<Vec<u8>>)> {
        let secret = model.generate_secret(&mut OsEntropy);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (header, bytes) = model.write_key_file(&secret, now, self.seal(), &mut OsEntropy)?;
        Ok((header, secret, bytes))
    }

    /// The evaluation key is kept too: its id is its hash, and making it again would make another. Its file is named
    /// after the secret key that it belongs to, so that one left over from another is never used.
    fn evaluation(&self, model: &ClientModel, header: &KeyFileHeader, secret: &ClientKey) -> Result<Vec<u8>> {
        let body = model.spec().circuit.key_bytes();
        if body == 0 {
            return Ok(Vec::new());
        }
        let path = self.path(model.id(), &format!("{}.eval", header.serial_hex()));
        let most = frame::KEY_HEADER + body;
        let mut bytes = disk::read(&path, most)?;
        if bytes.is_none() {
            let made = model.generate_evaluation_key(secret, &mut OsEntropy);
            if disk::create(&path, &made)? {
                return Ok(made);
            }
            bytes = disk::read(&path, most)?;
        }
        let mut bytes = bytes.ok_or_else(|| disk::damaged(&path, "it came and went"))?;
        match frame::read_key(model.id(), &bytes) {
            Ok(read) if read.len() == body => Ok(std::mem::take(&mut *bytes)),
            Ok(read) => Err(disk::damaged(&path, &format!("{} bytes, expected {body}", read.len()))),
            Err(error) => Err(disk::damaged(&path, &error.message)),
        }
    }
}

/// How long ago a key was made; nothing where the clock was set back since.
pub fn age(header: &KeyFileHeader) -> Duration {
    made(header).elapsed().unwrap_or_default()
}

/// When a key was made.
pub fn made(header: &KeyFileHeader) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(header.made)
}

/// An error of what a file holds, with its path, and the usual hint where it has none.
fn at(path: &Path, error: Error) -> Error {
    if error.hint.is_none() { disk::damaged(path, &error.message) } else { error.context(path.display()) }
}

fn sealed(path: &Path) -> Error {
    Error::new(ErrorCode::KeyPassphraseMissing, format!("{} is under a passphrase, and none was given", path.display())).hint(
        "give it with --key-passphrase-file FILE, FHECTL_KEY_PASSPHRASE, or --key-passphrase to be asked; where it is \
         lost, `fhectl keyring delete` makes room for a new key",
    )
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
