//! Stores that speak S3.

use fhectl_core::error::{Error, ErrorCode, Result};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};
use std::sync::Arc;
use std::time::Duration;

/// A bucket, and where in it keys live. Credentials, endpoint and region are those of the `AWS_...` variables.
///
/// # Errors
/// `store_unsupported` where the variables do not make a client.
pub(super) fn open(bucket: &str, prefix: &Path) -> Result<Arc<dyn ObjectStore>> {
    // Whoever came first decided; reqwest only asks that somebody has.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            base: 2.0,
        },
        max_retries: 3,
        retry_timeout: Duration::from_secs(5),
    };
    let client = |key, value: &str| (AmazonS3ConfigKey::Client(key), value.to_owned());
    let limits = [
        client(ClientConfigKey::ConnectTimeout, "3 seconds"),
        client(ClientConfigKey::ReadTimeout, "10 seconds"),
        // The store's own timeout grows with the bytes that move; this one must not be shorter.
        client(ClientConfigKey::Timeout, "1 hour"),
        // Bulk deletes are what S3's relatives miss most often.
        (AmazonS3ConfigKey::DisableBulkDelete, "true".to_owned()),
    ];
    let builder = limits
        .into_iter()
        .fold(AmazonS3Builder::from_env(), |builder, (key, value)| builder.with_config(key, value))
        .with_bucket_name(bucket)
        .with_retry(retry);
    let s3 = builder.build().map_err(|error| {
        Error::new(ErrorCode::StoreUnsupported, format!("s3://{bucket}: {error}")).hint(
            "S3 is set up by AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL and AWS_ALLOW_HTTP",
        )
    })?;
    Ok(if prefix.as_ref().is_empty() { Arc::new(s3) } else { Arc::new(PrefixStore::new(s3, prefix.clone())) })
}
