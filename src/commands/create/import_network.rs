//! `create import` of a neural network: quantization after training, and fine-tuning where that pays.

use super::common::Grain;
use super::compiled_model::CompiledModel;
use crate::report::print_line;
use clap::Args;
use fhectl_core::bundle::ScoreUnit;
use fhectl_core::circuit::plan::PlanRequest;
use fhectl_core::error::Result;
use fhectl_core::model::Model;
use fhectl_train::data::Dataset;
use fhectl_train::import::Imported;
use fhectl_train::import::network::{CompileRequest, Compiled, Fixed, Lowered, announcement, compile};
use fhectl_train::train::Score;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How a network is quantized. What is not given is searched for: the cheapest that keeps the original's answers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Networks (what is not given is chosen: the cheapest that keeps the original's answers)")]
pub struct PtqArgs {
    /// Bits of an activation (1 to 8)
    #[arg(long, env = "FHECTL_ACTIVATION_BITS", value_name = "BITS")]
    activation_bits: Option<u32>,
    /// Bits of a signed weight (2 to 12): of the largest weight of a typical channel
    #[arg(long, env = "FHECTL_WEIGHT_BITS", value_name = "BITS")]
    weight_bits: Option<u32>,
    /// The percentage of an activation's values on the rows that its range holds; outliers at either end are cut off
    #[arg(long, env = "FHECTL_PERCENTILE", value_name = "PERCENT")]
    percentile: Option<f64>,
    /// The noise that encryption may put on sums before an activation, in turns (fractions of the plaintext modulus): the
    /// less, the truer, and the larger the keys
    #[arg(long, env = "FHECTL_NOISE", value_name = "TURNS")]
    noise: Option<f64>,
    /// The same on scores
    #[arg(long, env = "FHECTL_SCORE_NOISE", value_name = "TURNS")]
    score_noise: Option<f64>,
    /// About how long the original may teach a network of its shape to bear fewer bits and more noise, where quantization
    /// alone is dear
    #[arg(long, env = "FHECTL_BUDGET_MINUTES", value_name = "MINUTES", default_value_t = 3.0)]
    budget_minutes: f64,
    /// Keep the original's weights
    #[arg(long, env = "FHECTL_NO_FINETUNE")]
    no_finetune: bool,
}

/// What a network is made for, beside its rows.
pub struct NetworkRequest<'a> {
    /// Bits of a feature, where they are asked for.
    pub bits: Option<u32>,
    /// The digits of what client.zip holds.
    pub grain: Grain<'a>,
    pub seed: u64,
    pub plan: &'a PlanRequest,
    /// Whether to print what a person should know before it is made.
    pub announces: bool,
}

impl PtqArgs {
    /// The integer network and its circuit. `tell` is given what is being done.
    pub fn made(
        &self,
        imported: &Imported,
        network: &Lowered,
        request: &NetworkRequest<'_>,
        calibration: &Dataset,
        float: Score,
        tell: &dyn Fn(String),
    ) -> Result<CompiledModel> {
        let decoder = imported.decoder();
        let budget = Duration::try_from_secs_f64(60.0 * self.budget_minutes.clamp(0.0, 1e6)).unwrap_or_default();
        let asked = CompileRequest {
            lowered: network,
            rows: calibration,
            decoder: &decoder,
            fixed: self.fixed(request),
            plan: request.plan,
            tuning_seconds: (!self.no_finetune && !budget.is_zero()).then_some(budget.as_secs_f64()),
            seed: request.seed,
        };
        // The budget is counted in work, so that all machines make the same; one that is far slower breaks off.
        let (start, last) = (Instant::now(), budget.saturating_mul(3));
        let compiled = compile(&asked, &mut |words| {
            tell(words);
            if start.elapsed() > last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if request.announces {
            tell_of(&compiled, network);
        }
        let options = options(&compiled);
        let model = Model::Network(compiled.quantized.network);
        let quantized_offset = compiled.quantized.score_offset;
        Ok(CompiledModel {
            score_scale: Some(compiled.quantized.score_scale),
            score_offset: imported.classes.is_empty().then_some(quantized_offset),
            score_unit: ScoreUnit::Logit,
            input: imported.input.clone(),
            preprocessing: imported.preprocessing.clone(),
            head: imported.head.clone(),
            ..CompiledModel::new(model, compiled.quantized.quantizer, compiled.plans, float, options)
        })
    }

    fn fixed(&self, request: &NetworkRequest<'_>) -> Fixed {
        Fixed {
            bits: request.bits,
            activation_bits: self.activation_bits,
            weight_bits: self.weight_bits,
            percentile: self.percentile,
            noise: self.noise,
            score_noise: self.score_noise,
            coarse_edges: request.grain.digits,
        }
    }
}

/// What it was made with, for the card.
fn options(compiled: &Compiled) -> String {
    let params = &compiled.params;
    let how = match (compiled.tuned, compiled.averages) {
        (true, true) => "fine-tuned, pooling before the activation",
        (true, false) => "fine-tuned",
        _ => "quantized after training",
    };
    let mut words = format!(
        "{} bits a feature, {} a weight, {} an activation, {} activations; {how}, ranges of {} % of the rows' values, noise of \
         {} turns and of {} on scores",
        params.bits,
        params.weight_bits,
        params.activation_bits,
        compiled.quantized.network.activations(),
        params.percentile,
        params.noise,
        params.score_noise
    );
    if let Some(before) = compiled.after_training.as_ref().filter(|_| compiled.tuned) {
        _ = write!(words, "; with the original's weights: {before}");
    }
    words
}

/// Says what a person should know of costs and of what was chosen.
fn tell_of(compiled: &Compiled, network: &Lowered) {
    let params = &compiled.params;
    print_line!(
        "chosen: {} bits a weight, {} an activation, noise of {} turns, {} on scores; {}",
        params.weight_bits,
        params.activation_bits,
        params.noise,
        params.score_noise,
        if compiled.tuned { "fine-tuned weights" } else { "the original's weights" }
    );
    if compiled.averages {
        print_line!(
            "note: pooling became the mean before the activation, which keeps the original's answers and costs less"
        );
    }
    if let Some(before) = compiled.after_training.as_ref().filter(|_| compiled.tuned) {
        print_line!("without fine-tuning: {before}");
    }
    if !compiled.holds {
        print_line!(
            "warning: no quantization that was tried keeps 99 % of the original's answers (numbers: R2 of 0.99); the best on \
             the calibration rows has {}",
            compiled.agreement
        );
    }
    let offer = compiled.averaged.as_ref().filter(|_| !compiled.averages && network.averaged.is_some());
    let activations = compiled.quantized.network.activations();
    if let Some(words) = compiled.plans.first().and_then(|plan| announcement(plan, activations, offer)) {
        print_line!("{words}");
    }
}
