//! The figures of a run of `play`: printed, as JSON, and as a section of a model card.

use super::simulate::Simulations;
use crate::client::Exchange;
use crate::report::stats::Summary;
use crate::report::{bytes, number, print_line, seconds};
use fhectl_core::bundle::ClientSpec;
use fhectl_train::train::{ClassReport, Fit, Simulated, SimulatedQuality};
use serde::Serialize;
use std::fmt::Write;

/// What was predicted for a row, and its label.
#[derive(Debug, Clone, Copy)]
pub enum Compared {
    Class { predicted: usize, expected: usize },
    Value { predicted: f64, expected: f64 },
}

/// One answered row of the test set.
pub struct Outcome {
    pub compared: Compared,
    /// Whether the scores equal those of the integer model in clear. `None` where that model is not at hand.
    pub agrees: Option<bool>,
    pub exchange: Exchange,
}

/// How the predictions compare with the labels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum MeasuredQuality {
    /// The fraction of correct classes.
    Classes { accuracy: f64 },
    /// `r2` is `None` where all labels are equal, so that it is undefined.
    Values { r2: Option<f64>, rmse: f64, mae: f64 },
}

impl MeasuredQuality {
    fn of(outcomes: &[Outcome]) -> Self {
        let values: Vec<(f64, f64)> = (outcomes.iter())
            .filter_map(|outcome| match outcome.compared {
                Compared::Value { predicted, expected } => Some((predicted, expected)),
                Compared::Class { .. } => None,
            })
            .collect();
        if !values.is_empty() {
            let (predicted, expected): (Vec<f64>, Vec<f64>) = values.into_iter().unzip();
            let fit = Fit::of(&predicted, &expected);
            return Self::Values { r2: Some(fit.r2).filter(|r2| r2.is_finite()), rmse: fit.rmse, mae: fit.mae };
        }
        let correct =
            |outcome: &&Outcome| matches!(outcome.compared, Compared::Class { predicted: p, expected: e } if p == e);
        Self::Classes { accuracy: outcomes.iter().filter(correct).count() as f64 / outcomes.len().max(1) as f64 }
    }

    /// `accuracy 0.9` or `R2 0.5, RMSE 53.1`.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Classes { accuracy } => format!("accuracy {accuracy:.4}"),
            Self::Values { r2: Some(r2), rmse, .. } => format!("R2 {r2:.4}, RMSE {}", number(*rmse)),
            Self::Values { r2: None, rmse, .. } => format!("R2 undefined, RMSE {}", number(*rmse)),
        }
    }
}

/// Labels and predicted classes; `None` where numbers are predicted.
fn class_report(classes: usize, outcomes: &[Outcome]) -> Option<ClassReport> {
    let pair = |outcome: &Outcome| match outcome.compared {
        Compared::Class { predicted, expected } => Some((expected, predicted)),
        Compared::Value { .. } => None,
    };
    let pairs: Option<Vec<(usize, usize)>> = outcomes.iter().map(pair).collect();
    Some(ClassReport::of(classes, pairs.filter(|_| classes > 0)?))
}

/// All figures of a run, as `--export-json` writes them.
#[derive(Debug, Serialize)]
pub struct Figures {
    pub(super) model: String,
    /// Rows that were answered.
    pub(super) samples: usize,
    /// Rows whose answer failed its checks; they count in no other figure.
    unanswered: usize,
    #[serde(flatten)]
    pub(super) quality: MeasuredQuality,
    /// How each class is told from the others; `None` where a number is predicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<ClassReport>,
    /// The fraction of rows that agree with the model in clear, see [`Outcome::agrees`].
    pub(super) agreement: Option<f64>,
    /// A network's noise simulated over the whole test set.
    #[serde(skip_serializing_if = "Option::is_none")]
    simulated: Option<Simulated>,
    key_bytes: usize,
    request_bytes: usize,
    response_bytes: usize,
    seconds: Stages,
    #[serde(skip)]
    class_names: Vec<String>,
    #[serde(skip)]
    wall: f64,
    #[serde(skip)]
    simulated_played: Option<Simulated>,
    #[serde(skip)]
    exact: bool,
}

