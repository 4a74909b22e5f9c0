//! Fine-tuning: the original teaches a network of its own shape to answer alike under rounding, noise and few bits.
//!
//! The student begins with the original's weights and sees rows (moved a little) with the original's scores as targets
//! (Hinton et al., arXiv:1503.02531), so that rows need no labels. Weights and values are rounded on the way forward just as
//! quantization after training rounds them, slopes pass straight through (Bengio et al., arXiv:1308.3432), and sums carry
//! the noise of encryption. What results is again a network in floats, whose quantization loses less.

mod moves;
mod steps;
mod student;
mod teacher;
mod tied_map;

pub(super) use moves::and_more;

use super::float_graph::FloatGraph;
use super::layer::Scales;
use super::levels::Levels;
use super::ptq_params::PtqParams;
use super::quantize::quantize_levels;
use super::scores::compared;
use super::search::{Judge, worth};
use crate::data::random::Random;
use crate::data::{Dataset, ImageShape};
use fhectl_core::error::Result;
use fhectl_core::model::Output;
use rayon::prelude::*;
use std::ops::ControlFlow;
use steps::Steps;
use student::{Setting, Student};
use teacher::Teacher;

/// The highest step, in parts of a layer's typical weight; it falls along a cosine.
const RATE: f32 = 0.008;
/// Rows a step.
const BATCH: usize = 32;
/// Rows whose slopes are summed in one go: fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 4;
/// Rows that are shown, where time allows.
const SHOWN: usize = 400_000;
/// Times that ranges are measured again.
const MEASURED: usize = 24;
/// Products a second that a budget of time is counted in, on two cores.
const PRODUCTS_PER_SECOND: f64 = 4e8;
/// Passes over a network for a row: forward, back to weights and to inputs, and the original's.
const PASSES: f64 = 5.0;

/// What is tuned.
pub(super) struct Tuned<'a> {
    /// The original.
    pub(super) graph: &'a FloatGraph,
    pub(super) image: bool,
    pub(super) picture: Option<ImageShape>,
    pub(super) rows: &'a Dataset,
    /// What passes are chosen by: rows that are not taught with, and others like them.
    pub(super) judge: &'a Judge<'a>,
    pub(super) seed: u64,
}

/// What a student has become.
pub(super) struct Taught {
    /// Its network, whose weights are rounded to what integers stand for.
    pub(super) levels: Levels,
    pub(super) scales: Scales,
    /// The same before rounding, from which it may learn on.
    pub(super) floats: Levels,
}

/// Trains a network from `levels` on for these parameters for about so many seconds and returns the best network by the judge; `None` where there is
/// no time for it. `tell` may break off.
///
/// # Errors
/// Those of the quantization.
pub(super) fn tune(
    tuned: &Tuned<'_>,
    levels: &Levels,
    params: &PtqParams,
    seconds: f64,
    tell: &mut dyn FnMut(String) -> ControlFlow<()>,
) -> Result<Option<Taught>> {
    let Tuned { graph, rows, .. } = *tuned;
    let output = rows.output();
    let outputs = if output == Output::Value { levels.outputs.clone() } else { compared(&levels.outputs) };
    // What integers stand for stays: weights learn to be good ones after rounding to just these.
    let first = quantize_levels(levels, tuned.image, rows, params, None)?;
    let scales = first.scales.clone();
    let mut student = Student::new(levels, &outputs, &first);
    let products = PASSES * student.terms() as f64 * rows.len() as f64;
    let epochs = (seconds * PRODUCTS_PER_SECOND / products) as usize;
    let epochs = epochs.min(SHOWN.div_ceil(rows.len().max(1)));
    if epochs == 0 {
        return Ok(None);
    }
    let teacher = Teacher::new(graph, output, &rows.rows);
    let mut steps = Steps::new(&student.maps);
    let mut random = Random::new(tuned.seed ^ 0x7455_6e65);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let batches = order.len().div_ceil(BATCH);
    let mut best: Option<(f64, Taught)> = None;
    let mut setting = Setting::of(&first, &student);
    let mut loss = 0.0f32;
    for epoch in 0..=epochs {
        if epoch % epochs.div_ceil(MEASURED) == 0 || epoch == epochs {
            let now = student.levels(&student.rounded(&setting));
            let quantization = quantize_levels(&now, tuned.image, rows, params, Some(&scales))?;
            let agreement = tuned.judge.allowed(&quantization.network)?;
            // Sums reach less or more far than before, and noise with them.
            setting = Setting::of(&quantization, &student);
            let worth = worth(&agreement);
            if best.as_ref().is_none_or(|(most, _)| worth > *most) {
                best = Some((worth, Taught { levels: now, scales: scales.clone(), floats: student.floats() }));
            }
            let words = format!(
                "fine-tuning, {} of {epochs} passes, loss {loss:.4}, agreement {:.2} %",
                epoch,
                100.0 * agreement.share()
            );
            if tell(words).is_break() {
                break;
            }
        }
        if epoch == epochs {
            break;
        }
        random.shuffle(&mut order);
        let seed = random.next();
        let mut total = 0.0;
        for (index, batch) in order.chunks(BATCH).enumerate() {
            let done = (epoch * batches + index) as f32 / (epochs * batches) as f32;
            let rate = RATE * (0.01 + 0.99 * 0.5 * (1.0 + (std::f32::consts::PI * done).cos()));
            let (loss, slopes) = slopes(tuned, &teacher, &student, &setting, batch, seed);
            total += loss;
            steps.take(&mut student.maps, &slopes, rate);
        }
        loss = total / rows.len() as f32;
    }
    Ok(best.map(|(_, taught)| taught))
}

/// The slopes of the loss by all parameters, over a batch.
fn slopes(
    tuned: &Tuned<'_>,
    teacher: &Teacher<'_>,
    student: &Student,
    setting: &Setting,
    batch: &[usize],
    seed: u64,
) -> (f32, Vec<Vec<f32>>) {
    let rounded = student.rounded(setting);
    let rows = &tuned.rows.rows;
    let none = || -> Vec<Vec<f32>> { student.maps.iter().map(|map| vec![0.0; map.values.len()]).collect() };
    let of_chunk = |chunk: &[usize]| {
        let mut slopes = none();
        let mut loss = 0.0;
        for at in chunk {
            let mut random = Random::new(seed.wrapping_add(*at as u64));
            let other = &rows[random.below(rows.len())];
            let row = moves::moved(&rows[*at], other, tuned.picture, &mut random);
            let wanted = teacher.graph.evaluate(&row);
            loss += student.learn(
                (setting, &rounded),
                &row,
                &mut random,
                |scores| teacher.loss(scores, &wanted),
                &mut slopes,
            );
        }
        (loss, slopes)
    };
    let parts: Vec<(f32, Vec<Vec<f32>>)> = batch.par_chunks(CHUNK).map(of_chunk).collect();
    let mut total = none();
    let mut loss = 0.0;
    for (of_part, part) in &parts {
        loss += of_part;
        for (total, part) in total.iter_mut().zip(part) {
            total.iter_mut().zip(part).for_each(|(total, slope)| *total += slope);
        }
    }
    (loss, total)
}
