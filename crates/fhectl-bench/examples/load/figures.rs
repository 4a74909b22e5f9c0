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
    /// Rows of exact models that are not as in clear.
    wrong: usize,
    noisy: usize,
    noisy_agreeing: usize,
    untrusted: usize,
    /// How often the server refused, by code, and clients that could not begin.
    refused: BTreeMap<&'static str, usize>,
    lost_clients: Vec<String>,
    /// How often the device was made to fail, where it was.
    faults: Option<usize>,
}

impl Figures {
    pub fn of(outcomes: Vec<Result<Asked>>, seconds: f64, faults: Option<usize>) -> Self {
        let mut all = Self { seconds, faults, ..Self::default() };
        for outcome in outcomes {
            match outcome {
                Ok(asked) => {
                    all.agreeing += asked.agreeing;
                    if asked.exact {
                        all.wrong += asked.roundtrips.len() - asked.agreeing;
                    } else {
                        all.noisy += asked.roundtrips.len();
                        all.noisy_agreeing += asked.agreeing;
                    }
                    all.roundtrips.extend(asked.roundtrips);
                    all.untrusted += asked.untrusted;
                    asked.refused.into_iter().for_each(|code| *all.refused.entry(code).or_default() += 1);
                }
                Err(error) => all.lost_clients.push(error.to_string()),
            }
        }
        all.roundtrips.sort_by(f64::total_cmp);
        all
    }

    /// Whether no answer was lost, none untrusted, and classes are those of the clear model: all where answers are exact, this
    /// share of the others.
    pub fn is_right(&self, agreement: f64) -> bool {
        self.lost_clients.is_empty()
            && self.refused.is_empty()
            && self.untrusted == 0
            && !self.roundtrips.is_empty()
            && self.wrong == 0
            && self.noisy_agreeing as f64 >= agreement * self.noisy as f64
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
            "wrong_of_exact_models": self.wrong,
            "untrusted": self.untrusted,
            "refused": self.refused,
            "lost_clients": self.lost_clients,
            "faults": self.faults,
        })
    }
}
