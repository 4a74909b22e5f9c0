//! The devices of a server, and the way of a request through one of them.

use super::homes::{Candidate, Homes};
use super::launcher;
use super::queue::LaunchQueue;
use super::rows::Rows;
use super::running_device::{DeviceTerms, RunningDevice};
use crate::device::{Device, computing_on, described, unless_optional};
use crate::server::answered::{Answered, Missed};
use crate::server::batch::EncryptedBatch;
use crate::server::budgets::Charge;
use crate::server::compute::Permit;
use crate::server::device_metrics::DeviceMetrics;
use crate::server::fair_queue::{FlowId, Limits};
use crate::server::models::Models;
use crate::store::Reservation;
use fhectl_core::bundle::ModelId;
use fhectl_core::error::Result;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What a fleet is started with.
pub(in crate::server) struct FleetConfig {
    pub devices: Vec<Arc<dyn Device>>,
    /// How long the first row of a launch waits for others.
    pub gather: Duration,
    /// Bootstraps of a launch.
    pub bootstraps: usize,
    /// The longest that a call of a device may take.
    pub limit: Duration,
    /// Threads for the host's share of each device's launches.
    pub threads: usize,
    /// Requests that may wait for a device.
    pub max_queue: usize,
    /// The longest predicted wait that one is accepted with.
    pub max_backlog: Duration,
}

/// The devices of a server; none where the processor computes everything.
pub(in crate::server) struct Fleet {
    units: Vec<Unit>,
    /// Places of the models that some device computed when it was opened.
    models: HashMap<ModelId, usize>,
    homes: Arc<Homes>,
    metrics: Arc<DeviceMetrics>,
}

struct Unit {
    device: Arc<RunningDevice>,
    queue: Arc<LaunchQueue<Arc<Rows>>>,
}

/// A request's way to a device.
pub(in crate::server) struct DeviceRequest {
    pub batch: Arc<EncryptedBatch>,
    pub flow: FlowId,
    pub charge: Option<Charge>,
    /// For the answers, until they are framed.
    pub memory: Reservation,
}

/// A device's consent to compute rows.
pub(in crate::server) struct Place {
    unit: usize,
    model: usize,
    permit: super::queue::LaunchPermit<Arc<Rows>>,
}

impl Fleet {
    /// Opens all devices and starts their launchers.
    ///
    /// # Errors
    /// `device_unavailable`, `device_failed`, `threads`.
    pub fn open(config: FleetConfig, models: &Models, metrics: Arc<DeviceMetrics>) -> Result<Self> {
        let ids: Vec<ModelId> = models.all().map(|model| *model.id()).collect();
        let homes = Arc::<Homes>::default();
        let terms = DeviceTerms {
            models: models.all().map(|model| model.evaluator.clone()).collect(),
            threads: config.threads,
            bootstraps: config.bootstraps,
            limit: config.limit,
            homes: homes.clone(),
            metrics: metrics.clone(),
        };
        let mut own = Self { units: Vec::new(), models: HashMap::new(), homes, metrics };
        for device in config.devices {
            let opened = RunningDevice::open(device.clone(), own.units.len(), terms.clone());
            let Some(device) = unless_optional(&*device, opened)? else { continue };
            let max_wait = config.max_backlog.as_secs_f64();
            let limits = Limits { threads: 1, permits: config.max_queue.saturating_add(1), max_wait };
            let queue = Arc::new(LaunchQueue::new(limits, config.gather));
            own.units.push(Unit { device: device.clone(), queue: queue.clone() });
            launcher::start(&device, &queue)?;
            let Some(session) = device.session() else { continue };
            let computed = ids.iter().enumerate().filter(|(model, _)| session.model(*model).is_some());
            own.models.extend(computed.map(|(model, id)| (*id, model)));
            let (description, key_memory) = (session.description(), session.keys().bound());
            tracing::info!(device = device.name(), description, key_memory, "a device is open");
        }
        Ok(own)
    }

    /// Whether some device computed a model when it was opened: its keys are to be ready for loading.
    pub fn knows(&self, model: &ModelId) -> bool {
        self.models.contains_key(model)
    }

