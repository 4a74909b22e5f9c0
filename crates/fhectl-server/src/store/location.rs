//! Opening a store from what `--store` says.

use super::circuit_breaker::CircuitBreaker;
use super::key_store::KeyStore;
use super::objects::OPERATION_TIMEOUT;
use super::s3;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::Entropy;
use fhectl_core::fhe::random::OsEntropy;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

const SUPPORTED: &str = "name a folder, file:///folder, s3://bucket/prefix or memory:";

impl KeyStore {
    /// Opens `memory:`, `file:///folder`, a plain path, which is created where it is missing, or `s3://bucket/prefix`.
    ///
    /// Whatever it is, it is written to once. A folder is synced on every write from then on: what was acknowledged
    /// survives a crash.
    ///
    /// # Errors
    /// `store_unsupported` for a kind of store that this build does not know, `store_unwritable` where nothing can be
    /// written.
    pub async fn open(url: &str) -> Result<Self> {
        let location = parse(url)?;
        if let Location::Folder(folder) = &location {
            std::fs::create_dir_all(folder).map_err(|error| unwritable(url, &error))?;
        }
        let store = Self::connect(url, &location)?;
        match tokio::time::timeout(2 * OPERATION_TIMEOUT, store.probe()).await {
            Ok(Ok(creates)) => {
                if !creates {
                    tracing::info!("this store cannot create without replacing; it is asked before every write");
                }
                Ok(Self { creates, ..store })
            }
            Ok(Err(error)) => Err(unwritable(url, &error)),
            Err(_) => Err(unwritable(url, &format!("no answer within {} s", 2 * OPERATION_TIMEOUT.as_secs()))),
        }
    }

    /// Opens a store that a server keeps, without writing to it.
    ///
    /// # Errors
    /// `store_unsupported`; `store_missing` where there is no such folder, or nothing that outlives a server.
    pub async fn open_existing(url: &str) -> Result<Self> {
        let location = parse(url)?;
        let missing = |what: String| {
            Err(Error::new(ErrorCode::StoreMissing, what).hint("give the --store that the server was started with"))
        };
        match &location {
            Location::Memory => missing("memory: is inside a server and cannot be looked into".into()),
            Location::Folder(folder) if !folder.is_dir() => missing(format!("there is no folder {}", folder.display())),
            _ => Self::connect(url, &location),
        }
    }

    fn connect(url: &str, location: &Location) -> Result<Self> {
        Ok(match location {
            Location::Memory => Self::of(Arc::new(InMemory::new()), None, false),
            Location::Folder(folder) => {
                let files = LocalFileSystem::new_with_prefix(folder).map_err(|error| unwritable(url, &error))?;
                let files = files.with_fsync(true).with_automatic_cleanup(true);
                Self::of(Arc::new(files), Some(folder.clone()), false)
            }
            Location::S3 { bucket, prefix } => Self::of(s3::open(bucket, prefix)?, None, true),
        })
    }

    fn of(objects: Arc<dyn ObjectStore>, folder: Option<PathBuf>, remote: bool) -> Self {
        Self {
            objects,
            breaker: Arc::new(CircuitBreaker::new()),
            remote,
            folder: folder.map(Arc::new),
            key_ttl: None,
            creates: true,
        }
    }

    /// Writes a small object, tries to create it once more, and deletes it; tells whether the store knew that it was
    /// there. Some that speak S3 replace it (Garage), some refuse the condition.
    async fn probe(&self) -> object_store::Result<bool> {
        let random = u128::from_le_bytes(OsEntropy.seed().0);
        let at = Path::from(format!("probe-{random:032x}"));
        self.objects.put(&at, "fhectl can write here\n".into()).await?;
        let again = self.objects.put_opts(&at, "fhectl was here before\n".into(), PutMode::Create.into()).await;
        self.objects.delete(&at).await?;
        Ok(matches!(again, Err(object_store::Error::AlreadyExists { .. })))
    }
}

#[derive(Debug, PartialEq)]
enum Location {
    Memory,
    Folder(PathBuf),
    S3 { bucket: String, prefix: Path },
}

/// Whether a text names a store, without a look at what it names.
///
/// # Errors
/// `store_unsupported`.
pub fn check_location(url: &str) -> Result<()> {
    parse(url).map(drop)
}

fn parse(url: &str) -> Result<Location> {
    let unsupported = |what: String, hint: &str| Err(Error::new(ErrorCode::StoreUnsupported, what).hint(hint));
    if url == "memory:" || url == "memory://" {
        return Ok(Location::Memory);
    }
    if let Some(location) = url.strip_prefix("s3://") {
        let (bucket, prefix) = location.split_once('/').unwrap_or((location, ""));
        let named = !bucket.is_empty() && bucket.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        return match Path::parse(prefix) {
            Ok(prefix) if named => Ok(Location::S3 { bucket: bucket.to_owned(), prefix }),
            _ => unsupported(format!("`{url}` names no bucket and prefix"), "write s3://bucket or s3://bucket/prefix"),
        };
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
        return unsupported(format!("no store of kind `{scheme}://`"), SUPPORTED);
    }
    if url.is_empty() {
        return unsupported("the store has no name".into(), SUPPORTED);
    }
    Ok(Location::Folder(url.into()))
}

fn unwritable(url: &str, error: &dyn std::fmt::Display) -> Error {
    let hint = if url.starts_with("s3://") {
        "check the bucket, AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and \
         AWS_ALLOW_HTTP=true for an http:// endpoint)"
    } else {
        "give the folder to the user that fhectl runs as, or name another with --store"
    };
    Error::new(ErrorCode::StoreUnwritable, format!("evaluation keys cannot be stored in {url}: {error}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_store_says_is_understood() {
        assert_eq!(parse("memory:").unwrap(), Location::Memory);
        assert_eq!(parse("keys/here").unwrap(), Location::Folder("keys/here".into()));
        assert_eq!(parse("file:///var/keys%20x").unwrap(), Location::Folder("/var/keys x".into()));
        for (url, prefix) in [("s3://my-bucket", ""), ("s3://my-bucket/", ""), ("s3://my-bucket/a/b/", "a/b")] {
            let (bucket, prefix) = ("my-bucket".into(), prefix.into());
            assert_eq!(parse(url).unwrap(), Location::S3 { bucket, prefix });
        }
        for other in ["s3://", "s3:///a", "s3://b/../x", "s3://a b/c", "gs://bucket", "file://host/share", ""] {
            let error = parse(other).unwrap_err();
            assert_eq!(error.code, ErrorCode::StoreUnsupported, "{other}");
            assert!(error.hint.is_some());
        }
    }
}
