//! The arguments of `serve`, and the configuration that they make.

use super::built_in::{BUILT_IN, BuiltIn};
use super::devices::DeviceChoice;
use super::locate::path_of;
use super::units::{Rate, parse_duration, parse_listen, parse_origin, parse_rate, parse_size};
use clap::Args;
use fhectl_core::bundle::{ServerBundle, folder};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_server::server::{KeyPolicy, RateLimit, ServeConfig, TlsIdentity, TokenSet, check_row_budget};
use fhectl_server::store::{KeyStore, Quota};
use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Host models over HTTP.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl serve                                          every model of ./compiled_model on 127.0.0.1:8000
  fhectl serve compiled_model/tree-spam --listen 0.0.0.0:8000 --token-file tokens.txt
  fhectl serve tree-spam --listen 8001                  one of `fhectl models`, on 127.0.0.1:8001
  fhectl serve --tls-cert chain.pem --tls-key key.pem --rate-limit 20/s --metrics-listen 127.0.0.1:9100
  fhectl serve --token-file tokens.txt --row-budget 1048576    rows that a token may ever ask of a model
  fhectl serve --check                                  could it run as configured?
  fhectl serve --store /var/lib/fhectl --cache-size 8GiB --log-format json
  fhectl serve --store s3://keys/fhectl --key-ttl 30days --key-quota 20    one of many, sharing keys

Keys of clients are kept in --store and survive a restart. SIGTERM drains: what was accepted is answered.")]
pub struct ServeArgs {
    /// Models: folders, or names that `fhectl models` lists [default: every model in --models]
    #[arg(value_name = "MODEL")]
    models_given: Vec<String>,
    /// The folder whose models are served, or one model's
    #[arg(long, env = "FHECTL_MODELS", default_value = "compiled_model", value_name = "DIR")]
    models: PathBuf,
    /// Address and port: 0.0.0.0:8000, localhost:8000, or a port of 127.0.0.1; port 0 takes a free one
    #[arg(long, env = "FHECTL_LISTEN", default_value = "127.0.0.1:8000", value_parser = parse_listen)]
    pub listen: SocketAddr,
    /// Where evaluation keys are kept: a folder, file:///..., s3://bucket/prefix (with the AWS_... variables), or
    /// memory:
    #[arg(long, env = "FHECTL_STORE", default_value = "store", value_name = "URL")]
    pub store: String,
    /// Memory for evaluation keys, those on their way in included
    #[arg(long, env = "FHECTL_CACHE_SIZE", default_value = "4GiB", value_parser = parse_size)]
    cache_size: u64,
    /// Threads that compute [default: one a core]
    #[arg(long, env = "FHECTL_THREADS")]
    threads: Option<usize>,
    /// Requests that may wait for the compute threads; more are told to come back later [default: 128 a thread]
    #[arg(long, env = "FHECTL_MAX_QUEUE")]
    max_queue: Option<usize>,
    #[command(flatten)]
    keys: KeyArgs,
    /// Check configuration, models, store, tokens and certificate, report, and exit: 0 where a server could run
    #[arg(long, env = "FHECTL_CHECK")]
    pub check: bool,
    /// How log lines look
    #[arg(long, env = "FHECTL_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,

