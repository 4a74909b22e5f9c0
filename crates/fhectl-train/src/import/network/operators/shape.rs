//! Operators that move elements and compute none.

use crate::import::network::call::{Call, DYNAMIC_BATCH, refused};
use crate::import::network::tensor::{
    Elements, SymbolicTensor, axis, broadcast, broadcast_sources, count, for_each_place, strides,
};
use crate::import::onnx::invalid;
use fhectl_core::error::Result;

/// What leaves a row's elements as they are at inference.
pub(in super::super) fn unchanged(call: &Call<'_>) -> Result<SymbolicTensor> {
    call.tensor(0).cloned()
}

fn wanted(call: &Call<'_>, index: usize) -> Result<Vec<i64>> {
    call.integers(index)?.ok_or_else(|| invalid(format!("input {index} is not given")))
}

fn sizes(values: &[i64]) -> Result<Vec<usize>> {
    let sizes: Option<Vec<usize>> = values.iter().map(|value| usize::try_from(*value).ok()).collect();
    sizes.ok_or_else(|| invalid(format!("a shape of {values:?}")))
}

pub(in super::super) fn cast(call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    match (call.node.int("to", 1)?, x.values()) {
        // Floats of 32, 16 and 64 bits, and bfloat16.
        (1 | 10 | 11 | 16, _) => Ok(x.clone()),
        (_, Some(values)) => {
            Ok(SymbolicTensor::constant(x.shape.clone(), values.iter().map(|value| value.trunc()).collect()))
        }
        (kind, None) => {
            Err(refused(format!("a cast to ONNX type {kind} of what depends on the row"), "keep to floats"))
        }
    }
}

pub(in super::super) fn shape(call: &Call<'_>) -> Result<SymbolicTensor> {
    let shape = &call.tensor(0)?.shape;
    let rank = shape.len() as i64;
    let at = |value: i64| (if value < 0 { value.saturating_add(rank) } else { value }).clamp(0, rank) as usize;
    let (start, end) = (at(call.node.int("start", 0)?), at(call.node.int("end", rank)?));
    let values: Vec<f64> = shape[start..end.max(start)].iter().map(|size| *size as f64).collect();
    Ok(SymbolicTensor::constant(vec![values.len()], values))
}

pub(in super::super) fn constant_of_shape(call: &Call<'_>) -> Result<SymbolicTensor> {
    let shape = sizes(&wanted(call, 0)?)?;
    let value = match call.node.tensor("value")? {
        None => 0.0,
        Some(tensor) => tensor.floats()?.first().copied().unwrap_or(0.0),
    };
    let count = count(&shape)?;
    Ok(SymbolicTensor::constant(shape, vec![value; count]))
}

pub(in super::super) fn reshape(call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let mut asked = wanted(call, 1)?;
    // Written for a batch of a fixed size, of which there is one row here.
    if let Some(first) = asked.first_mut().filter(|first| call.batch > 1 && **first == call.batch as i64) {
        *first = 1;
    }
    let keeps_zero = call.node.int("allowzero", 0)? == 0;
    let mut shape = Vec::with_capacity(asked.len());
    let mut open = None;
    for (at, size) in asked.iter().enumerate() {
        shape.push(match size {
            -1 if open.is_none() => {
                open = Some(at);
                1
            }
            0 if keeps_zero && at < x.shape.len() => x.shape[at],
            size => usize::try_from(*size).map_err(|_| invalid(format!("a shape of {asked:?}")))?,
        });
    }
    if let Some(open) = open {
        let rest = count(&shape)?;
        if !x.len().is_multiple_of(rest) {
            return Err(invalid(format!("{} elements do not fit {asked:?}", x.len())));
        }
        shape[open] = x.len() / rest;
    }
    let elements = count(&shape)?;
    let batched = call.batch > 1 || elements > x.len() && asked.first().is_some_and(|batch| *batch > 1);
    if batched && elements != x.len() {
        return Err(refused(format!("a shape of {:?} with a fixed batch", wanted(call, 1)?), DYNAMIC_BATCH));
    }
    x.reshaped(shape)
}

pub(in super::super) fn flatten(call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let given = call.node.int("axis", 1)?;
    let at = if given == x.shape.len() as i64 { x.shape.len() } else { axis(given, x.shape.len().max(1))? };
    let at = at.min(x.shape.len());
    x.reshaped(vec![x.shape[..at].iter().product(), x.shape[at..].iter().product()])
}

