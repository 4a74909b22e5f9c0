//! What a model answers.

/// What a model's scores stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// One of so many classes, at least 2.
    Classes(usize),
    /// A number.
    Value,
}

impl Output {
    /// The number of classes; 0 where the output is a number.
    pub fn classes(self) -> usize {
        match self {
            Self::Classes(classes) => classes,
            Self::Value => 0,
        }
    }

    /// Scores of a model whose scores add up: one for a number, one for two classes (the margin of the second), else one
    /// a class.
    pub fn margins(self) -> usize {
        match self {
            Self::Classes(2) | Self::Value => 1,
            Self::Classes(classes) => classes,
        }
    }
}
