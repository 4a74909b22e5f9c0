//! What may be shown of an answer. Nothing else decides it.
//!
//! The scores of an exact circuit are the clear model's and may be shown. Those of a network carry noise that follows from
//! the secret key's bits, so whoever has the server, the rows and some hundred scores can solve for the key. A
//! [`Prediction`] of a network therefore has no scores unless [`Detail::Scores`] asks for them.

use crate::bundle::ClientSpec;
pub use crate::bundle::Predicted;
use crate::circuit::{CircuitSpec, Scores};
use crate::error::{Error, Result};
use crate::model::class_of_scores;

/// How much is shown of a network's answers. Exact circuits show their scores either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The class, or the number where the output is one.
    Prediction,
    /// The scores of all classes too. Keep them from a server that knows the rows.
    Scores,
}

impl Detail {
    /// Whether scores may be shown of this circuit's answers. All of [`Prediction`] follows from this.
    pub fn shows_scores(self, circuit: &CircuitSpec) -> bool {
        self == Self::Scores || circuit.is_exact()
    }
}

/// What may be shown of one row's answer.
///
/// Only [`ClientModel::decrypt`](super::ClientModel::decrypt) makes one, so whatever holds a `Prediction` may print, write
/// and share it.
///
/// ```compile_fail
/// let forged = fhectl_core::client::Prediction { predicted: fhectl_core::client::Predicted::Class(0) };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    predicted: Predicted,
    /// The class that the scores have as they are.
    side: usize,
    shown: Option<Shown>,
}

#[derive(Debug, Clone, PartialEq)]
struct Shown {
    scores: Scores,
    class_scores: Vec<f64>,
}

impl Prediction {
    pub(super) fn new(spec: &ClientSpec, scores: Scores, detail: Detail) -> Self {
        let predicted = spec.predict(scores.values());
        let side = scores.class();
        let shown = detail.shows_scores(&spec.circuit).then(|| {
            let is_class = matches!(predicted, Predicted::Class(_));
            let class_scores = if is_class { spec.class_scores(scores.values()) } else { Vec::new() };
            Shown { scores, class_scores }
        });
        Self { predicted, side, shown }
    }

    /// The class or the number.
    pub fn predicted(&self) -> Predicted {
        self.predicted
    }

    /// The integer scores, as [`Model::scores`](crate::model::Model::scores) gives them in clear; `None` where they must
    /// not be shown.
    pub fn scores(&self) -> Option<&Scores> {
        self.shown.as_ref().map(|shown| &shown.scores)
    }

    /// One number a class ([`ClientSpec::class_scores`]): probabilities, shares of votes or distances. Empty where the
    /// output is a number; `None` where they must not be shown.
    pub fn class_scores(&self) -> Option<&[f64]> {
        self.shown.as_ref().map(|shown| &shown.class_scores[..])
    }

    /// Whether the clear model's scores of the same row lead to the same: the same scores where they are shown of an exact
    /// circuit, the same class of a network, whose answers carry noise.
    pub fn agrees_with(&self, spec: &ClientSpec, clear: &[i64]) -> bool {
        match (&self.shown, self.predicted) {
            (Some(shown), _) if spec.circuit.is_exact() => clear == shown.scores.values(),
            (_, Predicted::Class(_)) => self.predicted == spec.predict(clear),
            // Noisy numbers are never equal: on the same side of the middle.
            (_, Predicted::Value(_)) => class_of_scores(clear) == self.side,
        }
    }
}

/// The answer to a batch.
#[derive(Debug, Clone)]
pub struct Predictions {
    /// One for each row that was asked about, in their order. `None` where the answer cannot be trusted or does not
    /// decrypt.
    pub rows: Vec<Option<Prediction>>,
    /// Why some rows have none.
    ///
    /// This is no `Err`, because it must change nothing that the server can see: a server that learns that its client was
    /// not content learns something of the secret key. Finish the run, and tell the user at its end.
    pub distrust: Option<Error>,
}

impl Predictions {
    /// The rows where all of them can be trusted.
    ///
    /// # Errors
    /// [`Predictions::distrust`].
    pub fn trusted(self) -> Result<Vec<Prediction>> {
        match self.distrust {
            Some(error) => Err(error),
            None => Ok(self.rows.into_iter().flatten().collect()),
        }
    }
}