pub(in super::super) fn squeeze(call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let axes = call.axes(1, x.shape.len())?;
    let dropped = |at: usize| axes.as_ref().map_or(x.shape[at] == 1, |axes| axes.contains(&at));
    if (0..x.shape.len()).any(|at| dropped(at) && x.shape[at] != 1) {
        return Err(invalid(format!("axes {axes:?} of {:?} are not single", x.shape)));
    }
    x.reshaped((0..x.shape.len()).filter(|at| !dropped(*at)).map(|at| x.shape[at]).collect())
}

pub(in super::super) fn unsqueeze(call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let added = match call.integers(1)? {
        Some(axes) => axes.len(),
        None => call.node.ints("axes")?.len(),
    };
    let rank = x.shape.len() + added;
    let axes = call.axes(1, rank)?.unwrap_or_default();
    if axes.len() != added {
        return Err(invalid("an axis is given twice"));
    }
    let mut old = x.shape.iter();
    let shape = (0..rank).map(|at| if axes.contains(&at) { 1 } else { old.next().copied().unwrap_or(1) });
    x.reshaped(shape.collect())
}

pub(in super::super) fn transpose(call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let rank = x.shape.len();
    let given = call.node.ints("perm")?;
    let order: Vec<usize> = match given {
        [] => (0..rank).rev().collect(),
        given => given.iter().map(|at| axis(*at, rank)).collect::<Result<_>>()?,
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..rank).collect::<Vec<_>>() {
        return Err(invalid(format!("an order of axes of {given:?}")));
    }
    let own = strides(&x.shape);
    let shape: Vec<usize> = order.iter().map(|at| x.shape[*at]).collect();
    let mut sources = Vec::with_capacity(x.len());
    for_each_place(&shape, |place| {
        sources.push(Some(place.iter().zip(&order).map(|(at, axis)| at * own[*axis]).sum()))
    });
    Ok(x.picked(shape, &sources, 0.0))
}

pub(in super::super) fn expand(call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let shape = broadcast(&x.shape, &sizes(&wanted(call, 1)?)?)?;
    let sources: Vec<Option<usize>> = broadcast_sources(&x.shape, &shape).into_iter().map(Some).collect();
    Ok(x.picked(shape, &sources, 0.0))
}

pub(in super::super) fn concat(call: &Call<'_>) -> Result<SymbolicTensor> {
    let parts = (0..call.inputs.len()).map(|index| call.tensor(index)).collect::<Result<Vec<_>>>()?;
    let first = parts.first().ok_or_else(|| invalid("nothing to join"))?;
    let at = axis(call.node.int("axis", 0)?, first.shape.len())?;
    let alike = |part: &&SymbolicTensor| {
        part.shape.len() == first.shape.len()
            && part.shape.iter().zip(&first.shape).enumerate().all(|(axis, (a, b))| axis == at || a == b)
    };
    if !parts.iter().all(alike) {
        let shapes: Vec<&Vec<usize>> = parts.iter().map(|part| &part.shape).collect();
        return Err(invalid(format!("{shapes:?} do not join along axis {at}")));
    }
    let mut shape = first.shape.clone();
    shape[at] = parts.iter().map(|part| part.shape[at]).sum();
    count(&shape)?;
    let outer: usize = shape[..at].iter().product();
    let inner: usize = shape[at + 1..].iter().product();
    let runs = (0..outer).flat_map(|index| {
        parts.iter().flat_map(move |part| {
            let run = part.shape[at] * inner;
            (index * run..(index + 1) * run).map(move |element| (part, element))
        })
    });
    let constants: Option<Vec<&[f64]>> = parts.iter().map(|part| part.values()).collect();
    let elements = match constants {
        Some(_) => Elements::Constant(runs.map(|(part, element)| part.row(element).bias).collect()),
        None => Elements::Computed(runs.map(|(part, element)| part.row(element)).collect()),
    };
    Ok(SymbolicTensor { shape, elements })
}

/// The elements at `places` of an axis, in their order; `None` is `filler`.
fn along(x: &SymbolicTensor, axis: usize, places: &[Option<usize>], filler: f64) -> Result<SymbolicTensor> {
    let mut shape = x.shape.clone();
    shape[axis] = places.len();
    count(&shape)?;
    let own = strides(&x.shape);
    let mut sources = Vec::with_capacity(shape.iter().product());
    for_each_place(&shape, |place| {
        sources.push(places[place[axis]].map(|from| {
            place.iter().enumerate().map(|(at, index)| own[at] * if at == axis { from } else { *index }).sum()
        }));
    });
    Ok(x.picked(shape, &sources, filler))
}

