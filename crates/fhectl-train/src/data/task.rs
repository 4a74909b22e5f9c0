//! What is to be learned.

/// What is to be learned of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Its class.
    Classify,
    /// Its number.
    Regress,
}

impl Task {
    /// What data are for where nothing else is asked: `diabetes` is a regression.
    pub(super) fn of(spec: &str) -> Self {
        if spec == "diabetes" { Self::Regress } else { Self::Classify }
    }
}