    /// Devices that are up and compute a model.
    fn candidates(&self, model: usize) -> Vec<Candidate> {
        let all = self.units.iter().enumerate();
        let up = all.filter_map(|(device, unit)| {
            let session = unit.device.session()?;
            let bytes = session.model(model)?.key_bytes;
            Some(Candidate { device, key_memory: session.keys().bound(), bytes })
        });
        up.collect()
    }

    /// Whether some device computes a model now.
    pub fn computes(&self, model: &ModelId) -> bool {
        self.models.get(model).is_some_and(|model| !self.candidates(*model).is_empty())
    }

    /// What computes a model now, for people.
    pub fn computed_on(&self, model: &ModelId) -> String {
        let candidates = self.models.get(model).map(|model| self.candidates(*model)).unwrap_or_default();
        computing_on(candidates.into_iter().filter_map(|candidate| self.units[candidate.device].described()))
    }

    /// What computes, for people.
    pub fn described(&self) -> String {
        computing_on(self.units.iter().filter_map(Unit::described))
    }

    /// Takes rows on, for the device that has their key or is to have it. None where no device is up that could.
    ///
    /// # Errors
    /// `busy`, `deadline`.
    pub fn admit(self: &Arc<Self>, batch: &EncryptedBatch, flow: &FlowId, permit: &Permit) -> Result<Option<Place>> {
        let Some(model) = self.models.get(batch.model_id()).copied() else { return Ok(None) };
        let key = batch.key();
        let Some(unit) = self.homes.settle(key.number(), &self.candidates(model)) else { return Ok(None) };
        key.accompany(|| Box::new(Departure { fleet: Arc::downgrade(self), number: key.number() }));
        let Unit { device, queue } = &self.units[unit];
        let seconds = batch.rows as f64 * device.launch_terms(model).row_seconds;
        let permit = queue.admit(flow.clone(), seconds, permit.left())?;
        Ok(Some(Place { unit, model, permit }))
    }

    /// Has a device compute the rows of a batch, as many as it can.
    ///
    /// # Errors
    /// `deadline`.
    pub async fn compute(&self, place: Place, request: DeviceRequest, permit: &Permit) -> Result<Answered> {
        let DeviceRequest { batch, flow, charge, memory } = request;
        let given = Answered::nothing(charge, memory);
        let (rows, is_done) = Rows::new(batch, place.model, given, place.permit);
        let _queued = self.units[place.unit].queue.enqueue(&flow, rows.clone());
        // Where nobody tells, a launch was dropped: as if it had failed.
        drop(permit.in_time(is_done).await?);
        Ok(rows.outcome())
    }

    /// Counts rows that the processor computes in a device's stead.
    pub fn missed(&self, rows: usize, why: Missed) {
        self.metrics.missed(why.as_str(), rows);
    }

    /// Requests that wait for a device, and the longest predicted time until one has done all.
    pub fn load(&self) -> (usize, f64) {
        let queues = || self.units.iter().map(|unit| &unit.queue);
        (queues().map(|queue| queue.waiting()).sum(), queues().map(|queue| queue.backlog()).fold(0.0, f64::max))
    }

    /// Looks at what is on the devices, for the metrics.
    pub fn observe(&self) {
        for Unit { device, .. } in &self.units {
            let (keys, bytes) = device.session().map_or((0, 0), |session| session.keys().taken());
            self.metrics.keys(device.name(), keys, bytes);
        }
    }
}

impl Unit {
    /// The device, where it is up.
    fn described(&self) -> Option<String> {
        Some(described(self.device.name(), self.device.session()?.description()))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for Unit { device, queue } in &self.units {
            device.close();
            queue.close();
        }
    }
}

/// Takes a key off all devices when the host drops it: what was deleted here, or in the store, is nowhere.
struct Departure {
    fleet: std::sync::Weak<Fleet>,
    number: u64,
}

impl Drop for Departure {
    fn drop(&mut self) {
        let Some(fleet) = self.fleet.upgrade() else { return };
        fleet.homes.forget(self.number);
        for session in fleet.units.iter().filter_map(|unit| unit.device.session()) {
            session.forget(self.number);
        }
    }
}
