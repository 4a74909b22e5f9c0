//! Encoders and imputers of `ai.onnx.ml`.

use super::super::atom::Categories;
use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::value::{Kind, Origin, Tensor, Text, Value};
use super::labels;
use crate::import::model::{MAX_VALUES, large};
use crate::import::onnx::{Node, TensorData, invalid, unsupported};
use fhectl_core::error::Result;
use fhectl_core::model::{ColumnRule, Function, is_missing};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The column of a text that nothing was done to.
fn cell(node: &Node, text: &Text) -> Result<u32> {
    match text {
        Text::Cell { column, lower: false, stop_words: false, words: false } => Ok(*column),
        Text::Cell { .. } => Err(unsupported(format!("{} of texts that were changed or split", node.label()))
            .hint("encode the column as it is, or count its words with a TfidfVectorizer")),
        Text::Known(_) | Text::Computed => Err(unsupported(format!("{} of texts that no column has", node.label()))),
    }
}

pub(in super::super) fn one_hot(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let (texts, ints) = (node.texts("cats_strings")?, node.ints("cats_int64s")?);
    let value = scope.value(node, 0)?;
    let count = value.shape().iter().product::<usize>();
    let categories = if texts.is_empty() { ints.len() } else { texts.len() };
    if categories == 0 || categories.saturating_mul(count) > MAX_VALUES {
        return Err(large(format!("{}: {categories} categories of {count} columns", node.label())));
    }
    let mut made = Vec::with_capacity(categories * count);
    let mut origin = Origin::Data;
    match &value {
        Value::Texts(cells) => {
            for text in &cells.values {
                let column = cell(node, text)?;
                for category in texts {
                    let missing = f64::from(u8::from(is_missing(category)));
                    let values = BTreeMap::from([(category.clone(), 1.0)]);
                    made.push(scope.arena.category(column, Categories { values, other: 0.0, missing }));
                }
            }
        }
        Value::Numbers(numbers) => {
            origin = numbers.origin;
            let as_score = scope.as_score(node, origin, false)?;
            for x in &numbers.values {
                for category in ints {
                    let rule = ColumnRule::OneOf { values: vec![*category as f64], missing: false };
                    made.push(scope.arena.rule(rule, x, as_score)?);
                }
            }
        }
    }
    let mut shape = value.shape().to_vec();
    shape.push(categories);
    Ok(Tensor::new(shape, made, Kind::Single, origin).value())
}

/// Keys or values of a `LabelEncoder`.
enum Entries {
    Texts(Vec<String>),
    Numbers(Vec<f64>),
}

impl Entries {
    fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }
}

/// The attribute `keys_...` or `values_...` that is given, or what versions before had.
fn entries(node: &Node, prefix: &str) -> Result<Option<Entries>> {
    if let Some(tensor) = node.tensor(&format!("{prefix}_tensor"))? {
        return Ok(Some(match &tensor.data {
            TensorData::Texts(texts) => Entries::Texts(texts.clone()),
            TensorData::Ints(ints) => Entries::Numbers(ints.iter().map(|x| *x as f64).collect()),
            TensorData::Floats { values, .. } => Entries::Numbers(values.clone()),
        }));
    }
    let (texts, ints) = (node.texts(&format!("{prefix}_strings"))?, node.ints(&format!("{prefix}_int64s"))?);
    let floats = node.floats(&format!("{prefix}_floats"))?;
    Ok(if !texts.is_empty() {
        Some(Entries::Texts(texts.to_vec()))
    } else if !ints.is_empty() {
        Some(Entries::Numbers(ints.iter().map(|x| *x as f64).collect()))
    } else if !floats.is_empty() {
        Some(Entries::Numbers(floats.iter().map(|x| f64::from(*x)).collect()))
    } else {
        None
    })
}

/// What becomes of a text or number that has no entry.
fn default_number(node: &Node, whole: bool) -> Result<f64> {
    if let Some(tensor) = node.tensor("default_tensor")? {
        return Ok(match &tensor.data {
            TensorData::Floats { values, .. } => values.first().copied().unwrap_or(0.0),
            _ => tensor.floats()?.first().copied().unwrap_or(0.0),
        });
    }
    Ok(if whole { node.int("default_int64", -1)? as f64 } else { f64::from(node.float("default_float", -0.0)?) })
}

