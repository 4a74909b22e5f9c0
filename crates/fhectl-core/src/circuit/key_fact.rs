//! A secret key as it is shown: never its bits.

use crate::fhe::GlweShape;

/// A secret key of the client and what it is for.
#[derive(Debug, Clone, Copy)]
pub struct KeyFact {
    pub role: &'static str,
    pub shape: GlweShape,
}
