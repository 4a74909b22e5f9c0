//! What is asked of a plan.

use crate::circuit::kind::CircuitKind;
use crate::circuit::reveal::Reveal;
use crate::fhe::device_profile::DeviceProfile;
use std::sync::Arc;

/// What is asked of a circuit.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// `None`: the cheapest allowed.
    pub circuit: Option<CircuitKind>,
    pub reveal: Reveal,
    /// log2 of the chance that one whole inference goes wrong.
    pub p_fail_log2: f64,
    /// log2 of the statistical distance an answer of `Linear` and `PathCost` may keep from one that does not
    /// depend on the model's noise.
    pub flooding_log2: f64,
    /// Bits a second between client and server.
    pub bandwidth: f64,
    /// The device that bootstraps are planned for. `None`: the server's processor.
    pub device: Option<Arc<DeviceProfile>>,
}

impl Default for PlanRequest {
    fn default() -> Self {
        Self {
            circuit: None,
            reveal: Reveal::Size,
            p_fail_log2: -128.0,
            flooding_log2: -30.0,
            bandwidth: 100e6,
            device: None,
        }
    }
}
