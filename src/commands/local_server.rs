//! A server on this machine, for commands that are given no `--url`.

use super::devices::{DeviceChoice, open_devices};
use super::runtime::runtime;
use crate::client::Http;
use fhectl_core::bundle::ServerBundle;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_server::server::{ServeConfig, Server};
use fhectl_server::store::KeyStore;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Starts a server for this run alone: on a free loopback port, with keys in memory. It ends with the process.
///
/// # Errors
/// `device_unavailable`, those of [`Server::bind`].
pub fn start(owner: ServerBundle, device: DeviceChoice) -> Result<Http> {
    let devices = open_devices(device)?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let serve = || -> Result<()> {
            runtime()?.block_on(async {
                let listen = ([127, 0, 0, 1], 0).into();
                let mut config = ServeConfig::new(vec![owner], listen, KeyStore::open("memory:").await?);
                // The only client prefers waiting to an error.
                config.max_backlog = Duration::from_secs(24 * 3600);
                config.max_queue = config.max_queue.max(1024);
                config.timing_headers = true;
                config.page = false;
                config.devices = devices;
                let server = Server::bind(config).await?;
                let _ = sender.send(Ok(server.local_addr()));
                server.run(std::future::pending()).await
            })
        };
        if let Err(error) = serve() {
            let _ = sender.send(Err(error));
        }
    });
    let address =
        receiver.recv().map_err(|_| Error::new(ErrorCode::Server, "the loopback server ended before it began"))??;
    Http::new(&format!("http://{address}"), None, Vec::new())
}
