//! How much of the model its answers may give away.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a client may learn of the model beyond its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reveal {
    /// Nothing but the answers and the public parameters (which name the number of bootstraps).
    Nothing,
    /// Also its size: a rounded count of leaves.
    Size,
    /// The model is public: answers are not re-randomized.
    Model,
}

impl fmt::Display for Reveal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nothing => "nothing",
            Self::Size => "size",
            Self::Model => "model",
        })
    }
}
