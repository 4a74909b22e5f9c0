//! What a graph says: a class, with scores, or a number.

use super::arena::{Arena, Side};
use super::atom::{Atom, Op};
use super::lin::Lin;
use super::scope::Scope;
use super::univariate::Calculation;
use super::value::{Kind, Label, Tensor, Value};
use crate::import::onnx::unsupported;
use fhectl_core::error::Result;
use fhectl_core::model::{ColumnRule, Function, class_of_scores};
use std::rc::Rc;

/// What a graph says.
#[derive(Debug)]
pub(super) enum Said {
    /// A class by its name, and one score a class, the largest of which is its.
    Class {
        names: Vec<String>,
        scores: Vec<Lin>,
    },
    Number(Lin),
}

/// How often two lists of scores are compared.
const TRIALS: u64 = 48;

/// The classes of the output that is one, with the probabilities that stand beside it; else of one that is a number (which
/// has no classes) or scores.
///
/// # Errors
/// `onnx_unsupported`; those of the outputs where none could be read.
pub(super) fn of(scope: &Scope<'_>) -> Result<Said> {
    let value = |name: &String| match scope.values.get(name.as_str()) {
        Some(value) => value.clone(),
        None => Err(unsupported("an output that is a constant")),
    };
    let values: Vec<Result<Value>> = scope.graph.outputs.iter().map(value).collect();
    let arena = &scope.arena;
    let numbers = || {
        values.iter().flatten().filter_map(|value| match value {
            Value::Numbers(numbers) => Some(numbers),
            Value::Texts(_) => None,
        })
    };
    let label = values.iter().flatten().find_map(|value| match value {
        Value::Numbers(numbers) => numbers.label.clone().or_else(|| of_truth(arena, numbers)),
        Value::Texts(texts) => texts.label.clone(),
    });
    if let Some(label) = label {
        let beside = || numbers().filter(|one| one.label.is_none());
        let seen = beside().find(|one| one.values.len() == label.scores.len()).map(|one| one.values.clone());
        // Or one output a class.
        let seen = seen.unwrap_or_else(|| beside().flat_map(|one| one.values.iter().cloned()).collect());
        let fits = seen.len() == label.scores.len() && agree(arena, &label.scores, &seen);
        let scores = if fits { seen } else { label.scores.clone() };
        return Ok(Said::Class { names: label.names.clone(), scores });
    }
    for one in numbers() {
        let numbered = |classes: usize| (0..classes).map(|class| class.to_string()).collect::<Vec<_>>();
        return Ok(match &one.values[..] {
            [] => continue,
            [number] if is_share(arena, number) => {
                Said::Class { names: numbered(2), scores: vec![Lin::constant(1.0).minus(number), number.clone()] }
            }
            [number] => match values.iter().find_map(|value| value.as_ref().err()) {
                // A score beside a class that could not be read is no model of its own.
                Some(error) => return Err(error.clone()),
                None => Said::Number(number.clone()),
            },
            // Several labels side by side, as of a MultiOutputClassifier, are no scores.
            labels if one.kind == Kind::Whole => {
                return Err(unsupported(format!("an output of {} classes, one beside the other", labels.len()))
                    .hint("export each of its models by itself, e.g. each of `model.estimators_`"));
            }
            scores => Said::Class { names: numbered(scores.len()), scores: scores.to_vec() },
        });
    }
    match values.into_iter().find_map(Result::err) {
        Some(error) => Err(error),
        None => Err(unsupported("no output is a class, a number or scores")),
    }
}

/// Whether a number is a sigmoid, or 1 minus one.
fn is_share(arena: &Arena, number: &Lin) -> bool {
    number.single().is_some_and(|(atom, factor, bias)| {
        let sigmoid = arena.argument(atom, Function::Sigmoid).is_some();
        sigmoid && ((factor, bias) == (1.0, 0.0) || (factor, bias) == (-1.0, 1.0))
    })
}

/// The two classes of a whole number that is one where a comparison holds and another where it does not, as outlier
/// detectors have it.
fn of_truth(arena: &Arena, numbers: &Tensor) -> Option<Rc<Label>> {
    let [number] = &numbers.values[..] else { return None };
    let (atom, factor, bias) = number.single().filter(|_| numbers.kind == Kind::Whole)?;
    // The larger `than` is, the more it holds.
    let than = match arena.atom(atom) {
        Atom::Made { op: Op::Rule(ColumnRule::AtLeast { edge }), of } => of[0].shifted(-edge),
        Atom::Made { op: Op::Rule(ColumnRule::Apply { function: Function::Positive }), of } => of[0].clone(),
        _ => return None,
    };
    let (no, yes) = (bias, bias + factor);
    let scores = if no < yes { vec![than.negated(), than] } else { vec![than.clone(), than.negated()] };
    let names = [no.min(yes), no.max(yes)].iter().map(ToString::to_string).collect();
    Some(Rc::new(Label { names, scores }))
}

/// Whether two lists of scores have the same largest one, whatever the model's sums are; sums are drawn.
fn agree(arena: &Arena, a: &[Lin], b: &[Lin]) -> bool {
    let first = |sums: &[Lin]| sums.first().and_then(|sum| sum.terms().first()).map_or(1.0, |term| term.1);
    let factor = first(b) / first(a);
    if factor > 0.0 && a.iter().zip(b).all(|(a, b)| a.scaled(factor).near(b)) {
        return true;
    }
    let both: Vec<Lin> = a.iter().chain(b).cloned().collect();
    let calculation = Calculation::of(arena, &both, |atom| arena.side_of(atom) != Side::Score);
    let mut state = 1u64;
    let mut next = || {
        // The generator of Knuth's MMIX; its upper bits are a number between 0 and 1.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let given: Vec<u32> = calculation.given().collect();
    let mut alike = 0;
    for trial in 0..TRIALS {
        let size = [0.03, 0.3, 3.0, 300.0][trial as usize % 4];
        let leaves: Vec<f64> = arena.trees.iter().map(|_| next()).collect();
        let drawn: Vec<f64> = given.iter().map(|_| size * (2.0 * next() - 1.0)).collect();
        let value = |atom: u32| match arena.atom(atom) {
            Atom::Leaf { tree, values } => values[(leaves[*tree as usize] * values.len() as f64) as usize],
            _ => given.binary_search(&atom).map_or(0.0, |place| drawn[place]),
        };
        let numbers = calculation.run(value);
        let (first, second) = numbers.split_at(a.len());
        let tied = |scores: &[f64]| {
            let best = scores[class_of_scores(scores).min(scores.len() - 1)];
            scores.iter().filter(|score| (best - **score).abs() < 1e-9 * (1.0 + best.abs())).count() > 1
        };
        if numbers.iter().any(|number| number.is_nan()) || tied(first) || tied(second) {
            continue;
        }
        if class_of_scores(first) != class_of_scores(second) {
            return false;
        }
        alike += 1;
    }
    alike > 0
}
