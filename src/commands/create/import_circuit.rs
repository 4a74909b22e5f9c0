//! From an imported linear model or trees to integers that have a circuit.

use super::common::Grain;
use super::compiled_model::CompiledModel;
use super::finest::{Finest, finest_weights};
use super::import_agreement::agreement;
use super::trees::{Trained, ValueArgs};
use fhectl_core::circuit::plan::{PLANNED_CORES, PlanRequest, plan};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{InputSchema, Model, Output};
use fhectl_train::data::Dataset;
use fhectl_train::import::{self, Agreement, FloatModel, Imported, Levels, QuantizedImport, QuantizedModel};
use fhectl_train::train::{FloatForest, Score};

/// How a linear model or trees shall be quantized and run.
pub struct TableRequest<'a> {
    pub levels: Levels,
    pub trees: TreesAsked<'a>,
    pub grain: Grain<'a>,
    pub plan: &'a PlanRequest,
}

/// What is asked of trees.
#[derive(Clone, Copy)]
pub struct TreesAsked<'a> {
    pub values: &'a ValueArgs,
    /// A single tree answers with its class alone.
    pub class_only: bool,
}

/// The most nodes of trees for which a handful of plans are made to compare their prices.
const COMPARED_NODES: usize = 1 << 15;

/// The most bits a feature that are tried unasked, for trees and for linear models.
const MOST_BITS: u32 = 10;
const MOST_LINEAR_BITS: u32 = 14;

/// The model quantized as asked, and its circuit.
///
/// # Errors
/// Those of [`import::quantize`] and [`plan`]; `circuit_unfit` where a class alone is asked of more than a tree.
pub fn compiled(
    imported: &Imported,
    rows: &Dataset,
    columns: &[String],
    float: Score,
    asked: &TableRequest<'_>,
) -> Result<CompiledModel> {
    let attempt = |levels: Levels| -> Result<(Option<u32>, CompiledModel)> {
        let quantized = import::quantize(imported, rows, levels, (asked.grain.digits, asked.grain.ranges))?;
        Ok((quantized.bits, made(imported, quantized, columns, float, asked)?))
    };
    let (bits, best) = attempt(asked.levels)?;
    let Some(bits) = bits else { return Ok(best) };
    let at = |bits: u32| attempt(Levels::Bits(bits)).map(|(_, made)| made);
    let finer = |best, most| finer(best, (bits, most), imported, rows, (&at, asked.plan.bandwidth));
    match &imported.model {
        FloatModel::Linear(_) if asked.levels == Levels::Auto => {
            coarser(finer(best, MOST_LINEAR_BITS)?, bits, imported, rows, &at)
        }
        FloatModel::Linear(_) => coarser(best, bits, imported, rows, &at),
        FloatModel::Forest(forest) if asked.levels == Levels::Auto && forest.nodes() <= COMPARED_NODES => {
            finer(best, MOST_BITS)
        }
        _ => Ok(best),
    }
}

/// The linear model of this many bits a feature or of fewer: finer features leave weights fewer bits in a sum of the same
/// size, so coarser ones may agree better.
fn coarser(
    mut best: CompiledModel,
    bits: u32,
    imported: &Imported,
    rows: &Dataset,
    at: &impl Fn(u32) -> Result<CompiledModel>,
) -> Result<CompiledModel> {
    let mut found = agreement(&best, imported, rows)?;
    for fewer in (6..bits).rev().step_by(2) {
        if found.is_none_or(|found| found.is_enough()) {
            break;
        }
        let made = at(fewer)?;
        let agreement = agreement(&made, imported, rows)?;
        if agreement.map(|other| other.rank()) > found.map(|found| found.rank()) {
            (best, found) = (made, agreement);
        }
    }
    Ok(best)
}

/// The model of this many bits a feature, which agrees enough, or of up to `most` where these agree better for hardly more.
fn finer(
    mut best: CompiledModel,
    (bits, most_bits): (u32, u32),
    imported: &Imported,
    rows: &Dataset,
    (at, bandwidth): (&impl Fn(u32) -> Result<CompiledModel>, f64),
) -> Result<CompiledModel> {
    /// What an inference may cost, as a share of what it costs with the fewest bits: while scores are not the original's to
    /// a hundredth, and after that.
    const PRICES: [f64; 2] = [2.0, 1.25];
    let first = seconds(&best, bandwidth);
    let Some(mut found) = agreement(&best, imported, rows)? else { return Ok(best) };
    for bits in bits + 1..=most_bits {
        if found.is_whole() {
            break;
        }
        let made = at(bits)?;
        if seconds(&made, bandwidth) > first * PRICES[usize::from(found.is_near())] {
            break;
        }
        match agreement(&made, imported, rows)? {
            Some(other) if other.rank() > found.rank() => (best, found) = (made, other),
            _ => {}
        }
    }
    Ok(best)
}

/// Predicted seconds of an inference.
fn seconds(made: &CompiledModel, bandwidth: f64) -> f64 {
    made.plans.first().map_or(f64::INFINITY, |plan| plan.total_seconds(bandwidth, PLANNED_CORES))
}

