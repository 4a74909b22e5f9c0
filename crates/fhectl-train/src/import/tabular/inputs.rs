//! The row: what a graph takes in.

use super::arena::Arena;
use super::lin::Lin;
use super::value::{Kind, Origin, Tensor, Text, Texts, Value};
use crate::import::model::{MAX_FEATURES, large};
use crate::import::onnx::{Input, unsupported};
use fhectl_core::error::Result;
use std::rc::Rc;

/// A column of the table.
#[derive(Debug, Clone)]
pub(super) struct TableColumn {
    pub name: String,
    pub cells: Cells,
}

/// What its cells hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cells {
    Numbers,
    Truths,
    Texts,
}

/// The columns of a graph's inputs, and whether the file names them: it does where every input is one of several columns.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub columns: Vec<TableColumn>,
    pub named: bool,
}

/// The columns, and what each input is.
///
/// # Errors
/// `onnx_unsupported` for inputs that are no batch of rows, `import_large`.
pub(super) fn read(inputs: &[Input], arena: &mut Arena) -> Result<(Table, Vec<Value>)> {
    let widths: Vec<usize> = inputs.iter().map(width).collect::<Result<_>>()?;
    let all = widths.iter().fold(0usize, |all, width| all.saturating_add(*width));
    if all == 0 || all > MAX_FEATURES {
        return Err(large(format!("{all} features, want 1 to {MAX_FEATURES}")));
    }
    let mut columns: Vec<TableColumn> = Vec::with_capacity(all);
    let mut values = Vec::with_capacity(inputs.len());
    for (input, width) in inputs.iter().zip(&widths) {
        let first = columns.len() as u32;
        let places = first..first + *width as u32;
        let shape = if input.shape.len() == 1 { vec![1] } else { vec![1, *width] };
        let name = |at: u32| match width {
            1 => input.name.clone(),
            _ => format!("{}{}", input.name, at - first),
        };
        let cells = match input.element {
            8 => Cells::Texts,
            9 => Cells::Truths,
            _ => Cells::Numbers,
        };
        columns.extend(places.clone().map(|at| TableColumn { name: name(at), cells }));
        values.push(if input.element == 8 {
            let cell = |column| Text::Cell { column, lower: false, stop_words: false, words: false };
            Value::Texts(Rc::new(Texts { shape, values: places.map(cell).collect(), label: None }))
        } else {
            let kind = match input.element {
                0 | 1 => Kind::Single,
                11 => Kind::Double,
                9 => Kind::Truth,
                _ => Kind::Whole,
            };
            let numbers: Vec<Lin> = places.map(|at| arena.input(at)).collect();
            Tensor::new(shape, numbers, kind, Origin::Data).value()
        });
    }
    let named = inputs.len() > 1 && widths.iter().all(|width| *width == 1);
    Ok((Table { columns, named }, values))
}

fn width(input: &Input) -> Result<usize> {
    let name = || input.name.escape_debug().to_string();
    if ![0, 1, 6, 7, 8, 9, 11].contains(&input.element) {
        return Err(unsupported(format!("input `{}` holds neither numbers nor texts", name()))
            .hint("declare it as FloatTensorType or StringTensorType when you export the model"));
    }
    match &input.shape[..] {
        [_] | [_, Some(1)] => Ok(1),
        [_, Some(width)] if *width <= MAX_FEATURES => Ok(*width),
        _ => Err(unsupported(format!("input `{}` is no batch of rows of a fixed length", name()))
            .hint("export with a fixed number of features, e.g. FloatTensorType([None, 30])")),
    }
}