    #[command(flatten)]
    tls: TlsArgs,
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    rate: RateLimitArgs,
    #[command(flatten)]
    browsers: BrowserArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Encryption of connections.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
struct TlsArgs {
    /// TLS: the certificate chain (PEM), read again when it changes
    #[arg(long, env = "FHECTL_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// TLS: the certificate's private key (PEM)
    #[arg(long, env = "FHECTL_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

/// Who is let in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Authentication")]
struct AuthArgs {
    /// Bearer tokens that are let in, one hash a line (`fhectl token new`); read again when it changes; without it
    /// everyone is let in
    #[arg(long, env = "FHECTL_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// How much one client may ask.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rate limits")]
struct RateLimitArgs {
    /// Requests of one token (without tokens: of one address): 10/s or 100/m
    #[arg(long, env = "FHECTL_RATE_LIMIT", value_name = "N/s", value_parser = parse_rate)]
    rate_limit: Option<Rate>,
    /// Requests that may come at once within --rate-limit [default: one second's, at least 10]
    #[arg(long, env = "FHECTL_RATE_BURST", value_name = "N", requires = "rate_limit")]
    rate_burst: Option<NonZeroU32>,
    /// Rows that one token may ask of one model, on all servers of --store together; what answers tell of a model adds
    /// up. `fhectl budgets` shows and resets it [default: any number]
    #[arg(long, env = "FHECTL_ROW_BUDGET", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    row_budget: Option<u64>,
}

/// What browsers get.
#[derive(Debug, Args)]
#[command(next_help_heading = "Browsers")]
struct BrowserArgs {
    /// An origin whose pages may use this server from a browser, e.g. https://app.example.com; repeatable
    #[arg(long, env = "FHECTL_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = parse_origin)]
    cors_origin: Vec<String>,
    /// Leave out the page that browsers get at /: models in a form, encrypted in the tab
    #[arg(long, env = "FHECTL_NO_PAGE")]
    no_page: bool,
}

/// What operators and clients are told.
#[derive(Debug, Args)]
#[command(next_help_heading = "Telemetry")]
struct TelemetryArgs {
    /// Say in replies how long they waited and computed (x-fhectl-queue-us, x-fhectl-compute-us); computing tells
    /// clients how large a model is
    #[arg(long, env = "FHECTL_TIMING_HEADERS")]
    timing_headers: bool,
    /// Where Prometheus finds /metrics, e.g. 127.0.0.1:9100
    #[arg(long, env = "FHECTL_METRICS_LISTEN", value_name = "ADDRESS", value_parser = parse_listen)]
    metrics_listen: Option<SocketAddr>,
}

/// How much is taken in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
struct LoadArgs {
    /// The longest predicted wait for a compute thread that a request is accepted with
    #[arg(long, env = "FHECTL_MAX_BACKLOG", default_value = "10s", value_parser = parse_duration)]
    max_backlog: Duration,
    /// The longest that an inference may wait and compute [default: as long as it takes]
    #[arg(long, env = "FHECTL_DEADLINE", value_parser = parse_duration)]
    deadline: Option<Duration>,
    /// Memory for requests and replies in flight
    #[arg(long, env = "FHECTL_BODY_MEMORY", default_value = "1GiB", value_parser = parse_size)]
    body_memory: u64,
}

/// What computes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Devices")]
struct DeviceArgs {
    /// What computes: auto (every CUDA device that can be used, or else the processor), cpu, cuda:N, or cuda:all. What a
    /// device cannot compute, and all while it fails, the processor computes
    #[arg(long, env = "FHECTL_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
    /// How long a row waits for others before a device that is free computes it. Rows that come while the device works go
    /// together anyway
    #[arg(long, env = "FHECTL_GATHER", default_value = "0s", value_parser = parse_duration, value_name = "TIME")]
    gather: Duration,
}

impl TlsArgs {
    /// # Errors
    /// What is wrong with the files.
    fn read(&self) -> Result<Option<TlsIdentity>> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => TlsIdentity::from_files(cert, key).map(Some),
            _ => Ok(None),
        }
    }
}

impl AuthArgs {
    /// # Errors
    /// What is wrong with the file.
    fn read(&self) -> Result<Option<TokenSet>> {
        self.token_file.as_deref().map(TokenSet::from_file).transpose()
    }
}

impl RateLimitArgs {
    fn rate(&self) -> Option<RateLimit> {
        let rate = self.rate_limit?;
        let a_second = (1.0 / rate.every.as_secs_f64()).ceil().clamp(10.0, 1e9) as u32;
        let burst = self.rate_burst.or(NonZeroU32::new(a_second))?;
        Some(RateLimit { every: rate.every, burst })
    }
}

/// Who is let in and how, read from the files that flags name.
pub struct Access {
    pub tokens: Option<TokenSet>,
    pub tls: Option<TlsIdentity>,
    /// Rows that one token may ask of one model.
    pub row_budget: Option<u64>,
}

impl ServeArgs {
    /// The models' halves.
    ///
    /// # Errors
    /// `models_none`, or what is wrong with one.
    pub fn bundles(&self) -> Result<Vec<ServerBundle>> {
        if self.models_given.is_empty() {
            return load_all(&self.models);
        }
        self.models_given.iter().map(|model| load(model, &self.models)).collect()
    }

    /// Tokens and certificate.
    ///
    /// # Errors
    /// What is wrong with the files, `row_budget_tokens`.
    pub fn access(&self) -> Result<Access> {
        let row_budget = self.rate.row_budget;
        check_row_budget(row_budget, self.auth.token_file.is_some())?;
        Ok(Access { tokens: self.auth.read()?, tls: self.tls.read()?, row_budget })
    }