/// Seconds per row, by stage; `roundtrip` is the sum of network, queue and compute. Where the server does not report the
/// last two, they are `None` and `network` holds all of it.
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
        let fraction = |count: usize| count as f64 / samples.max(1) as f64;
        let exchanges = || outcomes.iter().map(|outcome| &outcome.exchange);
        let stage = |of: fn(&Exchange) -> f64| Summary::of(exchanges().map(of));
        let reported =
            |of: fn(&Exchange) -> Option<f64>| Some(Summary::of(exchanges().map(of).collect::<Option<Vec<_>>>()?));
        let (queue, compute) = (reported(|e| e.queue), reported(|e| e.compute));
        // A stage that only some replies report is not subtracted.
        let network = |e: &Exchange| {
            let own = |of: Option<f64>, reported: bool| of.filter(|_| reported).unwrap_or(0.0);
            (e.roundtrip - own(e.queue, queue.is_some()) - own(e.compute, compute.is_some())).max(0.0)
        };
        let agreed = outcomes.iter().map(|outcome| outcome.agrees).collect::<Option<Vec<bool>>>();
        Self {
            model: spec.name.clone(),
            samples,
            unanswered: 0,
            quality: MeasuredQuality::of(outcomes),
            classes: class_report(spec.classes.len(), outcomes),
            class_names: spec.classes.clone(),
            agreement: agreed.map(|agreed| fraction(agreed.into_iter().filter(|agrees| *agrees).count())),
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

    /// The same figures, for a run on `rows` rows of which some may be unanswered.
    pub fn of_rows(self, rows: usize) -> Self {
        Self { unanswered: rows.saturating_sub(self.samples), ..self }
    }

    pub fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// Prints the closing lines. The first three have the wording that clients of hosted inference endpoints print; a
    /// regression has R2 and RMSE in place of accuracy.
    pub fn print(&self) {
        match self.quality {
            MeasuredQuality::Classes { accuracy } => print_line!("Accuracy on {} samples is {accuracy}", self.samples),
            MeasuredQuality::Values { r2, rmse, mae } => {
                let r2 = r2.map_or("undefined: all expected values are equal".into(), |r2| r2.to_string());
                print_line!("R2 on {} samples is {r2}", self.samples);
                print_line!("RMSE on {} samples is {rmse}", self.samples);
                print_line!("Mean absolute error on {} samples is {mae}", self.samples);
            }
        }
        if self.unanswered > 0 {
            print_line!("Rows without an answer that can be trusted, not counted here: {}", self.unanswered);
        }
        print_line!("Total time: {:.3} seconds", self.wall);
        print_line!("Duration per inference: {:.3} seconds", self.wall / self.samples.max(1) as f64);
        match self.agreement {
            Some(agreement) => {
                print_line!(
                    "Agreement with the clear quantised model: {:.2} % of {}",
                    agreement * 100.0,
                    self.agreeing()
                )
            }
            None => print_line!("Agreement with the clear quantised model: not measured (server.zip is not at hand)"),
        }
        print_line!(
            "Sizes: key {}, request {}, response {}",
            bytes(self.key_bytes),
            bytes(self.request_bytes),
            bytes(self.response_bytes)
        );
        for (stage, summary) in self.stages() {
            print_line!("{stage}: {}", shown(summary));
        }
        if let Some(classes) = &self.classes {
            for line in classes.lines(&self.class_names) {
                let mut letters = line.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
                print_line!("{}", first.chain(letters).collect::<String>());
            }
        }
    }

    /// The unit that agreement is counted in.
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
            MeasuredQuality::Classes { accuracy } => {
                writeln!(text, "| encrypted accuracy | {accuracy:.4} on {} rows |", self.samples)
            }
            MeasuredQuality::Values { .. } => {
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
        if let (Some(whole), Some(played), MeasuredQuality::Classes { accuracy }) =
            (self.simulated, self.simulated_played, self.quality)
            && let SimulatedQuality::Classes { accuracy: of_whole, agreement } = whole.quality
            && let SimulatedQuality::Classes { accuracy: of_played, agreement: drawn } = played.quality
        {
            // Noise decides some rows either way. The run and the simulation draw it independently.
            let flipped = 2.0 - self.agreement.unwrap_or(1.0) - drawn;
            let deviation = (flipped / played.samples as f64).sqrt();
            let _ = writeln!(
                text,
                "| simulated accuracy on the same rows | {:.4}; the two differ by {:.4}, sampling error (one deviation) {deviation:.4} |\n| simulated accuracy on all {} test rows | {:.4}, {:.2} % agreement, {} sums that wrapped around |",
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

    pub(super) fn stages(&self) -> [(&'static str, Option<Summary>); 6] {
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

    /// The figures as an indented JSON object.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("figures are finite numbers") + "\n"
    }
}

/// Shown in place of a time that the server does not report.
pub(super) const NOT_REPORTED: &str = "not told by the server";

fn shown(stage: Option<Summary>) -> String {
    match stage {
        Some(summary) => format!("median {}, 95th percentile {}", seconds(summary.median), seconds(summary.p95)),
        None => NOT_REPORTED.into(),
    }
}
