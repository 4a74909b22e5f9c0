//! Names of classes.

use super::super::atom::Op;
use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::value::{Kind, Label, Origin, Tensor, Text, Texts, Value};
use crate::import::model::{MAX_CLASSES, large};
use crate::import::onnx::{Node, invalid};
use fhectl_core::error::Result;
use std::rc::Rc;

pub(super) fn label(names: Vec<String>, scores: Vec<Lin>) -> Label {
    Label { names, scores }
}

/// The same class by another name: the one at its index.
pub(super) fn renamed(label: &Label, names: &[String]) -> Result<Rc<Label>> {
    if names.len() < label.scores.len() {
        return Err(invalid(format!("{} names for {} classes", names.len(), label.scores.len())));
    }
    Ok(Rc::new(Label { names: names[..label.scores.len()].to_vec(), scores: label.scores.clone() }))
}

/// Names of classes, and the numbers that they are where they are numbers.
pub(super) struct Names {
    pub texts: Vec<String>,
    pub numbers: Option<Vec<f64>>,
}

/// The names of a classifier's classes.
pub(super) fn names(node: &Node, ints: &str) -> Result<Names> {
    let strings = node.texts("classlabels_strings")?;
    let names = if strings.is_empty() {
        let numbers = node.ints(ints)?;
        Names {
            texts: numbers.iter().map(ToString::to_string).collect(),
            numbers: Some(numbers.iter().map(|number| *number as f64).collect()),
        }
    } else {
        Names { texts: strings.to_vec(), numbers: None }
    };
    if !(2..=MAX_CLASSES).contains(&names.texts.len()) {
        return Err(large(format!("{}: {} classes, want 2 to {MAX_CLASSES}", node.label(), names.texts.len())));
    }
    Ok(names)
}

/// What a classifier's operator says: the name of the class with the largest score.
pub(super) fn value(scope: &mut Scope<'_>, names: Names, scores: Vec<Lin>) -> Result<Value> {
    let index = scope.arena.one(Op::WhichLargest, scores.clone(), true)?;
    let label = Some(Rc::new(label(names.texts.clone(), scores)));
    Ok(match names.numbers {
        Some(numbers) => {
            let table = scope.arena.shared(numbers);
            let number = scope.pick(&table, &index, true)?;
            Tensor { label, ..Tensor::new(vec![1], vec![number], Kind::Whole, Origin::Model) }.value()
        }
        None => Value::Texts(Rc::new(Texts { shape: vec![1], values: vec![Text::Computed], label })),
    })
}
