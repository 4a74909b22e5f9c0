//! What all clients saw together.

use super::client::Asked;
use fhectl_core::error::Result;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Figures {
    seconds: f64,
    /// Sorted.
    roundtrips: Vec<f64>,
    agreeing: usize,
    untrusted: usize,
    /// How often the server refused, by code, and clients that could not begin.
    refused: BTreeMap<&'static str, usize>,
    lost_clients: Vec<String>,
}

impl Figures {
    pub fn of(outcomes: Vec<Result<Asked>>, seconds: f64) -> Self {
        let mut all = Self { seconds, ..Self::default() };
        for outcome in outcomes {
            match outcome {
                Ok(asked) => {
                    all.roundtrips.extend(asked.roundtrips);
                    all.agreeing += asked.agreeing;
                    all.untrusted += asked.untrusted;
                    asked.refused.into_iter().for_each(|code| *all.refused.entry(code).or_default() += 1);
                }
                Err(error) => all.lost_clients.push(error.to_string()),
            }
        }
        all.roundtrips.sort_by(f64::total_cmp);
        all
    }

    /// Whether no answer was lost, none untrusted, and classes are those of the clear model: all, where answers are exact.
    pub fn is_right(&self, exact: bool, agreement: f64) -> bool {
        let least = if exact { 1.0 } else { agreement };
        self.lost_clients.is_empty()
            && self.refused.is_empty()
            && self.untrusted == 0
            && !self.roundtrips.is_empty()
            && self.agreeing as f64 >= least * self.roundtrips.len() as f64
    }

    fn milliseconds_at(&self, share: f64) -> Option<f64> {
        let index = (share * self.roundtrips.len() as f64) as usize;
        self.roundtrips.get(index.min(self.roundtrips.len().saturating_sub(1))).map(|seconds| 1e3 * seconds)
    }

    pub fn to_json(&self, models: &[String], clients: usize) -> serde_json::Value {
        json!({
            "models": models,
            "clients": clients,
            "seconds": self.seconds,
            "rows": self.roundtrips.len(),
            "rows_per_second": self.roundtrips.len() as f64 / self.seconds,
            "roundtrip_ms": {
                "least": self.milliseconds_at(0.0),
                "median": self.milliseconds_at(0.5),
                "p95": self.milliseconds_at(0.95),
            },
            "as_the_clear_model": self.agreeing,
            "untrusted": self.untrusted,
            "refused": self.refused,
            "lost_clients": self.lost_clients,
        })
    }
}
