//! What an operator watches of devices.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDevice {
    device: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfReason {
    reason: &'static str,
}

/// Launches, keys, and what devices did not compute.
pub(super) struct DeviceMetrics {
    up: Family<OfDevice, Gauge>,
    launches: Family<OfDevice, Counter>,
    launch_rows: Family<OfDevice, Histogram, fn() -> Histogram>,
    keys: Family<OfDevice, Gauge>,
    key_bytes: Family<OfDevice, Gauge>,
    missed: Family<OfReason, Counter>,
}

/// 1 to 4096 rows.
fn rows() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 4.0, 7))
}

fn of(device: &str) -> OfDevice {
    OfDevice { device: device.to_owned() }
}

impl DeviceMetrics {
    pub fn new(registry: &mut Registry) -> Self {
        let own = Self {
            up: Family::default(),
            launches: Family::default(),
            launch_rows: Family::new_with_constructor(rows),
            keys: Family::default(),
            key_bytes: Family::default(),
            missed: Family::default(),
        };
        registry.register("device_up", "Whether a device computes: 1, or 0 where it was lost", own.up.clone());
        registry.register("device_launches", "Launches of a device", own.launches.clone());
        registry.register("device_launch_rows", "Rows of a launch", own.launch_rows.clone());
        registry.register("device_keys", "Evaluation keys in a device's memory", own.keys.clone());
        registry.register("device_key_bytes", "Bytes of a device's memory that keys take", own.key_bytes.clone());
        registry.register(
            "device_missed_rows",
            "Rows that the processor computed in a device's stead, by reason: down, failed, memory, refused",
            own.missed.clone(),
        );
        own
    }

    pub fn up(&self, device: &str, up: bool) {
        self.up.get_or_create(&of(device)).set(up.into());
    }

    pub fn launch(&self, device: &str, rows: usize) {
        self.launches.get_or_create(&of(device)).inc();
        self.launch_rows.get_or_create(&of(device)).observe(rows as f64);
    }

    pub fn keys(&self, device: &str, keys: usize, bytes: usize) {
        self.keys.get_or_create(&of(device)).set(keys as i64);
        self.key_bytes.get_or_create(&of(device)).set(bytes as i64);
    }

    pub fn missed(&self, reason: &'static str, rows: usize) {
        self.missed.get_or_create(&OfReason { reason }).inc_by(rows as u64);
    }
}
