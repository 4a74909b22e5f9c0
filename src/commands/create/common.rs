//! Flags of every kind of model.

use crate::commands::devices::{DeviceChoice, measure_device};
use crate::commands::table_args::{ColumnArgs, TableArgs};
use crate::commands::units::{CircuitChoice, RevealChoice, parse_bandwidth, parse_probability};
use crate::report::note;
use clap::{Args, ValueEnum};
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Quantizer;
use fhectl_train::data::{Dataset, TableOptions, Task};
use fhectl_train::train::{self, FeatureRange};
use std::path::PathBuf;
use std::sync::Arc;

/// Flags of every kind.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// A table (CSV, TSV, Parquet, Arrow), IDX images (*-images-idx3-ubyte, .gz; their labels beside them), or a built-in set:
    /// spam, iris, digits, mnist, synthetic, diabetes
    #[arg(long, env = "FHECTL_DATA", value_name = "PATH|NAME")]
    pub data: Option<String>,
    /// The column to predict [default: the last]
    #[arg(long, env = "FHECTL_TARGET", value_name = "COLUMN")]
    pub target: Option<String>,
    /// Test rows from a file of their own instead of a share of the data
    #[arg(long, env = "FHECTL_TEST_DATA", value_name = "PATH")]
    pub test_data: Option<PathBuf>,
    /// The share of rows kept for the test (mnist brings its own) [default: 0.15; networks: 0.25]
    #[arg(long, env = "FHECTL_TEST_SIZE", value_name = "SHARE")]
    pub test_size: Option<f64>,
    /// Seed of the split and of the training of networks and forests; keys and masks never depend on it
    #[arg(long, env = "FHECTL_SEED", default_value_t = 42)]
    pub seed: u64,
    /// The model's name [default: KIND-DATA]
    #[arg(long, env = "FHECTL_NAME")]
    pub name: Option<String>,
    /// The folder that models are written to
    #[arg(long, env = "FHECTL_OUT", default_value = "compiled_model", value_name = "DIR")]
    pub out: PathBuf,
    /// The folder of the built-in data sets
    #[arg(long, env = "FHECTL_DATASETS", default_value = "datasets", value_name = "DIR")]
    pub datasets: PathBuf,
    /// The chance that an encrypted inference differs from the clear integer model
    #[arg(long, env = "FHECTL_P_FAIL", default_value = "2^-128", value_parser = parse_probability)]
    pub p_fail: f64,
    /// How the model runs on ciphertexts
    #[arg(long, env = "FHECTL_CIRCUIT", value_enum, default_value = "auto")]
    pub circuit: CircuitChoice,
    /// Bits a second between client and server, for choosing the circuit: 100M, 2.5M, 1G
    #[arg(long, env = "FHECTL_BANDWIDTH", default_value = "100M", value_parser = parse_bandwidth, value_name = "BITS/S")]
    pub bandwidth: f64,
    /// What parameters are chosen for: auto (the first CUDA device that can be used, or else a processor), cpu, or cuda:N.
    /// Either computes what was chosen for the other, only slower than need be
    #[arg(long, env = "FHECTL_DEVICE", default_value = "auto", value_name = "DEVICE")]
    pub device: DeviceChoice,
    /// What a client may learn of the model beyond its answers
    #[arg(long, env = "FHECTL_REVEAL", value_enum, default_value = "size")]
    pub reveal: RevealChoice,
    /// Round what client.zip tells of the training rows (quantiles, ranges) to so many significant decimal digits; accuracy
    /// without it is printed beside, except of networks, which are trained once
    #[arg(long, env = "FHECTL_COARSE_EDGES", value_name = "DIGITS", value_parser = clap::value_parser!(u32).range(1..=15))]
    pub coarse_edges: Option<u32>,
    /// How far a feature of a linear model or a network must reach, beyond the training rows: age=0:120. A row outside of
    /// what it reaches is taken as at the nearest end, which `predict` tells
    #[arg(long, env = "FHECTL_RANGE", value_name = "COLUMN=LOW:HIGH,...", value_delimiter = ',', value_parser = parse_range)]
    pub range: Vec<FeatureRange>,
    #[command(flatten)]
    pub table: TableArgs,
    #[command(flatten)]
    pub columns: ColumnArgs,
    /// Tell the circuit, its parameters and other circuits that fit, as `inspect` does
    #[arg(long, short, env = "FHECTL_VERBOSE")]
    pub verbose: bool,
    /// Overwrite a model that is there
    #[arg(long, env = "FHECTL_FORCE")]
    pub force: bool,
}

