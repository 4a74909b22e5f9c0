//! What is searched, and what of it is open.

use super::judge::Judge;
use crate::data::Dataset;
use crate::import::network::layer::Scales;
use crate::import::network::levels::Levels;
use crate::import::network::ptq_params::PtqParams;
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::model::Output;

/// Bits of an activation: more cost nothing, for noise is measured against the modulus, not against their steps.
const ACTIVATION_BITS: u32 = 7;

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

impl Fixed {
    /// With everything that is open as it is tried first.
    pub(in super::super) fn params(&self) -> PtqParams {
        PtqParams {
            bits: self.bits.unwrap_or(PtqParams::default().bits),
            activation_bits: self.activation_bits.unwrap_or(ACTIVATION_BITS),
            coarse_edges: self.coarse_edges,
            ..PtqParams::default()
        }
    }
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
    /// What costs no more, in seconds, is to be truer rather than cheaper.
    pub(in super::super) cheap: f64,
}

impl<'a> Searched<'a> {
    /// With what a student has learned for these parameters.
    pub(in super::super) fn with(self, scales: &'a Scales, params: PtqParams) -> Self {
        Self { scales: Some(scales), learned: Some(params), ..self }
    }
}
