//! What `play` reports at its end: lines, JSON, HTML.

use super::say;
use crate::client::Exchange;
use crate::report::stats::Summary;
use crate::report::{bytes, facts::facts, number, seconds};
use fhectl_core::bundle::ClientSpec;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_train::train::{Fit, Simulated, SimulatedQuality};
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;

/// What was predicted of a row, and what is right.
#[derive(Debug, Clone, Copy)]
pub enum Answers {
    Class { predicted: usize, expected: usize },
    Value { predicted: f64, expected: f64 },
}

/// One row of the test set.
pub struct Outcome {
    pub answers: Answers,
    /// Whether the scores equal the clear integer model's; `None` where that model is not at hand.
    pub agrees: Option<bool>,
    pub exchange: Exchange,
}

/// How the answers compare with what is right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
enum Quality {
    /// The share of right classes.
    Classes { accuracy: f64 },
    /// `r2` is `None` where all numbers are the same and it says nothing.
    Values { r2: Option<f64>, rmse: f64 },
}

impl Quality {
    fn of(outcomes: &[Outcome]) -> Self {
        let values: Vec<(f64, f64)> = (outcomes.iter())
            .filter_map(|outcome| match outcome.answers {
                Answers::Value { predicted, expected } => Some((predicted, expected)),
                Answers::Class { .. } => None,
            })
            .collect();
        if !values.is_empty() {
            let (predicted, expected): (Vec<f64>, Vec<f64>) = values.into_iter().unzip();
            let fit = Fit::of(&predicted, &expected);
            return Self::Values { r2: Some(fit.r2).filter(|r2| r2.is_finite()), rmse: fit.rmse };
        }
        let right =
            |outcome: &&Outcome| matches!(outcome.answers, Answers::Class { predicted: p, expected: e } if p == e);
        Self::Classes { accuracy: outcomes.iter().filter(right).count() as f64 / outcomes.len().max(1) as f64 }
    }

    /// `accuracy 0.9` or `R2 0.5, RMSE 53.1`.
    fn shown(&self) -> String {
        match self {
            Self::Classes { accuracy } => format!("accuracy {accuracy:.4}"),
            Self::Values { r2: Some(r2), rmse } => format!("R2 {r2:.4}, RMSE {}", number(*rmse)),
            Self::Values { r2: None, rmse } => format!("R2 undefined, RMSE {}", number(*rmse)),
        }
    }
}

/// All figures of a run, as `--export-json` writes them.
#[derive(Debug, Serialize)]
pub struct Figures {
    model: String,
    /// Rows that were answered.
    samples: usize,
    /// Rows whose answer cannot be trusted; they count in no other figure.
    unanswered: usize,
    #[serde(flatten)]
    quality: Quality,
    agreement: Option<f64>,
    /// A network's noise drawn in clear over the whole test set.
    #[serde(skip_serializing_if = "Option::is_none")]
    simulated: Option<Simulated>,
    key_bytes: usize,
    request_bytes: usize,
    response_bytes: usize,
    seconds: Stages,
    #[serde(skip)]
    wall: f64,
    #[serde(skip)]
    simulated_played: Option<Simulated>,
    #[serde(skip)]
    exact: bool,
}

/// Simulations of the whole test set and of the rows that are played.
#[derive(Debug, Clone, Copy)]
pub struct Simulations {
    pub whole: Simulated,
    pub played: Simulated,
}

/// Seconds a row, by stage; `roundtrip` holds network, queue and compute. Where the server does not tell the last two,
/// they are `None` and `network` holds all of it.
#[derive(Debug, Serialize)]
struct Stages {
    encrypt: Summary,
    roundtrip: Summary,
    /// What the server does not account for: sockets, HTTP, framing.
    network: Summary,
    queue: Option<Summary>,
    compute: Option<Summary>,
    decrypt: Summary,
    total: Summary,
}