pub(in super::super) fn label_encoder(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let value = scope.value(node, 0)?;
    let old = node.texts("classes_strings")?;
    let (keys, values) = match (entries(node, "keys")?, entries(node, "values")?) {
        (Some(keys), Some(values)) => (keys, values),
        _ if !old.is_empty() => {
            let numbers = Entries::Numbers((0..old.len()).map(|at| at as f64).collect());
            let texts = Entries::Texts(old.to_vec());
            if matches!(value, Value::Texts(_)) { (texts, numbers) } else { (numbers, texts) }
        }
        _ => return Err(invalid(format!("{} without keys and values", node.label()))),
    };
    if keys.len() != values.len() || keys.len() > MAX_VALUES {
        return Err(invalid(format!("{}: {} keys for {} values", node.label(), keys.len(), values.len())));
    }
    let shape = value.shape().to_vec();
    match (&value, keys, values) {
        (Value::Texts(cells), Entries::Texts(keys), Entries::Numbers(values)) => {
            let whole = values.iter().all(|value| value.fract() == 0.0);
            let other = default_number(node, !node.ints("values_int64s")?.is_empty())?;
            // The first of equal keys counts.
            let mut known = BTreeMap::new();
            for (key, value) in keys.iter().zip(&values) {
                known.entry(key.clone()).or_insert(*value);
            }
            let missing = known.iter().find(|(key, _)| is_missing(key)).map_or(other, |(_, value)| *value);
            let of = Categories { values: known, other, missing };
            scope.arena.spend(of.values.len().saturating_mul(cells.values.len()))?;
            let mut made = Vec::with_capacity(cells.values.len());
            for text in &cells.values {
                let column = cell(node, text)?;
                made.push(scope.arena.category(column, of.clone()));
            }
            let kind = if whole { Kind::Whole } else { Kind::Single };
            Ok(Tensor::new(shape, made, kind, Origin::Data).value())
        }
        (Value::Numbers(numbers), Entries::Numbers(keys), Entries::Numbers(values)) => {
            let rule = lookup(node, &keys, &values)?;
            let as_score = scope.as_score(node, numbers.origin, false)?;
            let mut made = Vec::with_capacity(numbers.values.len());
            for x in &numbers.values {
                made.push(rule.of(scope, x, as_score)?);
            }
            let kind = if values.iter().all(|value| value.fract() == 0.0) { Kind::Whole } else { Kind::Single };
            Ok(Tensor::new(shape, made, kind, numbers.origin).value())
        }
        (Value::Numbers(numbers), Entries::Numbers(keys), Entries::Texts(names)) => {
            let by_index = keys.iter().enumerate().all(|(at, key)| *key == at as f64);
            let label = numbers.label.as_ref().filter(|_| by_index);
            let label = label.map(|label| labels::renamed(label, &names)).transpose()?;
            if !by_index {
                return Err(unsupported(format!("{} to texts", node.label())));
            }
            let values = vec![Text::Computed; numbers.values.len()];
            Ok(Value::Texts(Rc::new(super::super::value::Texts { shape, values, label })))
        }
        (Value::Texts(cells), Entries::Texts(keys), Entries::Texts(_)) if cells.label.is_some() && !keys.is_empty() => {
            Err(unsupported(format!("{} of names of classes", node.label())))
        }
        _ => Err(unsupported(format!("{} of keys that its input does not have", node.label()))),
    }
}

/// A rule that looks a number up, and another for a missing one where that has an entry.
struct Lookup {
    rule: ColumnRule,
    missing: Option<f64>,
    /// Keys that 32 bits do not hold exactly are compared in 32 bits.
    single: bool,
}

fn lookup(node: &Node, keys: &[f64], values: &[f64]) -> Result<Lookup> {
    let mut known: Vec<(f64, f64)> = Vec::with_capacity(keys.len());
    let mut missing = None;
    for (key, value) in keys.iter().zip(values) {
        match key.is_nan() {
            true => missing = missing.or(Some(*value)),
            false => known.push((key + 0.0, *value)),
        }
    }
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    known.dedup_by(|next, kept| next.0 == kept.0);
    if known.iter().any(|(key, value)| !key.is_finite() || !value.is_finite()) {
        return Err(invalid(format!("{}: an entry is not finite", node.label())));
    }
    let other = default_number(node, !node.ints("values_int64s")?.is_empty())?;
    let other = if other.is_finite() { other } else { 0.0 };
    let single = known.iter().any(|(key, _)| key.fract() != 0.0);
    let (keys, values) = known.into_iter().unzip();
    Ok(Lookup { rule: ColumnRule::Lookup { keys, values, other }, missing, single })
}

