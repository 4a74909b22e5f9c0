//! One number from one number.

use super::super::invalid;
use super::function::Function;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A number that is made from number `source` of a vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub source: u32,
    #[serde(flatten)]
    pub rule: ColumnRule,
}

/// How it is made. A missing number (NaN) stays missing unless the rule says what becomes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum ColumnRule {
    /// The number itself.
    Copy,
    /// `value` where the number is missing.
    Impute { value: f64 },
    /// 1 where the number is missing, else 0.
    Missing,
    /// Missing where the number is at least `low` and at most `high`, else the number itself.
    MissingWithin { low: f64, high: f64 },
    /// 1 where the number is one of `values`, which increase, else 0; of a missing number, `missing`.
    OneOf { values: Vec<f64>, missing: bool },
    /// `values[i]` for the number `keys[i]`, which increase; `other` for all others, and for a missing number.
    Lookup { keys: Vec<f64>, values: Vec<f64>, other: f64 },
    /// 1 where the number is at least `edge`, else 0.
    AtLeast { edge: f64 },
    /// The number of `edges`, which increase, at or below the number.
    Bin { edges: Vec<f64> },
    /// The line through the points `(xs[i], ys[i])`; beyond them the first and the last of `ys`. `xs` increase.
    Interpolate { xs: Vec<f64>, ys: Vec<f64> },
    /// The number, no less than `low` and no more than `high`.
    Clip { low: f64, high: f64 },
    /// `(x - offset) * scale`.
    Affine { offset: f64, scale: f64 },
    /// A function of the number.
    Apply { function: Function },
}

impl ColumnRule {
    /// The number that the rule makes.
    pub fn apply(&self, x: f64) -> f64 {
        let found = |keys: &[f64]| keys.binary_search_by(|key| key.total_cmp(&(x + 0.0)));
        match self {
            Self::Copy => x,
            Self::Impute { value } => {
                if x.is_nan() {
                    *value
                } else {
                    x
                }
            }
            Self::Missing => f64::from(u8::from(x.is_nan())),
            Self::OneOf { missing, .. } if x.is_nan() => f64::from(u8::from(*missing)),
            Self::OneOf { values, .. } => f64::from(u8::from(found(values).is_ok())),
            Self::Lookup { other, .. } if x.is_nan() => *other,
            Self::Lookup { keys, values, other } => found(keys).map_or(*other, |at| values[at]),
            _ if x.is_nan() => x,
            Self::MissingWithin { low, high } => {
                if (*low..=*high).contains(&x) {
                    f64::NAN
                } else {
                    x
                }
            }
            Self::AtLeast { edge } => f64::from(u8::from(x >= *edge)),
            Self::Bin { edges } => edges.partition_point(|edge| *edge <= x) as f64,
            Self::Interpolate { xs, ys } => interpolate(xs, ys, x),
            Self::Clip { low, high } => x.clamp(*low, *high),
            Self::Affine { offset, scale } => (x - offset) * scale,
            Self::Apply { function } => function.apply(x),
        }
    }

    /// # Errors
    /// `model_invalid`.
    pub(super) fn check(&self) -> Result<()> {
        let rising = |numbers: &[f64]| {
            // The sum makes -0 and 0 the same key, as they are the same number.
            let keys = numbers.iter().all(|x| x.is_finite() && (*x + 0.0).to_bits() == x.to_bits());
            keys && numbers.windows(2).all(|pair| pair[0] < pair[1])
        };
        let finite = |numbers: &[f64]| numbers.iter().all(|x| x.is_finite());
        let fits = match self {
            Self::Copy | Self::Missing => true,
            Self::Impute { value } => value.is_finite(),
            Self::OneOf { values, .. } => rising(values),
            Self::Lookup { keys, values, other } => {
                keys.len() == values.len() && rising(keys) && finite(values) && other.is_finite()
            }
            Self::AtLeast { edge } => edge.is_finite(),
            Self::Bin { edges } => finite(edges) && edges.windows(2).all(|pair| pair[0] < pair[1]),
            Self::Interpolate { xs, ys } => {
                !xs.is_empty()
                    && xs.len() == ys.len()
                    && finite(ys)
                    && finite(xs)
                    && xs.windows(2).all(|pair| pair[0] < pair[1])
            }
            Self::Clip { low, high } | Self::MissingWithin { low, high } => low <= high && finite(&[*low, *high]),
            Self::Affine { offset, scale } => finite(&[*offset, *scale]),
            Self::Apply { function } => return function.check(),
        };
        if fits { Ok(()) } else { Err(invalid("a column's rule has numbers that do not fit")) }
    }
}

