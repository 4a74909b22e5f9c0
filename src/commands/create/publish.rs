//! What `create` does with a model that was made: bundle, card, and what a person is told.

use super::common::CommonArgs;
pub use crate::report::card::Rounded;
use crate::report::card::{ImportedFrom, Provenance, card, told_in_short};
use crate::report::{bytes, note, number, print_line, seconds};
use crate::report::{facts::facts, plan_table::plan_table};
use fhectl_core::bundle::{
    self, ClientSpec, Evaluation, FORMAT, Head, Metrics, Predicted, Quality, ScoreDecoder, ScoreUnit, ServerSpec,
    folder,
};
use fhectl_core::circuit::plan::{PLANNED_CORES, Plan};
use fhectl_core::digest;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::noise::SECURITY_BITS;
use fhectl_core::model::{ClearStep, FeatureQuantizer, InputSchema, Model, Quantizer};
use fhectl_train::data::Dataset;
use fhectl_train::train::{self, ClassReport, Family, Score, Simulated, SimulatedQuality, TrainedNetwork};
use rayon::prelude::*;
use std::collections::HashSet;
use std::path::Path;

/// A model that was made and has a circuit.
pub struct CompiledModel {
    pub model: Model,
    /// How a table's cells become numbers; `None` where they are numbers.
    pub input: Option<InputSchema>,
    /// What is done to rows before they are quantized; `quantizer` and all figures are of rows after it.
    pub preprocessing: Vec<ClearStep>,
    pub quantizer: Quantizer,
    /// The circuits that fit, the chosen one first.
    pub plans: Vec<Plan>,
    /// The float model's score on the test rows.
    pub float: Score,
    /// What an integer score is worth as a logit or in the target's unit.
    pub score_scale: Option<f64>,
    /// What is added to a predicted number.
    pub score_offset: Option<f64>,
    /// What scores of classes are.
    pub score_unit: ScoreUnit,
    /// How a client makes a prediction of the scores, where it computes more than the unit says.
    pub head: Option<Head>,
    /// What it was made with, for the card.
    pub options: String,
    /// How far features reach, of linear models, for a person.
    pub reach: Option<String>,
    /// What predictions are judged by beside squared errors.
    pub deviance: Option<Deviance>,
    /// Whether rows of rare classes could have counted more.
    pub could_weigh_classes: bool,
    /// What a network's training left beside the model.
    pub network: Option<NetworkExtras>,
}

impl CompiledModel {
    /// A model of classes whose integer scores are all there is to say.
    pub fn new(model: Model, quantizer: Quantizer, plans: Vec<Plan>, float: Score, options: String) -> Self {
        Self {
            model,
            input: None,
            preprocessing: Vec::new(),
            quantizer,
            plans,
            float,
            score_scale: None,
            score_offset: None,
            score_unit: ScoreUnit::default(),
            head: None,
            options,
            reach: None,
            deviance: None,
            could_weigh_classes: false,
            network: None,
        }
    }

    /// What its scores stand for; 0 `classes` where a number is predicted.
    pub fn decoder(&self, classes: usize) -> ScoreDecoder {
        ScoreDecoder {
            classes,
            scale: self.score_scale,
            offset: self.score_offset,
            unit: self.score_unit,
            head: self.head.clone(),
        }
    }
}

/// What a generalized linear model's predictions are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Deviance {
    pub family: Family,
    /// The share of the deviance that the float model explains of the test rows.
    pub float: f64,
}

/// What a network has beside what every model has.
pub struct NetworkExtras {
    pub trained: TrainedNetwork,
    pub save_weights: bool,
}

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
    let simulated = train::simulated(
        &chosen.spec,
        &made.model,
        &made.quantizer,
        test_rows,
        &made.decoder(train_rows.classes.len()),
    )?;
    let report = class_report(&made, test_rows)?;
    let quality = if !test_rows.is_labeled() {
        Quality::Unmeasured {}
    } else {
        let quantized = quantized_score(&made, test_rows)?;
        explained(quality(made.float, quantized, simulated.as_ref())?, &made, test_rows)?
    };
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
    // What a person needs first stands last, where it is seen.
    tell(&metrics, origin.rounded, simulated.as_ref());
    if let Some(report) = &report {
        report.lines(&spec.classes).iter().for_each(|line| print_line!("{line}"));
        if let Some(warning) = lost_class(report, &spec.classes, made.could_weigh_classes) {
            note(&warning);
        }
    }
    print_line!("{}", price(chosen, args.bandwidth));
    Ok(())
}

