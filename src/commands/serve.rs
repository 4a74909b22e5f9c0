//! `serve`: host models over HTTP.

use super::devices::open_devices;
use super::runtime::runtime;
use super::serve_args::{LogFormat, ServeArgs};
use super::serve_check;
use fhectl_core::error::Result;
use fhectl_server::server::{ServeConfig, Server, TokenSet, shutdown_signal};
use std::net::SocketAddr;
use tracing_subscriber::EnvFilter;

pub fn run(args: ServeArgs) -> Result<()> {
    if args.check {
        return serve_check::check(&args);
    }
    start_log(args.log_format);
    serve(&args, |url, metrics| {
        let drain = shutdown_signal();
        if let Some(address) = metrics {
            tracing::info!("metrics on http://{address}/metrics");
        }
        // The one line on stdout: scripts that ask for port 0 read where it went.
        crate::report::print_line!("listening on {url}");
        async {
            drain.await;
            // Whoever asks twice does not want to wait.
            tokio::spawn(async {
                shutdown_signal().await;
                std::process::exit(130);
            });
        }
    })
}

/// Serves until what `ready` returns is over, then drains. `ready` is given the server's URL and the address of its metrics,
/// once it has its port.
///
/// # Errors
/// What is wrong with files, models, store, devices and addresses.
pub fn serve<S: Future<Output = ()>>(
    args: &ServeArgs,
    ready: impl FnOnce(String, Option<SocketAddr>) -> S,
) -> Result<()> {
    let models = args.bundles()?;
    let access = args.access()?;
    if let Some((all, plain @ 1..)) = access.tokens.as_ref().map(TokenSet::counts) {
        tracing::warn!(
            all,
            plain,
            "tokens stand in the token file as they are; `fhectl token hash` makes hashes of them"
        );
    }
    if access.tokens.is_some() && access.row_budget.is_none() {
        tracing::warn!("no --row-budget: what answers tell of a model adds up, and a token may ask without end");
    }
    runtime()?.block_on(async {
        let store = args.open_store().await?;
        let mut config = args.configured(ServeConfig::new(models, args.listen, store));
        config.tokens = access.tokens;
        config.tls = access.tls;
        config.devices = open_devices(args.device())?;
        let server = Server::bind(config).await?;
        tracing::info!("computing on {}", server.computing_on());
        let url = format!("{}://{}", server.scheme(), server.local_addr());
        let shutdown = ready(url, server.metrics_addr());
        server.run(shutdown).await
    })
}

fn start_log(format: LogFormat) {
    let asked = std::env::var("FHECTL_LOG").ok().filter(|text| !text.is_empty());
    let filter = asked.and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(|| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => {
            let colors = std::env::var_os("NO_COLOR").is_none() && std::io::IsTerminal::is_terminal(&std::io::stderr());
            builder.with_ansi(colors).init();
        }
    }
}
