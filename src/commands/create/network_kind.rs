//! The kinds of network that are trained here.

/// `create qnn`, `create mlp` or `create cnn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkKind {
    Qnn,
    Mlp,
    Cnn,
}

impl NetworkKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Qnn => "qnn",
            Self::Mlp => "mlp",
            Self::Cnn => "cnn",
        }
    }

    /// The data set by default.
    pub fn data(self) -> &'static str {
        if self == Self::Qnn { "iris" } else { "mnist" }
    }
}