/// How well the integer model tells each class from the others; `None` where a number is predicted or there are no labels.
fn class_report(made: &CompiledModel, rows: &Dataset) -> Result<Option<ClassReport>> {
    let classes = rows.classes.len();
    if classes == 0 || rows.labels.is_empty() {
        return Ok(None);
    }
    let decoder = made.decoder(classes);
    let scores: Vec<Vec<i64>> =
        train::quantize_rows(&made.quantizer, rows)?.par_iter().map(|row| made.model.scores(row)).collect();
    let predicted = scores.iter().map(|scores| match decoder.predict(scores) {
        Predicted::Class(class) => class,
        Predicted::Value(_) => 0,
    });
    let report = ClassReport::of(classes, rows.labels.iter().map(|label| *label as usize).zip(predicted));
    // A model whose leaves are classes ranks no rows.
    if classes != 2 || made.score_scale.is_none() {
        return Ok(Some(report));
    }
    let ranked = rows.labels.iter().zip(&scores).map(|(label, scores)| (*label == 1, decoder.class_scores(scores)[1]));
    Ok(Some(report.with_scores(&ranked.collect::<Vec<_>>())))
}

/// A warning where quantizing costs much of what the float model knows.
fn lost_by_quantizing(quality: &Quality) -> Option<String> {
    /// Of accuracy or R2, what may be lost without a word.
    const LOSS: f64 = 0.03;
    let (what, float, quantized) = match quality {
        Quality::Accuracy { float_accuracy, quantized_accuracy, .. } => {
            ("accuracy", *float_accuracy, *quantized_accuracy)
        }
        Quality::Regression { float_r2, quantized_r2, .. } => ("R2", *float_r2, *quantized_r2),
        Quality::Unmeasured {} => return None,
    };
    (float - quantized > LOSS).then(|| {
        format!("quantizing costs {what}: {quantized:.4} instead of {float:.4}; more --bits (of leaf values: --value-bits) may keep it")
    })
}

/// A warning where a class is hardly ever found.
fn lost_class(report: &ClassReport, names: &[String], could_weigh: bool) -> Option<String> {
    /// Below this share of its rows a class counts as lost, in models that find most rows of others.
    const LOST: f64 = 0.2;
    let (class, recall) = (report.recall.iter().enumerate())
        .filter_map(|(class, recall)| recall.map(|recall| (class, recall)))
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    (recall < LOST && report.balanced_accuracy > LOST).then(|| {
        format!(
            "the model finds only {:.0} % of the rows of class `{}`; accuracy does not show it where the class is rare{}",
            recall * 100.0,
            names[class],
            if could_weigh { ". With --class-weight balanced it counts as much as the others" } else { "" }
        )
    })
}

/// The score of the integer model in clear.
pub fn quantized_score(made: &CompiledModel, rows: &Dataset) -> Result<Score> {
    train::score(&made.model, &made.quantizer, rows, &made.decoder(rows.classes.len()))
}

fn quality(float: Score, quantized: Score, simulated: Option<&Simulated>) -> Result<Quality> {
    match (float, quantized) {
        (Score::Accuracy(float_accuracy), Score::Accuracy(quantized_accuracy)) => Ok(Quality::Accuracy {
            float_accuracy,
            quantized_accuracy,
            simulated_accuracy: simulated.and_then(|simulated| match simulated.quality {
                SimulatedQuality::Classes { accuracy, .. } => Some(accuracy),
                SimulatedQuality::Value { .. } => None,
            }),
        }),
        (Score::Fit(float), Score::Fit(quantized)) if !(float.r2.is_finite() && quantized.r2.is_finite()) => {
            Err(Error::new(ErrorCode::OneValue, "all test rows have the same number to predict: R2 says nothing")
                .hint("give more rows, or a larger --test-size"))
        }
        (Score::Fit(float), Score::Fit(quantized)) => Ok(Quality::Regression {
            float_r2: float.r2,
            quantized_r2: quantized.r2,
            float_rmse: float.rmse,
            quantized_rmse: quantized.rmse,
            quantized_mae: Some(quantized.mae),
            float_d2: None,
            quantized_d2: None,
            simulated_r2: simulated.and_then(|simulated| match simulated.quality {
                SimulatedQuality::Value { r2, .. } => Some(r2),
                SimulatedQuality::Classes { .. } => None,
            }),
        }),
        _ => Err(Error::new(ErrorCode::Internal, "a classifier and a regression were compared")),
    }
}

