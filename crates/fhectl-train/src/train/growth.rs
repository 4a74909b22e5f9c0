//! What limits the growth of a forest's trees.

use fhectl_core::error::{Error, ErrorCode, Result};

/// What limits a tree's growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrowthParams {
    /// The most splits on a path, 1 to 20.
    pub max_depth: usize,
    /// The fewest training rows a leaf may hold, at least 1.
    pub min_leaf: usize,
    /// How many features each split chooses among.
    pub max_features: MaxFeatures,
}

/// How many features, drawn at random, a split chooses among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxFeatures {
    All,
    /// The square root of their number, rounded down.
    Sqrt,
    /// So many, at least 1.
    Count(usize),
}

impl MaxFeatures {
    /// Of so many features.
    pub(super) fn of(self, features: usize) -> usize {
        match self {
            Self::All => features,
            Self::Sqrt => features.isqrt(),
            Self::Count(count) => count,
        }
        .clamp(1, features)
    }
}

impl GrowthParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `tree_params` naming the one that is out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |message: String, hint: &str| Err(Error::new(ErrorCode::TreeParams, message).hint(hint));
        if !(1..=20).contains(&self.max_depth) {
            return wrong(
                format!("a maximal depth of {}, want 1 to 20", self.max_depth),
                "give --max-depth from 1 to 20",
            );
        }
        if self.min_leaf == 0 {
            return wrong("0 rows a leaf, want at least 1".into(), "give --min-leaf 1 or more");
        }
        if self.max_features == MaxFeatures::Count(0) {
            return wrong("0 features a split, want at least 1".into(), "give --max-features 1 or more");
        }
        Ok(())
    }
}