/// What could be had instead of what was made, with its price: said, not done, because each gives something up.
pub fn offers(
    made: &CompiledModel,
    imported: &Imported,
    (rows, test, columns): (&Dataset, &Dataset, &[String]),
    agrees: Agreement,
    asked: &TableRequest<'_>,
) -> Vec<String> {
    let FloatModel::Forest(forest) = &imported.model else { return Vec::new() };
    if forest.nodes() > COMPARED_NODES {
        return Vec::new();
    }
    let price = |made: &CompiledModel| 1e3 * seconds(made, asked.plan.bandwidth);
    let mut offers = Vec::new();
    // What cannot be made so is no offer.
    let exact = TableRequest { levels: Levels::Exact, ..*asked };
    let wanted = asked.levels != Levels::Exact && !agrees.is_whole();
    if let Some(exact) = wanted.then(|| compiled(imported, rows, columns, made.float, &exact).ok()).flatten()
        && let Ok(Some(other)) = agreement(&exact, imported, test)
        && other.rank() > agrees.rank()
        && price(&exact) <= price(made)
    {
        offers.push(format!(
            "with --exact-thresholds: {}, and about {:.1} ms an inference instead of {:.1}; client.zip, which is public, \
             would then hold the thresholds",
            other.on("the test rows"),
            price(&exact),
            price(made)
        ));
    }
    let alone = TableRequest { trees: TreesAsked { class_only: true, ..asked.trees }, ..*asked };
    if matches!(made.model, Model::Forest(_))
        && forest.trees.len() == 1
        && let Ok(alone) = compiled(imported, rows, columns, made.float, &alone)
        && price(&alone) < price(made)
    {
        offers.push(format!(
            "with --class-only: about {:.1} ms an inference instead of {:.1}, but no probabilities",
            price(&alone),
            price(made)
        ));
    }
    offers
}

/// The integer model and its circuit.
fn made(
    imported: &Imported,
    quantized: QuantizedImport,
    columns: &[String],
    float: Score,
    asked: &TableRequest<'_>,
) -> Result<CompiledModel> {
    let output = imported.output();
    let request = asked.plan;
    let QuantizedImport { quantizer, bits, model, .. } = quantized;
    let options = bits.map_or("the model's own thresholds".to_owned(), |bits| format!("{bits} bits a feature"));
    let unit = imported.unit;
    let made = match model {
        QuantizedModel::Forest(forest) => {
            of_trees(Trained { forest, quantizer, output, float, unit, options }, imported, asked)?
        }
        QuantizedModel::Linear(_) if asked.trees.class_only => return Err(no_single_tree()),
        QuantizedModel::Linear(mut linear) => {
            // The middle of the predicted numbers is added in clear, so that sums stay small.
            let middle = |(bias, weights): (&f64, &Vec<f64>)| {
                bias + weights.iter().zip(&linear.means).map(|(weight, mean)| weight * mean).sum::<f64>()
            };
            let offset =
                output.takes_offset().then(|| linear.biases.iter().zip(&linear.weights).map(middle).next()).flatten();
            linear.biases.iter_mut().for_each(|bias| *bias -= offset.unwrap_or(0.0));
            let Finest { model, scale, bits, plans } = finest_weights(&linear, &quantizer, output, request)?;
            CompiledModel {
                score_scale: Some(scale),
                score_offset: offset,
                score_unit: unit,
                ..CompiledModel::new(model, quantizer, plans, float, format!("{options}, {bits} bits a weight"))
            }
        }
    };
    // A table's columns must be named where features are made of them.
    let named = || InputSchema::numbers(columns);
    let input = imported.input.clone().or_else(|| (imported.names_after(columns) != columns).then(named));
    Ok(CompiledModel { input, preprocessing: imported.preprocessing.clone(), head: imported.head.clone(), ..made })
}

/// Trees whose leaves are values, so that scores are the original's; a single tree whose leaves are classes, where these are
/// all that the original says, or all that is asked for.
fn of_trees(trained: Trained, imported: &Imported, asked: &TableRequest<'_>) -> Result<CompiledModel> {
    let tree = trained.forest.as_tree(trained.output);
    let sure = says_classes(&trained.forest, imported);
    match tree {
        Some(tree) if asked.trees.class_only || (sure && !asked.trees.values.given()) => {
            let Trained { quantizer, output, float, unit, options, .. } = trained;
            let model = Model::Tree(tree);
            let plans = plan(&model, &quantizer, output, asked.plan)?;
            let told = if sure { options } else { format!("{options}, the class alone") };
            let made = CompiledModel::new(model, quantizer, plans, float, told);
            // One for the class and zero for all others is the original's score.
            Ok(if sure { CompiledModel { score_scale: Some(1.0), score_unit: unit, ..made } } else { made })
        }
        None if asked.trees.class_only => Err(no_single_tree()),
        _ => asked.trees.values.make(trained, asked.plan),
    }
}

/// Whether every leaf gives a class all of the score.
fn says_classes(forest: &FloatForest, imported: &Imported) -> bool {
    let [tree] = &forest.trees[..] else { return false };
    let decoder = imported.decoder();
    let sure = |values: &Vec<f64>| {
        let scores: Vec<f64> = values.iter().zip(&forest.biases).map(|(value, bias)| value + bias).collect();
        decoder.class_scores_real(&scores).iter().all(|score| score.abs() < 1e-6 || (score - 1.0).abs() < 1e-6)
    };
    matches!(imported.output(), Output::Classes(_)) && tree.leaves().all(sure)
}

/// The refusal of `--class-only`.
pub fn no_single_tree() -> Error {
    Error::new(ErrorCode::CircuitUnfit, "the model is no single tree that predicts a class")
        .hint("leave out --class-only")
}