impl CommonArgs {
    /// What is asked of the circuit: the one place where flags become a request. A device is measured for it.
    ///
    /// # Errors
    /// `device_unavailable`, `device_failed`.
    pub fn plan_request(&self) -> Result<PlanRequest> {
        let device = measure_device(self.device)?.map(Arc::new);
        if let Some(profile) = &device {
            note(&format!("parameters are chosen for {}; --device cpu chooses for a processor", profile.device));
        }
        Ok(PlanRequest {
            circuit: self.circuit.0,
            reveal: self.reveal.into(),
            p_fail_log2: self.p_fail,
            bandwidth: self.bandwidth,
            device,
            ..PlanRequest::default()
        })
    }

    /// How tables are written, and what their columns are for.
    pub fn table_options(&self) -> TableOptions {
        self.columns.on(self.table.options())
    }

    pub fn grain(&self) -> Grain<'_> {
        Grain { digits: self.coarse_edges, ranges: &self.range }
    }
}

fn parse_range(text: &str) -> Result<FeatureRange> {
    let parsed = || {
        let (feature, ends) = text.rsplit_once('=')?;
        let (low, high) = ends.split_once(':')?;
        let (low, high): (f64, f64) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        let fits = low.is_finite() && high.is_finite() && low < high && !feature.is_empty();
        fits.then(|| FeatureRange { feature: feature.to_owned(), low, high })
    };
    parsed().ok_or_else(|| {
        Error::new(ErrorCode::FeatureRange, format!("`{}` is no range of a column", text.escape_debug()))
            .hint("write it as age=0:120")
    })
}

/// A file's stem as part of a model's name.
pub fn clean(stem: &str) -> String {
    stem.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
}

/// How finely quantizers tell the rows that they are fitted to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grain<'a> {
    /// Significant decimal digits; `None` is all.
    pub digits: Option<u32>,
    /// How far grids must reach, beyond the rows.
    pub ranges: &'a [FeatureRange],
}

impl Grain<'_> {
    /// The same with all digits.
    pub fn exact(self) -> Self {
        Self { digits: None, ..self }
    }

    /// As [`train::fit_edges`].
    pub fn edges(self, rows: &Dataset, bits: u32) -> Result<Quantizer> {
        self.of(train::fit_edges(rows, bits)?, bits)
    }

    /// As [`train::fit_affine`].
    pub fn affine(self, rows: &Dataset, bits: u32) -> Result<Quantizer> {
        let quantizer = train::widen(train::fit_affine(rows, bits)?, &rows.features, self.ranges, bits)?;
        self.of(quantizer, bits)
    }

    /// As [`train::fit_affine`], reaching beyond the rows by a share of their range on either side; where a range was asked
    /// for, as far as that.
    pub fn affine_beyond(self, rows: &Dataset, bits: u32, share: f64) -> Result<Quantizer> {
        let asked = |name: &String| self.ranges.iter().any(|range| range.feature == *name);
        let asked: Vec<bool> = rows.features.iter().map(asked).collect();
        let quantizer = train::beyond(train::fit_affine(rows, bits)?, share, bits, &asked)?;
        self.of(train::widen(quantizer, &rows.features, self.ranges, bits)?, bits)
    }

    /// As [`train::fit_pixels`].
    pub fn pixels(self, rows: &Dataset, bits: u32) -> Result<Quantizer> {
        self.of(train::fit_pixels(rows, bits)?, bits)
    }

    fn of(self, quantizer: Quantizer, bits: u32) -> Result<Quantizer> {
        match self.digits {
            Some(digits) => train::coarsen(quantizer, digits, bits),
            None => Ok(quantizer),
        }
    }
}

/// The flag of kinds that predict either.
#[derive(Debug, Args)]
pub struct TaskArgs {
    /// What to predict: the target's class, or the target as a number [default: classify; on diabetes, regress]
    #[arg(long, env = "FHECTL_TASK", value_enum)]
    task: Option<TaskChoice>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TaskChoice {
    Classify,
    Regress,
}

impl TaskArgs {
    /// What was asked for; `None` leaves it to the data.
    pub fn task(&self) -> Option<Task> {
        self.task.map(|task| match task {
            TaskChoice::Classify => Task::Classify,
            TaskChoice::Regress => Task::Regress,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use fhectl_core::circuit::{CircuitKind, Reveal};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        common: CommonArgs,
    }

    #[test]
    fn every_flag_that_a_circuit_depends_on_is_in_the_request() {
        let line = Line::parse_from([
            "create",
            "--circuit=path-cost",
            "--reveal=nothing",
            "--p-fail=2^-64",
            "--bandwidth=2M",
            "--device=cpu",
        ]);
        let request = line.common.plan_request().unwrap();
        assert_eq!((request.circuit, request.reveal), (Some(CircuitKind::PathCost), Reveal::Nothing));
        assert_eq!((request.p_fail_log2, request.bandwidth), (-64.0, 2e6));
    }
}
