//! A client's keys on disk: made once, readable by their owner only, never overwritten.

use crate::bundle::{ClientBundle, ModelId};
use crate::circuit::ClientKey;
use crate::error::{Error, Result};
use crate::fhe::random::OsEntropy;
use crate::protocol::frame;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const MAGIC: &[u8; 4] = b"FHEs";
const VERSION: u16 = 1;

/// The folder that holds them: `<model id>.secret` and `<model id>.<fingerprint of the secret>.eval` a model.
pub struct Keyring {
    folder: PathBuf,
}

/// A client's keys for one model, ready for use.
pub struct ClientKeys {
    pub secret: ClientKey,
    /// The framed evaluation key; empty where the circuit needs none.
    pub evaluation: Vec<u8>,
    /// SHA-256 of `evaluation`, in hexadecimal.
    pub key_id: String,
    /// Whether they were made just now.
    pub fresh: bool,
}

impl Keyring {
    /// Opens `folder`, or the user's own data folder where none is given.
    ///
    /// # Errors
    /// `keys_unwritable` where it cannot be made.
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
        if !folder.exists() {
            fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
            restrict(&folder, 0o700).map_err(|error| unwritable(&folder, &error))?;
        }
        Ok(Self { folder })
    }

    fn path(&self, model: &ModelId, ending: &str) -> PathBuf {
        self.folder.join(format!("{model}.{ending}"))
    }

    /// The keys for a model: read where they are, made where they are not.
    ///
    /// # Errors
    /// `key_file_invalid` for a damaged file (which is left alone), `key_file_permissions` for a secret that others
    /// can read, `keys_unwritable`.
    pub fn keys_for(&self, bundle: &ClientBundle) -> Result<ClientKeys> {
        let secret_path = self.path(&bundle.id, "secret");
        let mut fresh = false;
        if !secret_path.exists() {
            let key = ClientKey::generate(&bundle.spec.circuit, &mut OsEntropy);
            // Large enough from the start: growing would leave a copy behind.
            let mut bytes = Zeroizing::new(Vec::with_capacity(1 << 16));
            bytes.extend_from_slice(&header(&bundle.id));
            key.write(&mut bytes);
            // Where another process was faster, its key is the one that counts.
            fresh = create_new(&secret_path, &bytes)?;
        }
        let (secret, fingerprint) = read_secret(&secret_path, bundle)?;
        let evaluation = self.evaluation(bundle, &secret, &fingerprint)?;
        let key_id = ModelId(Sha256::digest(&evaluation).into()).to_string();
        Ok(ClientKeys { secret, evaluation, key_id, fresh })
    }

    /// The evaluation key is kept too: its id is its hash, and making it again would make another. Its file is named
    /// after the secret key that it belongs to, so that one left over from another is never used.
    fn evaluation(&self, bundle: &ClientBundle, secret: &ClientKey, fingerprint: &str) -> Result<Vec<u8>> {
        let body = bundle.spec.circuit.key_bytes();
        if body == 0 {
            return Ok(Vec::new());
        }
        let path = self.path(&bundle.id, &format!("{fingerprint}.eval"));
        if !path.exists() {
            let made = frame::write_key(&bundle.id, &secret.evaluation_key(&bundle.spec.circuit, &mut OsEntropy));
            create_new(&path, &made)?;
        }
        let bytes = fs::read(&path).map_err(|error| damaged(&path, &error.to_string()))?;
        match frame::read_key(&bundle.id, &bytes) {
            Ok(read) if read.len() == body => Ok(bytes),
            Ok(read) => Err(damaged(&path, &format!("{} bytes, expected {body}", read.len()))),
            Err(error) => Err(damaged(&path, &error.message)),
        }
    }
}

fn header(model: &ModelId) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&model.0);
    bytes
}

/// The secret keys, and 16 hexadecimal digits that name them (a hash: says nothing of the keys).
fn read_secret(path: &Path, bundle: &ClientBundle) -> Result<(ClientKey, String)> {
    check_private(path)?;
    let bytes = Zeroizing::new(fs::read(path).map_err(|error| damaged(path, &error.to_string()))?);
    let header = header(&bundle.id);
    let body = bytes
        .strip_prefix(header.as_slice())
        .ok_or_else(|| damaged(path, "it does not begin as this model's key file"))?;
    let secret = ClientKey::read(&bundle.spec.circuit, body).map_err(|error| damaged(path, &error.message))?;
    let fingerprint = ModelId(Sha256::digest(&*bytes).into()).to_string()[..16].to_owned();
    Ok((secret, fingerprint))
}

/// Writes a file of mode 0600 as a whole or not at all. Returns whether this call made it; one that is there stays.
fn create_new(path: &Path, bytes: &[u8]) -> Result<bool> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<bool> {
        // `tempfile` creates with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    };
    write().map_err(|error| unwritable(path, &error))
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(|error| damaged(path, &error.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Error::user(
            "key_file_permissions",
            format!("{}: others can read this secret key (mode {:o})", path.display(), mode & 0o777),
        )
        .hint(format!("chmod 600 {}", path.display())));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<()> {
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::user("keys_unwritable", format!("{}: {error}", path.display()))
        .hint("keys need a folder that you can write to: name one with --keys")
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::user("key_file_invalid", format!("{}: {what}", path.display()))
        .hint("the file was left as it is; move it away to have new keys made")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::ServerBundle;

    fn bundle() -> ClientBundle {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model/tree-spam/server.zip");
        let server = ServerBundle::read(&fs::read(folder).unwrap()).unwrap();
        ClientBundle::read(&server.client_zip()).unwrap()
    }

    #[test]
    fn keys_are_made_once_and_kept_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(Some(folder.path())).unwrap();
        let bundle = bundle();
        let first = keyring.keys_for(&bundle).unwrap();
        let again = keyring.keys_for(&bundle).unwrap();
        assert!(first.fresh && !again.fresh);
        assert_eq!(first.key_id, again.key_id);
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 2);
        for path in files {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let secret = keyring.path(&bundle.id, "secret");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(keyring.keys_for(&bundle).err().unwrap().code, "key_file_permissions");
    }

    #[test]
    fn a_damaged_key_file_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(Some(folder.path())).unwrap();
        let bundle = bundle();
        keyring.keys_for(&bundle).unwrap();
        for path in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
            let error = keyring.keys_for(&bundle).err().unwrap();
            assert_eq!(error.code, "key_file_invalid");
            assert!(error.message.contains(path.to_str().unwrap()));
            assert_eq!(fs::read(&path).unwrap().len(), bytes.len() - 1);
            fs::write(&path, &bytes).unwrap();
        }
    }

    #[test]
    fn a_new_secret_never_meets_the_evaluation_key_of_an_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(Some(folder.path())).unwrap();
        let bundle = bundle();
        let old = keyring.keys_for(&bundle).unwrap();
        fs::remove_file(keyring.path(&bundle.id, "secret")).unwrap();
        let new = keyring.keys_for(&bundle).unwrap();
        assert!(new.fresh && new.key_id != old.key_id);
    }
}