    /// The store, with the keys' time to live.
    ///
    /// # Errors
    /// Those of a store that cannot be used.
    pub async fn open_store(&self) -> Result<KeyStore> {
        Ok(KeyStore::open(&self.store).await?.with_key_ttl(self.keys.key_ttl))
    }

    /// What computes.
    pub fn device(&self) -> DeviceChoice {
        self.device.device
    }

    /// A configuration with everything that needs no file and no device.
    pub fn configured(&self, mut config: ServeConfig) -> ServeConfig {
        config.keys = self.keys.policy();
        config.cache_bytes = self.cache_size;
        config.threads = self.threads.unwrap_or(config.threads).max(1);
        config.max_queue = self.max_queue.unwrap_or(128 * config.threads);

        config.rate_limit = self.rate.rate();
        config.row_budget = self.rate.row_budget;
        config.timing_headers = self.telemetry.timing_headers;
        config.cors_origins.clone_from(&self.browsers.cors_origin);
        config.page = !self.browsers.no_page;
        config.metrics_listen = self.telemetry.metrics_listen;
        config.max_backlog = self.load.max_backlog;
        config.deadline = self.load.deadline;
        config.body_bytes = self.load.body_memory;
        config.gather = self.device.gather;
        config
    }
}

/// How evaluation keys are kept.
#[derive(Debug, Args)]
struct KeyArgs {
    /// Delete keys so long after they were completed; clients bring theirs again by themselves [default: never]
    #[arg(long, env = "FHECTL_KEY_TTL", value_parser = parse_duration, value_name = "TIME")]
    key_ttl: Option<Duration>,
    /// Keys that one token may store [default: any number]
    #[arg(long, env = "FHECTL_KEY_QUOTA", value_name = "N")]
    key_quota: Option<u64>,
    /// Bytes of keys that one token may store [default: any number]
    #[arg(long, env = "FHECTL_KEY_QUOTA_BYTES", value_parser = parse_size, value_name = "SIZE")]
    key_quota_bytes: Option<u64>,
    /// A key that was deleted anywhere stops working here within this time
    #[arg(long, env = "FHECTL_REVALIDATE", default_value = "10s", value_parser = parse_duration, value_name = "TIME")]
    revalidate: Duration,
    /// How long keys in memory go on working while --store cannot be reached
    #[arg(long, env = "FHECTL_STORE_GRACE", default_value = "15m", value_parser = parse_duration, value_name = "TIME")]
    store_grace: Duration,
    /// Drop uploads of which nothing came for so long
    #[arg(long, env = "FHECTL_UPLOAD_TTL", default_value = "24h", value_parser = parse_duration, value_name = "TIME")]
    upload_ttl: Duration,
}

impl KeyArgs {
    fn policy(&self) -> KeyPolicy {
        KeyPolicy {
            revalidate: self.revalidate,
            grace: self.store_grace,
            upload_ttl: self.upload_ttl,
            quota: Quota { keys: self.key_quota, bytes: self.key_quota_bytes },
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// One model, by its folder or its name.
fn load(model: &str, models: &Path) -> Result<ServerBundle> {
    let path = path_of(model, models);
    match BuiltIn::named(model) {
        Some(built_in) if !path.exists() => built_in.server(),
        // What was meant as a path is named as it was given.
        None if !path.exists() => folder::read_server(Path::new(model)),
        _ => folder::read_server(&path),
    }
}

fn load_all(models: &Path) -> Result<Vec<ServerBundle>> {
    let missing = |what: String| {
        let built_in: Vec<&str> = BUILT_IN.iter().map(|model| model.name).collect();
        Error::new(ErrorCode::ModelsMissing, what).hint(format!(
            "make a model with `fhectl create`, say where they are with --models, or name one of those that are built in: {}",
            built_in.join(", ")
        ))
    };
    fs::read_dir(models).map_err(|error| missing(format!("{}: {error}", models.display())))?;
    if models.join("server.zip").exists() {
        return Ok(vec![folder::read_server(models)?]);
    }
    let folders = folder::below(models, "server.zip");
    if folders.is_empty() {
        return Err(missing(format!("{} holds no model", models.display())));
    }
    folders.iter().map(|path| folder::read_server(path)).collect()
}
