//! Opening a store from what `--store` says.

use super::KeyStore;
use crate::error::{Error, Result};
use object_store::ObjectStoreExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

impl KeyStore {
    /// Opens `memory:`, `file:///folder` or a plain path, which is created where it is missing.
    ///
    /// A folder is written to once and synced on every write from then on: what was acknowledged survives a crash.
    ///
    /// # Errors
    /// `store_unsupported` for a kind of store that this build does not know, `store_unwritable` where nothing can be
    /// written.
    pub async fn open(url: &str) -> Result<Self> {
        let store = match parse(url)? {
            Location::Memory => Self { objects: Arc::new(InMemory::new()) },
            Location::Folder(folder) => {
                let unwritable = |error: &dyn std::fmt::Display| unwritable(&folder, error);
                std::fs::create_dir_all(&folder).map_err(|error| unwritable(&error))?;
                let files = LocalFileSystem::new_with_prefix(&folder).map_err(|error| unwritable(&error))?;
                let store = Self { objects: Arc::new(files.with_fsync(true)) };
                store.probe().await.map_err(|error| unwritable(&error))?;
                store
            }
        };
        Ok(store)
    }

    /// Writes a small object and deletes it again.
    async fn probe(&self) -> object_store::Result<()> {
        let at = Path::from(format!("probe-{}", std::process::id()));
        self.objects.put(&at, "fhectl can write here\n".into()).await?;
        self.objects.delete(&at).await
    }
}

#[derive(Debug, PartialEq)]
enum Location {
    Memory,
    Folder(PathBuf),
}

fn parse(url: &str) -> Result<Location> {
    let unsupported = |what: String, hint: &str| Err(Error::user("store_unsupported", what).hint(hint));
    if url == "memory:" || url == "memory://" {
        return Ok(Location::Memory);
    }
    if url.starts_with("s3://") {
        return unsupported(
            "this build has no S3 support".into(),
            "name a folder or file:///folder; several servers can share one over a network file system",
        );
    }
    if url.starts_with("file:") {
        let path = Url::parse(url).ok().and_then(|url| url.to_file_path().ok());
        return match path {
            Some(path) => Ok(Location::Folder(path)),
            None => {
                unsupported(format!("`{url}` names no folder"), "write file:///absolute/folder, with three slashes")
            }
        };
    }
    if let Some((scheme, _)) = url.split_once("://") {
        return unsupported(format!("no store of kind `{scheme}://`"), "name a folder, file:///folder or memory:");
    }
    if url.is_empty() {
        return unsupported("the store has no name".into(), "name a folder, file:///folder or memory:");
    }
    Ok(Location::Folder(url.into()))
}

fn unwritable(folder: &std::path::Path, error: &dyn std::fmt::Display) -> Error {
    Error::user("store_unwritable", format!("evaluation keys cannot be stored in {}: {error}", folder.display()))
        .hint("give the folder to the user that fhectl runs as, or name another with --store")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_store_says_is_understood() {
        assert_eq!(parse("memory:").unwrap(), Location::Memory);
        assert_eq!(parse("keys/here").unwrap(), Location::Folder("keys/here".into()));
        assert_eq!(parse("file:///var/keys%20x").unwrap(), Location::Folder("/var/keys x".into()));
        for other in ["s3://bucket/prefix", "gs://bucket", "file://host/share", ""] {
            let error = parse(other).unwrap_err();
            assert_eq!(error.code, "store_unsupported", "{other}");
            assert!(error.hint.is_some());
        }
    }
}
