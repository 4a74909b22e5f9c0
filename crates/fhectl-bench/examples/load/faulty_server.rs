//! A server in this process whose device fails now and then.

use fhectl_core::bundle::ServerBundle;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::backend::{Backend, Group};
use fhectl_core::fhe::layer::Layer;
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::part::PartParams;
use fhectl_core::fhe::{GlweShape, Random};
use fhectl_cuda::Device;
use fhectl_server::device::{BackendDevice, Opened};
use fhectl_server::server::{ServeConfig, Server};
use fhectl_server::store::KeyStore;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What a server does until the process ends.
pub struct FaultyServer {
    pub url: String,
    pub faults: Arc<Faults>,
}

/// When the device fails.
pub struct Faults {
    every: Duration,
    next: Mutex<Instant>,
    /// So often it did.
    pub count: AtomicUsize,
}

impl FaultyServer {
    /// Serves on a free loopback port, with the first CUDA device. Of evaluations that end after so long a time since the last
    /// fault, one fails: what it computed is lost, and the server gives the device up.
    ///
    /// # Errors
    /// `device_unavailable`, and those of the server.
    pub fn start(models: Vec<ServerBundle>, every: Duration) -> Result<Self> {
        let faults = Arc::new(Faults { every, next: Mutex::new(Instant::now() + every), count: AtomicUsize::new(0) });
        let (sender, receiver) = channel();
        let own = faults.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
            let served = runtime.block_on(async {
                let mut config = ServeConfig::new(models, ([127, 0, 0, 1], 0).into(), KeyStore::open("memory:").await?);
                config.devices = vec![Arc::new(
                    BackendDevice::new("cuda:0", move || {
                        let device = Device::open(0)?;
                        let (description, key_memory) = (device.name().to_owned(), device.key_memory()?);
                        Ok(Opened { backend: Faulty { device, faults: own.clone() }, description, key_memory })
                    })
                    .out_of_memory(fhectl_cuda::is_out_of_memory),
                )];
                let server = Server::bind(config).await?;
                let _ = sender.send(Ok(format!("http://{}", server.local_addr())));
                server.run(std::future::pending()).await
            });
            if let Err(error) = served {
                let _ = sender.send(Err(error));
            }
        });
        let url = receiver.recv().map_err(|_| Error::new(ErrorCode::Server, "the server ended before it began"))??;
        Ok(Self { url, faults })
    }
}

impl Faults {
    /// Whether one is due; then it is for the caller.
    fn is_due(&self) -> bool {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let due = Instant::now() >= *next;
        if due {
            *next = Instant::now() + self.every;
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        due
    }
}

/// The device, with faults.
struct Faulty {
    device: Device,
    faults: Arc<Faults>,
}

impl Backend for Faulty {
    type Program = <Device as Backend>::Program;
    type Key = <Device as Backend>::Key;

    fn supports(&self, parts: &[PartParams], layers: &[Layer]) -> bool {
        self.device.supports(parts, layers)
    }

    fn load_program(&self, layers: &Arc<[Layer]>) -> Result<Self::Program> {
        self.device.load_program(layers)
    }

    fn key_bytes(&self, parts: &[PartParams], public: Option<GlweShape>) -> usize {
        self.device.key_bytes(parts, public)
    }

    fn load_key(
        &self,
        parts: &[PartParams],
        public: Option<GlweShape>,
        wire: &[u8],
        shuffle: Option<&mut Random>,
    ) -> Result<Self::Key> {
        self.device.load_key(parts, public, wire, shuffle)
    }

    fn evaluate(&self, program: &Self::Program, groups: &[Group<'_, Self::Key>]) -> Result<Vec<LweList>> {
        let outputs = self.device.evaluate(program, groups)?;
        if self.faults.is_due() {
            return Err(Error::new(ErrorCode::DeviceFailed, "an injected fault"));
        }
        Ok(outputs)
    }

    fn release_unused(&self) {
        Backend::release_unused(&self.device);
    }

    fn give_up(&self, reason: &str) {
        Backend::give_up(&self.device, reason);
    }
}
