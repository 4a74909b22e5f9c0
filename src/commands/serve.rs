//! `serve`: host models over HTTP.

use super::units::{parse_duration, parse_size};
use crate::bundle::{ServerBundle, folder};
use crate::error::{Error, Result};
use crate::server::{KeyPolicy, ServeConfig, Server, TokenSet, shutdown_signal};
use crate::store::{KeyStore, Quota};
use clap::Args;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Host models over HTTP.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fhectl serve                                          every model of ./compiled_model on 127.0.0.1:8000
  fhectl serve compiled_model/tree-spam --listen 0.0.0.0:8000 --token-file tokens.txt
  fhectl serve --store /var/lib/fhectl --cache-size 8GiB --log-format json
  fhectl serve --store s3://keys/fhectl --key-ttl 30days --key-quota 20    one of many, sharing keys

Keys of clients are kept in --store and survive a restart. SIGTERM drains: what was accepted is answered.")]
pub struct ServeArgs {
    /// Folders of models [default: every model in --models]
    #[arg(value_name = "MODEL_DIR")]
    models_given: Vec<PathBuf>,
    /// The folder whose models are served
    #[arg(long, env = "FHECTL_MODELS", default_value = "compiled_model", value_name = "DIR")]
    models: PathBuf,
    /// Address and port; port 0 takes a free one
    #[arg(long, env = "FHECTL_LISTEN", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// Where evaluation keys are kept: a folder, file:///..., s3://bucket/prefix (with the AWS_... variables), or
    /// memory:
    #[arg(long, env = "FHECTL_STORE", default_value = "store", value_name = "URL")]
    store: String,
    /// Memory for evaluation keys, those on their way in included
    #[arg(long, env = "FHECTL_CACHE_SIZE", default_value = "4GiB", value_parser = parse_size)]
    cache_size: u64,
    /// Threads that compute [default: one a core]
    #[arg(long, env = "FHECTL_THREADS")]
    threads: Option<usize>,
    /// Bearer tokens that are let in, one a line; without it everyone is
    #[arg(long, env = "FHECTL_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Requests that may wait for the compute threads; more are told to come back later [default: 64 a thread]
    #[arg(long, env = "FHECTL_MAX_QUEUE")]
    max_queue: Option<usize>,
    #[command(flatten)]
    keys: KeyArgs,
    /// How log lines look
    #[arg(long, env = "FHECTL_LOG_FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
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
enum LogFormat {
    Text,
    Json,
}

pub fn run(args: ServeArgs) -> Result<()> {
    start_log(args.log_format);
    let models = if args.models_given.is_empty() {
        load_all(&args.models)?
    } else {
        args.models_given.iter().map(|path| folder::read_server(path)).collect::<Result<_>>()?
    };
    let tokens = args.token_file.as_deref().map(TokenSet::from_file).transpose()?;
    runtime()?.block_on(async {
        let store = KeyStore::open(&args.store).await?.with_key_ttl(args.keys.key_ttl);
        let mut config = ServeConfig::new(models, args.listen, store);
        config.keys = args.keys.policy();
        config.cache_bytes = args.cache_size;
        config.tokens = tokens;
        config.threads = args.threads.unwrap_or(config.threads).max(1);
        config.max_queue = args.max_queue.unwrap_or(config.max_queue);
        let server = Server::bind(config).await?;
        let drain = shutdown_signal();
        // The one line on stdout: scripts that ask for port 0 read where it went.
        super::say!("listening on http://{}", server.local_addr());
        server
            .run(async {
                drain.await;
                // Whoever asks twice does not want to wait.
                tokio::spawn(async {
                    shutdown_signal().await;
                    std::process::exit(130);
                });
            })
            .await
    })
}

/// The runtime that sockets live on; computing has threads of its own.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Error::fault("runtime", error.to_string()))
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("FHECTL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => {
            let colours =
                std::env::var_os("NO_COLOR").is_none() && std::io::IsTerminal::is_terminal(&std::io::stderr());
            builder.with_ansi(colours).init();
        }
    }
}

fn load_all(models: &Path) -> Result<Vec<ServerBundle>> {
    let entries = fs::read_dir(models).map_err(|error| {
        Error::user("models_missing", format!("{}: {error}", models.display()))
            .hint("make a model with `fhectl create`, or say where they are with --models")
    })?;
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.join("server.zip").exists()).collect();
    folders.sort();
    if folders.is_empty() {
        return Err(Error::user("models_missing", format!("{} holds no model", models.display()))
            .hint("make one with `fhectl create`, or say where they are with --models"));
    }
    folders.iter().map(|path| folder::read_server(path)).collect()
}
