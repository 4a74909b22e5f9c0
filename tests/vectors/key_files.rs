//! Key files of a client, one plain and one under a passphrase, with the bits that they contain.

use super::transcript::Files;
use fhectl::client::{Keyring, OpenedKeys, Passphrase};
use fhectl_core::bundle::pack;
use fhectl_core::client::ClientModel;
use std::fs;
use std::path::Path;
use zeroize::Zeroizing;

pub const FOLDER: &str = "key-file";
/// Pairs of a key file and its bits.
pub const KINDS: [[&str; 2]; 2] = [["plain.secret", "plain.bin"], ["sealed.secret", "sealed.bin"]];
/// For tests only.
const PASSPHRASE: &str = "for tests only";
/// log2 of scrypt's N: far less than what keys are sealed with.
const WORK_LOG2: u8 = 10;

/// Both kinds of one model's keys, freshly drawn.
pub fn make() -> Files {
    let mut files = Files::new();
    for kind @ [file, bits] in KINDS {
        let work = tempfile::tempdir().unwrap();
        let keys = keyring(work.path(), kind).keys_for(&model()).unwrap();
        assert!(keys.fresh);
        files.insert(file, fs::read(secret(work.path())).unwrap());
        files.insert(bits, bits_of(&keys));
    }
    files
}

/// The bits that a key file opens to.
pub fn opened(kind: [&str; 2], file: &[u8]) -> Vec<u8> {
    use std::os::unix::fs::PermissionsExt;
    let work = tempfile::tempdir().unwrap();
    let path = secret(work.path());
    fs::write(&path, file).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let keys = keyring(work.path(), kind).keys_for(&model()).unwrap();
    assert!(!keys.fresh && keys.sealed == is_sealed(kind));
    bits_of(&keys)
}

fn is_sealed(kind: [&str; 2]) -> bool {
    kind == KINDS[1]
}

/// The model whose keys they are: the linear one, as its files have it.
fn model() -> ClientModel {
    let case = super::stored("linear");
    ClientModel::read(&pack(&case.client, &case.server).unwrap().0).unwrap()
}

fn keyring(folder: &Path, kind: [&str; 2]) -> Keyring {
    let passphrase = || Passphrase::with_work(Zeroizing::new(PASSPHRASE.into()), WORK_LOG2).unwrap();
    Keyring::open(Some(folder)).unwrap().with_passphrase(is_sealed(kind).then(passphrase))
}

fn secret(folder: &Path) -> std::path::PathBuf {
    folder.join(format!("{}.secret", model().id()))
}

fn bits_of(keys: &OpenedKeys) -> Vec<u8> {
    let mut bits = Vec::new();
    keys.keys.secret().write(&mut bits);
    bits
}
