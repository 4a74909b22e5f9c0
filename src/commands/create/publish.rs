//! What `create` does with a model that was made: bundle, card, and what a person is told.

use super::common::CommonArgs;
use super::compiled_model::CompiledModel;
use super::measured::{class_report, measured};
use super::summary::{self, lost_by_quantizing, lost_class, price};
pub use crate::report::card::Rounded;
use crate::report::card::{ImportedFrom, Provenance, card, told_in_short};
use crate::report::{facts::facts, plan_table::plan_table};
use crate::report::{note, print_line};
use fhectl_core::bundle::{self, ClientSpec, Evaluation, FORMAT, Metrics, ServerSpec, folder};
use fhectl_core::circuit::plan::PLANNED_CORES;
use fhectl_core::digest;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::noise::SECURITY_BITS;
use fhectl_core::model::{FeatureQuantizer, Quantizer};
use fhectl_train::data::Dataset;
use fhectl_train::train;
use std::collections::HashSet;
use std::path::Path;

/// Where a model came from and where it goes.
pub struct Origin<'a> {
    pub kind: &'a str,
    pub name: &'a str,
    pub path: &'a Path,
    pub train_rows: &'a Dataset,
    pub test_rows: &'a Dataset,
    pub evaluation: Option<Evaluation>,
    /// Where another tool trained it.
    pub imported: Option<&'a ImportedFrom>,
    /// How far it agrees with the model it was made of, a line each.
    pub agreement: Vec<String>,
    /// What else could be done, a line each.
    pub hints: Vec<String>,
    /// Where its quantizers' numbers were rounded.
    pub rounded: Option<Rounded>,
    /// What is secret beside the model: keeps the bundle's id from being a commitment to it.
    pub secret: [u8; 32],
}

/// Whether nearly all edges are values of the rows, to 32 bits. Those midway between two are not.
fn edges_are_values(quantizer: &Quantizer, rows: &Dataset) -> bool {
    let (mut found, mut all) = (0usize, 0usize);
    for (feature, rule) in quantizer.features.iter().enumerate() {
        let FeatureQuantizer::Edges { edges } = rule else { continue };
        let values = rows.rows.iter().filter_map(|row| row.get(feature)).map(|value| (*value as f32).to_bits());
        let values: HashSet<u32> = values.collect();
        all += edges.len();
        found += edges.iter().filter(|edge| values.contains(&(**edge as f32).to_bits())).count();
    }
    all > 0 && 10 * found >= 9 * all
}

/// Writes the bundle and its card, and says what was made.
pub fn publish(made: CompiledModel, origin: &Origin<'_>, args: &CommonArgs) -> Result<()> {
    let Origin { train_rows, test_rows, .. } = *origin;
    let chosen = made.plans.first().ok_or_else(|| {
        Error::new(ErrorCode::CircuitUnfit, "no circuit runs this kind of model").hint("choose another kind of model")
    })?;
    let decoder = made.decoder(train_rows.classes.len());
    let simulated = train::simulated(&chosen.spec, &made.model, &made.quantizer, test_rows, &decoder)?;
    let report = class_report(&made, test_rows)?;
    let quality = measured(&made, test_rows, simulated.as_ref())?;
    let metrics = Metrics { train_rows: train_rows.len(), test_rows: test_rows.len(), quality };
    let spec = ClientSpec {
        format: FORMAT,
        name: origin.name.to_owned(),
        kind: origin.kind.to_owned(),
        features: train_rows.features.clone(),
        target: train_rows.target.clone(),
        classes: train_rows.classes.clone(),
        input: made.input,
        preprocessing: made.preprocessing,
        quantizer: made.quantizer,
        circuit: chosen.spec.clone(),
        reveal: args.reveal.into(),
        // Rounded up: to all their digits they are functions of the model, and this half of the bundle is public.
        p_fail_log2: chosen.guarantees.p_fail_log2.map(f64::ceil),
        flooding_log2: chosen.guarantees.flooding_log2.map(f64::ceil),
        security_bits: SECURITY_BITS,
        score_scale: made.score_scale,
        score_offset: made.score_offset,
        score_unit: made.score_unit,
        head: made.head,
        evaluation: origin.evaluation.clone(),
    };
    let salt = digest::to_hex(&origin.secret);
    let server = ServerSpec { format: FORMAT, salt, model: made.model, metrics };
    let (client_zip, server_zip) = bundle::pack(&spec, &server)?;
    let edges_are_values = edges_are_values(&spec.quantizer, train_rows);
    let provenance = Provenance {
        rows: &train_rows.name,
        options: &made.options,
        imported: origin.imported,
        rounded: origin.rounded,
        edges_are_values,
    };
    let card = card(&spec, &server, &provenance);
    folder::write(origin.path, &client_zip, &server_zip, &card, args.force)?;
    let weights = match &made.network {
        Some(network) if network.save_weights => network.trained.save(origin.path)?,
        _ => Vec::new(),
    };

    let facts = facts(&spec);
    // What it is; the rest is told by `inspect`.
    let told = if args.verbose { facts.len() } else { 3 };
    for (label, value) in &facts[..told] {
        print_line!("{label}: {value}");
    }
    if let Some(reach) = made.reach.filter(|reach| !reach.is_empty()) {
        print_line!("reach (--range, --margin): {reach}");
    }
    if args.verbose {
        print_line!("estimated for an inference, {PLANNED_CORES} cores on either side:");
        print_line!("{}", plan_table(&made.plans, 0, args.bandwidth));
    }
    print_line!("written: {}", origin.path.display());
    if !train_rows.is_empty() {
        print_line!("client.zip, which is public, holds of the rows: {}", told_in_short(&spec, edges_are_values));
    }
    for file in weights {
        print_line!("weights: {}", file.display());
    }
    if let Some(warning) = lost_by_quantizing(&metrics.quality) {
        note(&warning);
    }
    origin.hints.iter().for_each(|hint| print_line!("note: {hint}"));
    // What a person needs first stands last, where it is seen.
    summary::tell(&metrics, origin.rounded, simulated.as_ref());
    if let Some(report) = &report {
        report.lines(&spec.classes).iter().for_each(|line| print_line!("{line}"));
        if let Some(warning) = lost_class(report, &spec.classes, made.could_weigh_classes) {
            note(&warning);
        }
    }
    origin.agreement.iter().for_each(|line| print_line!("{line}"));
    print_line!("{}", price(chosen, args.bandwidth));
    Ok(())
}