impl Lookup {
    fn of(&self, scope: &mut Scope<'_>, x: &Lin, as_score: bool) -> Result<Lin> {
        let rounded = match self.single {
            true => scope.arena.function(Function::Single, x, as_score)?,
            false => x.clone(),
        };
        let found = scope.arena.rule(self.rule.clone(), &rounded, as_score)?;
        let Some(value) = self.missing else { return Ok(found) };
        let missing = scope.arena.rule(ColumnRule::Missing, x, as_score)?;
        scope.arena.choose(&missing, &Lin::constant(value), &found, as_score)
    }
}

/// Fills in what is missing, or what stands for it.
pub(in super::super) fn imputer(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let of = match scope.value(node, 0)? {
        Value::Numbers(of) => of,
        Value::Texts(_) => {
            return Err(unsupported(format!("{} of texts", node.label()))
                .hint("fill gaps in text columns before, or let the OneHotEncoder ignore what it does not know"));
        }
    };
    let ints = node.ints("imputed_value_int64s")?;
    let (values, replaced) = if ints.is_empty() {
        let floats = node.floats("imputed_value_floats")?;
        (floats.iter().map(|x| f64::from(*x)).collect(), f64::from(node.float("replaced_value_float", 0.0)?))
    } else {
        (ints.iter().map(|x| *x as f64).collect::<Vec<f64>>(), node.int("replaced_value_int64", 0)? as f64)
    };
    if values.iter().any(|value: &f64| !value.is_finite()) || (values.len() != 1 && values.len() != of.values.len()) {
        return Err(invalid(format!("{}: {} values for {} columns", node.label(), values.len(), of.values.len())));
    }
    let as_score = scope.as_score(node, of.origin, false)?;
    let mut made = Vec::with_capacity(of.values.len());
    for (at, x) in of.values.iter().enumerate() {
        let value = values[if values.len() == 1 { 0 } else { at }];
        made.push(if replaced.is_nan() {
            match x.number() {
                Some(number) => Lin::constant(if number.is_nan() { value } else { number }),
                None => scope.arena.rule(ColumnRule::Impute { value }, x, as_score)?,
            }
        } else {
            let found = equals(scope, x, replaced, as_score)?;
            scope.arena.choose(&found, &Lin::constant(value), x, as_score)?
        });
    }
    Ok(Tensor::new(of.shape.clone(), made, of.kind, of.origin).value())
}

fn equals(scope: &mut Scope<'_>, x: &Lin, value: f64, as_score: bool) -> Result<Lin> {
    if let Some(number) = x.number() {
        return Ok(Lin::constant(f64::from(u8::from(number == value))));
    }
    if value == f64::INFINITY {
        return scope.arena.rule(ColumnRule::AtLeast { edge: f64::MAX }, x, as_score);
    }
    if value == f64::NEG_INFINITY {
        return scope.arena.rule(ColumnRule::AtLeast { edge: f64::MAX }, &x.negated(), as_score);
    }
    scope.arena.rule(ColumnRule::OneOf { values: vec![value + 0.0], missing: false }, x, as_score)
}

/// 1 where a number is above the threshold, else 0.
pub(in super::super) fn binarizer(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let of = scope.numbers(node, 0)?;
    let threshold = f64::from(node.float("threshold", 0.0)?);
    if !threshold.is_finite() {
        return Err(invalid(format!("{}: a threshold of {threshold}", node.label())));
    }
    let as_score = scope.as_score(node, of.origin, false)?;
    let precision = of.precision();
    let mut made = Vec::with_capacity(of.values.len());
    for x in &of.values {
        made.push(scope.arena.positive(&x.shifted(-threshold), false, precision, as_score)?);
    }
    Ok(Tensor::new(of.shape.clone(), made, of.kind, of.origin).value())
}