impl Figures {
    pub fn new(
        spec: &ClientSpec,
        key_bytes: usize,
        outcomes: &[Outcome],
        wall: f64,
        simulations: Option<Simulations>,
    ) -> Self {
        let samples = outcomes.len();
        let share = |count: usize| count as f64 / samples.max(1) as f64;
        let exchanges = || outcomes.iter().map(|outcome| &outcome.exchange);
        let stage = |of: fn(&Exchange) -> f64| Summary::of(exchanges().map(of));
        let told =
            |of: fn(&Exchange) -> Option<f64>| Some(Summary::of(exchanges().map(of).collect::<Option<Vec<_>>>()?));
        let (queue, compute) = (told(|e| e.queue), told(|e| e.compute));
        // Of one that only some replies told, nothing is taken away.
        let network = |e: &Exchange| {
            let own = |of: Option<f64>, told: bool| of.filter(|_| told).unwrap_or(0.0);
            (e.roundtrip - own(e.queue, queue.is_some()) - own(e.compute, compute.is_some())).max(0.0)
        };
        let agreed = outcomes.iter().map(|outcome| outcome.agrees).collect::<Option<Vec<bool>>>();
        Self {
            model: spec.name.clone(),
            samples,
            unanswered: 0,
            quality: Quality::of(outcomes),
            agreement: agreed.map(|agreed| share(agreed.into_iter().filter(|agrees| *agrees).count())),
            key_bytes,
            request_bytes: outcomes.first().map_or(0, |outcome| outcome.exchange.request_bytes),
            response_bytes: outcomes.first().map_or(0, |outcome| outcome.exchange.response_bytes),
            seconds: Stages {
                encrypt: stage(|e| e.encrypt),
                roundtrip: stage(|e| e.roundtrip),
                network: Summary::of(exchanges().map(network)),
                queue,
                compute,
                decrypt: stage(|e| e.decrypt),
                total: stage(|e| e.encrypt + e.roundtrip + e.decrypt),
            },
            wall,
            simulated: simulations.map(|simulations| simulations.whole),
            simulated_played: simulations.map(|simulations| simulations.played),
            exact: spec.p_fail_log2.is_some(),
        }
    }

    /// The figures of a run on so many rows, of which some may not have been answered.
    pub fn of_rows(self, rows: usize) -> Self {
        Self { unanswered: rows.saturating_sub(self.samples), ..self }
    }

    pub fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// The closing lines, the first three as users of hosted endpoints know them; a regression has R2 and RMSE in place
    /// of accuracy.
    pub fn print(&self) {
        match self.quality {
            Quality::Classes { accuracy } => say!("Accuracy on {} samples is {accuracy}", self.samples),
            Quality::Values { r2, rmse } => {
                let r2 = r2.map_or("undefined: all expected values are equal".into(), |r2| r2.to_string());
                say!("R2 on {} samples is {r2}", self.samples);
                say!("RMSE on {} samples is {rmse}", self.samples);
            }
        }
        if self.unanswered > 0 {
            say!("Rows without an answer that can be trusted, not counted here: {}", self.unanswered);
        }
        say!("Total time: {:.3} seconds", self.wall);
        say!("Duration per inference: {:.3} seconds", self.wall / self.samples.max(1) as f64);
        match self.agreement {
            Some(agreement) => {
                say!("Agreement with the clear quantised model: {:.2} % of {}", agreement * 100.0, self.agreeing())
            }
            None => say!("Agreement with the clear quantised model: not measured (server.zip is not at hand)"),
        }
        say!(
            "Sizes: key {}, request {}, response {}",
            bytes(self.key_bytes),
            bytes(self.request_bytes),
            bytes(self.response_bytes)
        );
        for (stage, summary) in self.stages() {
            say!("{stage}: {}", shown(summary));
        }
    }

