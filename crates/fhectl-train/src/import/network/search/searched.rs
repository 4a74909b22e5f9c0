//! What is searched, and what of it is open.

use super::judge::Judge;
use crate::data::Dataset;
use crate::import::network::layer::Scales;
use crate::import::network::levels::Levels;
use crate::import::network::ptq_params::PtqParams;
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::model::Output;

/// What a person asked for; what is `None` is open.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Fixed {
    pub bits: Option<u32>,
    pub activation_bits: Option<u32>,
    pub weight_bits: Option<u32>,
    pub percentile: Option<f64>,
    pub noise: Option<f64>,
    pub score_noise: Option<f64>,
    pub coarse_edges: Option<u32>,
}

/// What is searched.
pub(in super::super) struct Searched<'a> {
    pub(in super::super) levels: &'a Levels,
    /// What a student has learned, and for which parameters.
    pub(in super::super) scales: Option<&'a Scales>,
    pub(in super::super) learned: Option<PtqParams>,
    pub(in super::super) image: bool,
    /// Rows that ranges are measured on.
    pub(in super::super) rows: &'a Dataset,
    pub(in super::super) output: Output,
    pub(in super::super) judge: &'a Judge<'a>,
    pub(in super::super) request: &'a PlanRequest,
}

impl<'a> Searched<'a> {
    /// With what a student has learned for these parameters.
    pub(in super::super) fn with(self, scales: &'a Scales, params: PtqParams) -> Self {
        Self { scales: Some(scales), learned: Some(params), ..self }
    }
}