fn interpolate(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let above = xs.partition_point(|point| *point <= x);
    match above {
        0 => ys[0],
        _ if above == xs.len() => ys[above - 1],
        _ => {
            let share = (x - xs[above - 1]) / (xs[above] - xs[above - 1]);
            ys[above - 1] + share * (ys[above] - ys[above - 1])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnRule::*;
    use super::*;

    #[test]
    fn rules_do_what_they_say() {
        let cases = [
            (Copy, 2.5, 2.5),
            (Impute { value: 3.0 }, f64::NAN, 3.0),
            (Impute { value: 3.0 }, 1.0, 1.0),
            (Missing, f64::NAN, 1.0),
            (Missing, 0.0, 0.0),
            (MissingWithin { low: -0.5, high: 0.5 }, 0.6, 0.6),
            (OneOf { values: vec![0.0, 2.0], missing: true }, 2.0, 1.0),
            (OneOf { values: vec![0.0, 2.0], missing: true }, -0.0, 1.0),
            (OneOf { values: vec![0.0, 2.0], missing: true }, 1.0, 0.0),
            (OneOf { values: vec![0.0, 2.0], missing: true }, f64::NAN, 1.0),
            (Lookup { keys: vec![0.0, 1.0], values: vec![7.0, -1.0], other: 9.0 }, 1.0, -1.0),
            (Lookup { keys: vec![0.0, 1.0], values: vec![7.0, -1.0], other: 9.0 }, 5.0, 9.0),
            (Lookup { keys: vec![0.0, 1.0], values: vec![7.0, -1.0], other: 9.0 }, f64::NAN, 9.0),
            (AtLeast { edge: 0.5 }, 0.5, 1.0),
            (AtLeast { edge: 0.5 }, 0.4, 0.0),
            (Bin { edges: vec![0.0, 1.0] }, 1.0, 2.0),
            (Interpolate { xs: vec![0.0, 2.0, 3.0], ys: vec![0.0, 1.0, 5.0] }, 1.0, 0.5),
            (Interpolate { xs: vec![0.0, 2.0, 3.0], ys: vec![0.0, 1.0, 5.0] }, -9.0, 0.0),
            (Interpolate { xs: vec![0.0, 2.0, 3.0], ys: vec![0.0, 1.0, 5.0] }, 9.0, 5.0),
            (Clip { low: -1.0, high: 1.0 }, 4.0, 1.0),
            (Affine { offset: 1.0, scale: 2.0 }, 4.0, 6.0),
            (Apply { function: Function::Sqrt }, 9.0, 3.0),
        ];
        for (rule, x, made) in cases {
            rule.check().unwrap();
            assert_eq!(rule.apply(x), made, "{rule:?} of {x}");
        }
        assert!(AtLeast { edge: 0.5 }.apply(f64::NAN).is_nan());
        assert!(MissingWithin { low: 0.0, high: 0.0 }.apply(-0.0).is_nan());
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        for rule in [
            Impute { value: f64::NAN },
            OneOf { values: vec![1.0, 1.0], missing: false },
            OneOf { values: vec![-0.0], missing: false },
            Lookup { keys: vec![0.0], values: Vec::new(), other: 0.0 },
            Bin { edges: vec![1.0, 0.0] },
            Interpolate { xs: Vec::new(), ys: Vec::new() },
            Clip { low: 1.0, high: 0.0 },
            MissingWithin { low: 1.0, high: 0.0 },
            Affine { offset: 0.0, scale: f64::INFINITY },
        ] {
            assert!(rule.check().is_err(), "{rule:?}");
        }
    }
}
