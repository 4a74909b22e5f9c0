//! What a circuit's folder gives the planner.

use super::candidate::Candidate;
use super::request::PlanRequest;
use crate::circuit::traits::Circuit;
use crate::error::Result;
use crate::model::{Model, Output, Quantizer};

/// A circuit whose parameters can be searched for.
pub trait Search: Circuit + Sized {
    /// Whether the circuit runs this kind of model at all.
    fn runs(model: &Model) -> bool;

    /// Finds the cheapest parameters for a model, as asked.
    ///
    /// # Errors
    /// `no_parameters` where none keep what was asked for; `circuit_unfit` where the circuit would reveal more than
    /// allowed, or the model is beyond it.
    fn search(model: &Model, quantizer: &Quantizer, output: Output, request: &PlanRequest) -> Result<Candidate<Self>>;
}
