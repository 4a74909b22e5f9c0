//! A computing device made of the processor, which counts what it does and fails as it is told.

use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::backend::{Backend, Group};
use fhectl_core::fhe::cpu::{Cpu, CpuKey, evaluate};
use fhectl_core::fhe::layer::Layer;
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::part::PartParams;
use fhectl_core::fhe::{GlweShape, Random};
use fhectl_server::device::{BackendDevice, Device, Opened};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// What a device is asked, the how manyth time, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Open(usize),
    Load(usize),
    Launch(usize),
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Work,
    Fail,
    Panic,
    /// Until [`Fake::release`].
    Hang,
    /// Its memory is full.
    Full,
}

/// What a device did, and what it is to do.
pub struct Fake {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    plan: Box<dyn FnMut(Call) -> Act + Send>,
    /// Launches that may begin; none while they are held.
    held: bool,
    released: bool,
    opened: usize,
    loads: usize,
    /// Keys in its memory.
    alive: usize,
    most_alive: usize,
    /// Numbers of keys, in the order in which they were loaded, with rows.
    launches: Vec<Vec<(usize, usize)>>,
}

impl Fake {
    pub fn new(plan: impl FnMut(Call) -> Act + Send + 'static) -> Arc<Self> {
        let state = State {
            plan: Box::new(plan),
            held: false,
            released: false,
            opened: 0,
            loads: 0,
            alive: 0,
            most_alive: 0,
            launches: Vec::new(),
        };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    /// A device that works.
    pub fn well() -> Arc<Self> {
        Self::new(|_| Act::Work)
    }

    /// The device of this name, with memory for so many keys.
    pub fn device(self: &Arc<Self>, name: &str, keys: usize) -> Arc<dyn Device> {
        Arc::new(self.on_backend(name, keys))
    }

    /// The same, which a server starts without where it cannot be opened.
    pub fn optional_device(self: &Arc<Self>, name: &str, keys: usize) -> Arc<dyn Device> {
        Arc::new(self.on_backend(name, keys).optional())
    }

    fn on_backend(self: &Arc<Self>, name: &str, keys: usize) -> BackendDevice<FakeBackend> {
        let own = self.clone();
        let open = move || {
            let call = {
                let mut state = own.lock();
                state.opened += 1;
                Call::Open(state.opened - 1)
            };
            own.act(call)?;
            let backend = FakeBackend(own.clone());
            Ok(Opened { backend, description: "made for tests".into(), key_memory: keys })
        };
        BackendDevice::new(name, open).out_of_memory(|error| error.message == "full")
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn act(&self, call: Call) -> Result<()> {
        let mut state = self.lock();
        let act = (state.plan)(call);
        match act {
            Act::Work => Ok(()),
            Act::Fail => Err(Error::new(ErrorCode::DeviceFailed, "it fell off the bus")),
            Act::Full => Err(Error::new(ErrorCode::DeviceFailed, "full")),
            Act::Panic => {
                drop(state);
                panic!("on purpose")
            }
            Act::Hang => {
                drop(self.changed.wait_while(state, |state| !state.released).unwrap());
                Ok(())
            }
        }
    }

    /// Holds launches from now on.
    pub fn hold(&self) {
        self.lock().held = true;
    }

    pub fn go_on(&self) {
        self.lock().held = false;
        self.changed.notify_all();
    }

    /// Ends all that hangs.
    pub fn release(&self) {
        self.lock().released = true;
        self.changed.notify_all();
    }

    pub fn opened(&self) -> usize {
        self.lock().opened
    }

    pub fn loads(&self) -> usize {
        self.lock().loads
    }

    pub fn alive(&self) -> usize {
        self.lock().alive
    }

    pub fn most_alive(&self) -> usize {
        self.lock().most_alive
    }

    /// For each launch that was begun, keys by number with rows.
    pub fn launches(&self) -> Vec<Vec<(usize, usize)>> {
        self.lock().launches.clone()
    }

    /// Rows of all launches.
    pub fn rows(&self) -> usize {
        self.launches().iter().flatten().map(|(_, rows)| rows).sum()
    }
}

struct FakeBackend(Arc<Fake>);

struct FakeKey {
    key: CpuKey,
    number: usize,
    fake: Arc<Fake>,
}

impl Drop for FakeKey {
    fn drop(&mut self) {
        self.fake.lock().alive -= 1;
    }
}

impl Backend for FakeBackend {
    type Program = Arc<[Layer]>;
    type Key = FakeKey;

    fn supports(&self, _: &[PartParams], _: &[Layer]) -> bool {
        true
    }

    fn load_program(&self, layers: &Arc<[Layer]>) -> Result<Self::Program> {
        Ok(layers.clone())
    }

    /// Memory is counted in keys.
    fn key_bytes(&self, _: &[PartParams], _: Option<GlweShape>) -> usize {
        1
    }

    fn load_key(
        &self,
        parts: &[PartParams],
        public: Option<GlweShape>,
        wire: &[u8],
        shuffle: Option<&mut Random>,
    ) -> Result<FakeKey> {
        let number = {
            let mut state = self.0.lock();
            state.loads += 1;
            state.loads - 1
        };
        self.0.act(Call::Load(number))?;
        let key = Cpu.load_key(parts, public, wire, shuffle)?;
        let mut state = self.0.lock();
        state.alive += 1;
        state.most_alive = state.most_alive.max(state.alive);
        drop(state);
        Ok(FakeKey { key, number, fake: self.0.clone() })
    }

    fn evaluate(&self, layers: &Arc<[Layer]>, groups: &[Group<'_, FakeKey>]) -> Result<Vec<LweList>> {
        let number = {
            let mut state = self.0.lock();
            state.launches.push(groups.iter().map(|group| (group.key.number, group.rows.len())).collect());
            let number = state.launches.len() - 1;
            drop(self.0.changed.wait_while(state, |state| state.held).unwrap());
            number
        };
        self.0.act(Call::Launch(number))?;
        groups.iter().map(|group| evaluate(layers, &group.key.key, &group.rows, &group.zeros)).collect()
    }
}