pub(in super::super) fn gather(call: &Call<'_>) -> Result<SymbolicTensor> {
    let x = call.tensor(0)?;
    let at = axis(call.node.int("axis", 0)?, x.shape.len())?;
    let size = x.shape[at];
    let places: Vec<Option<usize>> =
        wanted(call, 1)?.into_iter().map(|index| axis(index, size).map(Some)).collect::<Result<_>>()?;
    let taken = along(x, at, &places, 0.0)?;
    let mut shape = x.shape[..at].to_vec();
    shape.extend(&call.tensor(1)?.shape);
    shape.extend(&x.shape[at + 1..]);
    taken.reshaped(shape)
}

pub(in super::super) fn slice(call: &Call<'_>) -> Result<SymbolicTensor> {
    let mut x = call.tensor(0)?.clone();
    let rank = x.shape.len();
    let list = |index: usize, name: &str| -> Result<Option<Vec<i64>>> {
        let attribute = call.node.ints(name)?;
        if attribute.is_empty() { call.integers(index) } else { Ok(Some(attribute.to_vec())) }
    };
    let (Some(starts), Some(ends)) = (list(1, "starts")?, list(2, "ends")?) else {
        return Err(invalid("no starts and ends"));
    };
    let axes = list(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.integers(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(invalid("starts, ends, axes and steps differ in length"));
    }
    for (((start, end), given), step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
        let at = axis(*given, rank)?;
        let size = x.shape[at] as i64;
        let from_front = |value: i64| if value < 0 { value.saturating_add(size) } else { value };
        let places: Vec<Option<usize>> = match *step {
            0 => return Err(invalid("a step of 0")),
            step if step > 0 => {
                let (start, end) = (from_front(*start).clamp(0, size), from_front(*end).clamp(0, size));
                (start..end).step_by(step as usize).map(|place| Some(place as usize)).collect()
            }
            step => {
                let (start, end) = (from_front(*start).clamp(-1, size - 1), from_front(*end).clamp(-1, size - 1));
                let down = (end + 1..=start).rev();
                down.step_by(step.unsigned_abs() as usize).map(|place| Some(place as usize)).collect()
            }
        };
        x = along(&x, at, &places, 0.0)?;
    }
    Ok(x)
}

pub(in super::super) fn pad(call: &Call<'_>) -> Result<SymbolicTensor> {
    let mut x = call.tensor(0)?.clone();
    let rank = x.shape.len();
    let mode = call.node.text("mode", "constant")?;
    if mode != "constant" {
        return Err(refused(format!("padding of mode `{}`", mode.escape_debug()), "pad with a constant"));
    }
    let attribute = call.node.ints("pads")?;
    let pads = if attribute.is_empty() { wanted(call, 1)? } else { attribute.to_vec() };
    let filler = match call.optional(2) {
        Some(_) => call.constant(2)?.first().copied().unwrap_or(0.0),
        None => f64::from(call.node.float("value", 0.0)?),
    };
    let axes = match call.integers(3)? {
        Some(axes) => axes.into_iter().map(|given| axis(given, rank)).collect::<Result<Vec<_>>>()?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() || pads.iter().any(|pad| pad.unsigned_abs() > 1 << 16) {
        return Err(invalid(format!("pads of {pads:?} for {} axes", axes.len())));
    }
    for (index, at) in axes.iter().enumerate() {
        let (before, after) = (pads[index], pads[axes.len() + index]);
        let size = x.shape[*at] as i64;
        // Negative pads cut.
        let places: Vec<Option<usize>> = (-before..size + after)
            .map(|place| usize::try_from(place).ok().filter(|place| *place < size as usize))
            .collect();
        x = along(&x, *at, &places, filler)?;
    }
    Ok(x)
}

pub(in super::super) fn split(call: &Call<'_>) -> Result<Vec<SymbolicTensor>> {
    let x = call.tensor(0)?;
    let at = axis(call.node.int("axis", 0)?, x.shape.len())?;
    let parts = call.node.outputs.len();
    let attribute = call.node.ints("split")?;
    let given = if attribute.is_empty() { call.integers(1)? } else { Some(attribute.to_vec()) };
    let lengths = match given {
        Some(lengths) => sizes(&lengths)?,
        None => {
            let each = x.shape[at].div_ceil(parts.max(1));
            (0..parts).map(|part| each.min(x.shape[at].saturating_sub(part * each))).collect()
        }
    };
    let total = lengths.iter().try_fold(0usize, |total, length| total.checked_add(*length));
    if lengths.len() != parts || total != Some(x.shape[at]) {
        return Err(invalid(format!("{lengths:?} of {} places in {parts} parts", x.shape[at])));
    }
    let mut first = 0;
    lengths
        .into_iter()
        .map(|length| {
            first += length;
            let places: Vec<Option<usize>> = (first - length..first).map(Some).collect();
            along(x, at, &places, 0.0)
        })
        .collect()
}
