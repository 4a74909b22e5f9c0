//! Bundles on disk: `<folder>/{client.zip, server.zip, versions.json, README.md}`.

use super::{ClientBundle, FORMAT, ModelId, ServerBundle, whole_folder};
use crate::digest::sha256_hex;
use crate::error::{Error, ErrorCode, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The most bytes a zip file of a bundle may have on disk.
const MAX_ZIP_BYTES: u64 = 64 << 20;

/// The content of `versions.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Versions {
    pub format: u32,
    pub fhectl: String,
    pub tfhe: String,
    pub id: ModelId,
    pub security_bits: u32,
    pub p_fail_log2: Option<f64>,
    pub circuit: crate::circuit::CircuitKind,
    /// SHA-256 of the files beside it.
    pub sha256: BTreeMap<String, String>,
}

/// The tfhe release that ciphertexts and keys are computed with.
pub const TFHE_VERSION: &str = "1.8.2";

impl Versions {
    /// What to record beside these two files.
    pub fn new(bundle: &ServerBundle, client_zip: &[u8], server_zip: &[u8]) -> Self {
        let sha256 = [("client.zip", client_zip), ("server.zip", server_zip)]
            .map(|(name, bytes)| (name.to_owned(), sha256_hex(bytes)));
        Self {
            format: FORMAT,
            fhectl: env!("CARGO_PKG_VERSION").to_owned(),
            tfhe: TFHE_VERSION.to_owned(),
            id: bundle.id,
            security_bits: bundle.spec.security_bits,
            p_fail_log2: bundle.spec.p_fail_log2,
            circuit: bundle.spec.circuit.kind(),
            sha256: sha256.into(),
        }
    }
}

/// Refuses a folder that is there, unless `force`.
///
/// # Errors
/// `exists`.
pub fn check_free(folder: &Path, force: bool) -> Result<()> {
    if folder.exists() && !force {
        return Err(Error::new(ErrorCode::Exists, format!("{} is already there", folder.display()))
            .hint("choose another --name or --out, or overwrite it with --force"));
    }
    Ok(())
}

/// Writes a bundle's four files, all of them or none. An existing folder is left alone unless `force`; then it stays as it is
/// until the new one is complete, and what else is in it stays anyway.
///
/// # Errors
/// `exists` where the folder is there, `io` where it cannot be written.
pub fn write(folder: &Path, client_zip: &[u8], server_zip: &[u8], card: &str, force: bool) -> Result<()> {
    check_free(folder, force)?;
    let bundle = ServerBundle::read(server_zip)?;
    let versions = Versions::new(&bundle, client_zip, server_zip);
    let versions = serde_json::to_string_pretty(&versions).expect("versions hold nothing that JSON cannot") + "\n";
    let files: [(&str, &[u8]); 4] = [
        ("client.zip", client_zip),
        ("server.zip", server_zip),
        ("versions.json", versions.as_bytes()),
        ("README.md", card.as_bytes()),
    ];
    whole_folder::put(folder, &files).map_err(|(path, error)| io(&path, &error))
}

/// The folders of models below a folder, by name: those that hold a `file`, `client.zip` say. What begins with a dot is a
/// model in the making.
pub fn below(models: &Path, file: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(models).into_iter().flatten().flatten();
    let named = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    let mut folders: Vec<PathBuf> = named.map(|entry| entry.path()).filter(|path| path.join(file).exists()).collect();
    folders.sort();
    folders
}

/// Reads `client.zip` of a folder, or a zip file itself.
///
/// # Errors
/// `not_found`, `io`, or what [`ClientBundle::read`] says.
pub fn read_client(path: &Path) -> Result<ClientBundle> {
    let path = if path.is_dir() { path.join("client.zip") } else { path.to_owned() };
    ClientBundle::read(&read_bounded(&path)?).map_err(|error| error.context(path.display()))
}

/// Reads `server.zip` of a folder, or a zip file itself.
///
/// # Errors
/// As [`read_client`]; also `bundle_mixed` where the `client.zip` beside it belongs to another model.
pub fn read_server(path: &Path) -> Result<ServerBundle> {
    let file = if path.is_dir() { path.join("server.zip") } else { path.to_owned() };
    let read = || ServerBundle::read(&read_bounded(&file)?).map_err(|error| error.context(file.display()));
    let mut server = read()?;
    if path.is_dir() && path.join("client.zip").exists() {
        let client = read_client(path)?;
        if client.id != server.id {
            // The folder may have been replaced in between.
            server = read()?;
        }
        if client.id != server.id {
            return Err(Error::new(
                ErrorCode::BundleMixed,
                format!("{}: client.zip and server.zip are of different models", path.display()),
            )
            .hint("copy both files from one `fhectl create`"));
        }
    }
    Ok(server)
}

fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let size = fs::metadata(path).map_err(|error| io(path, &error))?.len();
    if size > MAX_ZIP_BYTES {
        return Err(super::format::invalid(format!("{}: {size} bytes, at most {MAX_ZIP_BYTES}", path.display()))
            .hint("it is not a bundle made by `fhectl create`"));
    }
    fs::read(path).map_err(|error| io(path, &error))
}

fn io(path: &Path, error: &std::io::Error) -> Error {
    let code = if error.kind() == std::io::ErrorKind::NotFound { ErrorCode::NotFound } else { ErrorCode::Io };
    Error::new(code, format!("{}: {error}", path.display())).hint("check the path and its permissions")
}
