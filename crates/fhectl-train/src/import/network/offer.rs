//! What a person is told of costs: of what was made, and of what would cost less.

use super::search::Candidate;
use crate::import::agreement::Agreement;
use fhectl_core::circuit::plan::{PLANNED_CORES, Plan};
use std::fmt;

/// Seconds an inference from which on it is announced.
const LONG: f64 = 2.0;

/// A network that could be had: its price, and what it keeps of the original where that was tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer {
    /// Predicted seconds of computing an inference.
    pub seconds: f64,
    pub key_bytes: usize,
    pub agreement: Option<Agreement>,
}

impl Offer {
    pub(super) fn of(candidate: &Candidate) -> Self {
        let key_bytes = candidate.plans.first().map_or(0, |plan| plan.spec.key_bytes());
        Self { seconds: candidate.seconds(), key_bytes, agreement: Some(candidate.agreement) }
    }

    pub(super) fn price(plan: Plan) -> Self {
        Self { seconds: plan.seconds(PLANNED_CORES), key_bytes: plan.spec.key_bytes(), agreement: None }
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, key_bytes, agreement } = self;
        match seconds {
            seconds if *seconds >= 1.0 => write!(f, "{seconds:.1} s")?,
            seconds => write!(f, "{:.0} ms", seconds * 1e3)?,
        }
        write!(f, " an inference, keys of {:.1} MB", *key_bytes as f64 / 1e6)?;
        match agreement {
            Some(agreement) => write!(f, ", {agreement}"),
            None => Ok(()),
        }
    }
}

/// What is said of a network that takes long, before it is made; `None` of others.
///
/// `averaged` is what average pooling before the activation takes, where there is pooling after it.
pub fn announcement(plan: &Plan, activations: usize, averaged: Option<&Offer>) -> Option<String> {
    let own = Offer::price(plan.clone());
    if own.seconds < LONG {
        return None;
    }
    let mut words = format!("note: this network takes about {own}: {activations} activations, a bootstrap each");
    match averaged.filter(|offer| offer.seconds < own.seconds) {
        Some(offer) => words.push_str(&format!(
            "\nmost of it is pooling behind the activation, above all max pooling, whose every comparison is a bootstrap: with \
             average pooling, or a stride, before the activation, the network would take {offer}"
        )),
        None => words.push_str(
            "\nfewer filters or units, a larger stride, or average pooling before an activation make it cheaper",
        ),
    }
    Some(words)
}