    /// What agreement is counted in.
    fn agreeing(&self) -> &'static str {
        if self.exact { "answers, score by score" } else { "classes" }
    }

    /// The run as a section of a model card; `rows` says which were played.
    pub fn measured(&self, rows: &str) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut text = format!(
            "A run of `fhectl play {}` on {rows}, client and server on one machine of {cores} cores:\n\n| | |\n|---|---|\n",
            self.model
        );
        let _ = match self.quality {
            Quality::Classes { accuracy } => {
                writeln!(text, "| encrypted accuracy | {accuracy:.4} on {} rows |", self.samples)
            }
            Quality::Values { .. } => {
                writeln!(text, "| encrypted predictions | {} on {} rows |", self.quality.shown(), self.samples)
            }
        };
        if let Some(agreement) = self.agreement {
            let _ = writeln!(
                text,
                "| agreement with the clear quantised model | {:.2} % of {} |",
                agreement * 100.0,
                self.agreeing()
            );
        }
        if let (Some(whole), Some(played), Quality::Classes { accuracy }) =
            (self.simulated, self.simulated_played, self.quality)
            && let SimulatedQuality::Classes { accuracy: of_whole, agreement } = whole.quality
            && let SimulatedQuality::Classes { accuracy: of_played, agreement: drawn } = played.quality
        {
            // Rows that noise decides either way: each is an independent draw on both sides.
            let flipped = 2.0 - self.agreement.unwrap_or(1.0) - drawn;
            let deviation = (flipped / played.samples as f64).sqrt();
            let _ = writeln!(
                text,
                "| simulated accuracy on the same rows | {:.4}; the two differ by {:.4}, sampling error (one deviation) {deviation:.4} |\n| simulated accuracy on all {} test rows | {:.4}, {:.2} % agreement, {} sums outside their circle |",
                of_played,
                (of_played - accuracy).abs(),
                whole.samples,
                of_whole,
                agreement * 100.0,
                whole.wraps
            );
        }
        let _ = writeln!(
            text,
            "| sizes | key {}, request {}, response {} |",
            bytes(self.key_bytes),
            bytes(self.request_bytes),
            bytes(self.response_bytes)
        );
        for (stage, summary) in self.stages() {
            let _ = writeln!(text, "| {} | {} |", stage.to_lowercase(), shown(summary));
        }
        text
    }

    fn stages(&self) -> [(&'static str, Option<Summary>); 6] {
        let stages = &self.seconds;
        [
            ("Encrypt", Some(stages.encrypt)),
            ("Network", Some(stages.network)),
            ("Queue", stages.queue),
            ("Compute", stages.compute),
            ("Decrypt", Some(stages.decrypt)),
            ("Whole inference", Some(stages.total)),
        ]
    }

    pub fn export_json(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).expect("figures are finite numbers") + "\n";
        write(path, &text)
    }

    /// A page that needs nothing but itself.
    pub fn export_html(&self, path: &Path, spec: &ClientSpec, outcomes: &[Outcome]) -> Result<()> {
        let mut page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>fhectl play {name}</title>\
             <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}}\
             table{{border-collapse:collapse}}td,th{{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #ccc}}\
             rect{{fill:#2a6f97}}</style><h1>{name}</h1>\
             <p>{} encrypted inferences, {}, agreement with the clear model {}.</p>",
            self.samples,
            self.quality.shown(),
            self.agreement.map_or("not measured".into(), |agreement| format!("{:.2} %", agreement * 100.0)),
            name = escape(&self.model)
        );
        page.push_str("<h2>Time</h2><table><tr><th>stage<th>median<th>95th percentile");
        for (stage, summary) in self.stages() {
            let _ = match summary {
                Some(told) => write!(page, "<tr><td>{stage}<td>{}<td>{}", seconds(told.median), seconds(told.p95)),
                None => write!(page, "<tr><td>{stage}<td colspan=\"2\">{UNTOLD}"),
            };
        }
        page.push_str("</table>");
        if let Some(compute) = outcomes.iter().map(|outcome| outcome.exchange.compute).collect::<Option<Vec<_>>>() {
            page.push_str("<h2>Compute, by inference</h2>");
            page.push_str(&histogram(&compute));
        }
        page.push_str("<h2>Round trip, by inference</h2>");
        page.push_str(&histogram(&outcomes.iter().map(|outcome| outcome.exchange.roundtrip).collect::<Vec<_>>()));
        page.push_str("<h2>Model</h2><table>");
        for (label, value) in facts(spec) {
            let _ = write!(page, "<tr><td>{label}<td>{}", escape(&value));
        }
        page.push_str("</table></html>\n");
        write(path, &page)
    }
}

/// In place of a time that the server keeps to itself.
const UNTOLD: &str = "not told by the server";

fn shown(stage: Option<Summary>) -> String {
    match stage {
        Some(told) => format!("median {}, 95th percentile {}", seconds(told.median), seconds(told.p95)),
        None => UNTOLD.into(),
    }
}

/// A histogram of 40 bars up to the 99th percentile (the rest in the last bar), as SVG.
fn histogram(values: &[f64]) -> String {
    const BARS: usize = 40;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(top) = sorted.get((sorted.len() * 99 / 100).min(sorted.len().saturating_sub(1))).copied() else {
        return String::new();
    };
    let mut counts = [0usize; BARS];
    for value in values {
        counts[((value / top.max(1e-9) * BARS as f64) as usize).min(BARS - 1)] += 1;
    }
    let most = counts.iter().max().copied().unwrap_or(1).max(1);
    let mut svg = String::from("<svg viewBox=\"0 0 800 180\" width=\"800\" role=\"img\">");
    for (index, count) in counts.iter().enumerate() {
        let height = 150 * count / most;
        let _ = write!(svg, "<rect x=\"{}\" y=\"{}\" width=\"18\" height=\"{height}\"/>", index * 20, 150 - height);
    }
    let _ = write!(
        svg,
        "<text x=\"0\" y=\"172\">0</text><text x=\"800\" y=\"172\" text-anchor=\"end\">{}</text></svg>",
        seconds(top)
    );
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text)
        .map_err(|error| Error::new(ErrorCode::OutputUnwritable, format!("{}: {error}", path.display())))
}