/// With the shares of the deviance that are explained, where the model is of a family.
fn explained(quality: Quality, made: &CompiledModel, rows: &Dataset) -> Result<Quality> {
    let (Some(deviance), Quality::Regression { .. }) = (made.deviance, quality) else { return Ok(quality) };
    let decoder = made.decoder(0);
    let value = |row: &Vec<u32>| match decoder.predict(&made.model.scores(row)) {
        Predicted::Value(value) => value,
        Predicted::Class(_) => f64::NAN,
    };
    let predicted: Vec<f64> = train::quantize_rows(&made.quantizer, rows)?.par_iter().map(value).collect();
    let known = |share: f64| Some(share).filter(|share| share.is_finite());
    Ok(match quality {
        Quality::Regression {
            float_r2, quantized_r2, float_rmse, quantized_rmse, simulated_r2, quantized_mae, ..
        } => Quality::Regression {
            float_r2,
            quantized_r2,
            float_rmse,
            quantized_rmse,
            simulated_r2,
            quantized_mae,
            float_d2: known(deviance.float),
            quantized_d2: known(deviance.family.d2(&predicted, &rows.values)),
        },
        other => other,
    })
}

/// What an inference takes: the line that a person decides by.
fn price(plan: &Plan, bandwidth: f64) -> String {
    let key = match plan.spec.key_bytes() {
        0 => "no key".to_owned(),
        size => format!("key {} once", bytes(size)),
    };
    format!(
        "an inference: about {} ({PLANNED_CORES} cores on either side, {} of computing; an estimate), {key}, request {}, response {}",
        seconds(plan.total_seconds(bandwidth, PLANNED_CORES)),
        seconds(plan.seconds(PLANNED_CORES)),
        bytes(plan.spec.request_bytes()),
        bytes(plan.spec.response_bytes()),
    )
}

fn tell(metrics: &Metrics, rounded: Option<Rounded>, simulated: Option<&Simulated>) {
    match metrics.quality {
        Quality::Accuracy { float_accuracy, quantized_accuracy, .. } => {
            print_line!("float accuracy: {float_accuracy:.4}");
            print_line!("quantised accuracy: {quantized_accuracy:.4}");
        }
        Quality::Regression {
            float_r2,
            quantized_r2,
            float_rmse,
            quantized_rmse,
            quantized_mae,
            float_d2,
            quantized_d2,
            ..
        } => {
            print_line!("float R2: {float_r2:.4} (RMSE {float_rmse:.4})");
            print_line!("quantised R2: {quantized_r2:.4} (RMSE {quantized_rmse:.4})");
            if let (Some(float), Some(quantized)) = (float_d2, quantized_d2) {
                print_line!("float D2: {float:.4}, the share of the deviance that is explained");
                print_line!("quantised D2: {quantized:.4}");
            }
            if let Some(mae) = quantized_mae {
                print_line!("mean absolute error: {}", number(mae));
            }
        }
        Quality::Unmeasured {} => print_line!("accuracy: not measured, for there are no labeled rows"),
    }
    match rounded {
        Some(Rounded { exact: Some(Score::Accuracy(accuracy)), .. }) if metrics.test_rows > 0 => {
            print_line!("quantised accuracy with exact edges: {accuracy:.4}");
        }
        Some(Rounded { exact: Some(Score::Fit(fit)), .. }) if metrics.test_rows > 0 => {
            print_line!("quantised R2 with exact edges: {:.4} (RMSE {:.4})", fit.r2, fit.rmse);
        }
        Some(Rounded { exact: None, .. }) => {
            print_line!(
                "note: trained with rounded edges only; leave out --coarse-edges to see the accuracy with exact ones"
            );
        }
        _ => {}
    }
    if let Some(simulated) = simulated {
        match simulated.quality {
            SimulatedQuality::Classes { accuracy, .. } => {
                print_line!("simulated accuracy, with the noise of encryption: {accuracy:.4}")
            }
            SimulatedQuality::Value { r2, .. } => print_line!("simulated R2, with the noise of encryption: {r2:.4}"),
        }
        print_line!("sums that wrapped around: {} over all test rows", simulated.wraps);
    }
    print_line!("test rows: {}", metrics.test_rows);
}
