//! What an answer decrypts to, as coarse as it may be shown.

use crate::model::class_of_scores;

/// The decrypted scores of one row: whole numbers, safe to write down, to print and to share.
///
/// Scores of exact circuits are the clear model's. Those of a network are rounded by the client's own rule
/// ([`super::network::NetworkParams::shown_levels`]), whatever the bundle says; so are the classes and probabilities that follow
/// from them. Nothing finer can be had: only [`super::decode`] makes them.
///
/// ```compile_fail
/// let forged = fhectl_core::circuit::Scores(vec![1]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scores(Vec<i64>);

impl Scores {
    pub(super) fn new(scores: Vec<i64>) -> Self {
        Self(scores)
    }

    /// The scores, as [`crate::model::Model::scores`] gives them in clear.
    pub fn values(&self) -> &[i64] {
        &self.0
    }

    /// The class that they stand for; the first of those that are equal.
    pub fn class(&self) -> usize {
        class_of_scores(&self.0)
    }
}
