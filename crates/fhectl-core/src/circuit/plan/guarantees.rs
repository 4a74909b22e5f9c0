//! What a plan promises.

use serde::{Deserialize, Serialize};

/// What the parameters were shown to give.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Guarantees {
    /// log2 of the chance that one inference differs from the clear integer model; `None` where noise is part of the
    /// answer, as in a network.
    pub p_fail_log2: Option<f64>,
    /// log2 of an answer's statistical distance from one whose noise is independent of the model; `None` where
    /// answers are not re-randomized.
    pub flooding_log2: Option<f64>,
}
