//! What a model predicts.

/// What a model predicts: the meaning of its scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// One of this many classes, at least 2.
    Classes(usize),
    /// A number (regression).
    Value,
    /// So many numbers, at least 1, of which a client computes the prediction.
    Scores(usize),
}

impl Output {
    /// The number of classes; 0 where the output is a number or several.
    pub fn classes(self) -> usize {
        match self {
            Self::Classes(classes) => classes,
            Self::Value | Self::Scores(_) => 0,
        }
    }

    /// Whether there is one score, which an offset in clear is added to before anything is made of it.
    pub fn takes_offset(self) -> bool {
        matches!(self, Self::Value | Self::Scores(1))
    }

    /// The number of scores of an additive model (linear, forest): 1 for a number, 1 for two classes (the margin of class 1),
    /// else one per class; as many as there are where a client computes the prediction.
    pub fn margins(self) -> usize {
        match self {
            Self::Classes(2) | Self::Value => 1,
            Self::Classes(scores) | Self::Scores(scores) => scores,
        }
    }
}
