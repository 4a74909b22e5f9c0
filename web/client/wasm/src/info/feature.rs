//! What a form for one row needs to know of each column.

use fhectl_core::bundle::ClientSpec;
use fhectl_core::model::{ClearStep, ColumnKind, FeatureQuantizer};
use serde::Serialize;

#[derive(Serialize)]
pub struct Feature<'a> {
    name: &'a str,
    kind: &'static str,
    categories: Option<&'a [String]>,
    low: Option<f64>,
    high: Option<f64>,
    levels: Option<u32>,
    example: Example<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Example<'a> {
    Number(f64),
    Text(&'a str),
    Boolean(bool),
    Unknown(()),
}

/// One for each column of a row.
pub fn features(spec: &ClientSpec) -> Vec<Feature<'_>> {
    let ranges = ranges(spec);
    let number = &ColumnKind::Number;
    let kinds: Vec<&ColumnKind> = match &spec.input {
        Some(input) => input.columns.iter().map(|column| &column.kind).collect(),
        None => vec![number; spec.features.len()],
    };
    let of = |(index, (name, kind))| {
        let range = ranges.as_ref().map(|ranges: &Vec<Range>| ranges[index]);
        Feature::new(name, kind, range)
    };
    spec.columns().into_iter().zip(kinds).enumerate().map(of).collect()
}

impl<'a> Feature<'a> {
    fn new(name: &'a str, kind: &'a ColumnKind, range: Option<Range>) -> Self {
        let number = matches!(kind, ColumnKind::Number);
        let known = range.filter(|_| number);
        let (categories, example) = match kind {
            ColumnKind::Number => (None, range.map_or(Example::Unknown(()), |range| Example::Number(range.middle))),
            ColumnKind::Boolean => (None, Example::Boolean(false)),
            ColumnKind::Category { values } => {
                (Some(&values[..]), values.first().map_or(Example::Unknown(()), |first| Example::Text(first)))
            }
            ColumnKind::Date => (None, Example::Unknown(())),
            ColumnKind::Text { .. } => (None, Example::Text("")),
        };
        Self {
            name,
            kind: kind.as_str(),
            categories,
            low: known.map(|range| range.low),
            high: known.map(|range| range.high),
            levels: range.map(|range| range.levels),
            example,
        }
    }
}

/// The numbers that a model tells apart.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    low: f64,
    high: f64,
    middle: f64,
    levels: u32,
}

impl Range {
    /// Edges are quantiles, so the one in the middle is about the median of the rows that the model was made from.
    fn of(rule: &FeatureQuantizer) -> Self {
        let levels = rule.levels();
        match rule {
            FeatureQuantizer::Edges { edges } => {
                let at = |index: usize| edges.get(index).copied().unwrap_or(0.0);
                Self { low: at(0), high: edges.last().copied().unwrap_or(0.0), middle: at(edges.len() / 2), levels }
            }
            FeatureQuantizer::Affine { low, step, levels } => {
                let at = |level: u32| low + step * f64::from(level);
                Self { low: *low, high: at(levels - 1), middle: at((levels - 1) / 2), levels: *levels }
            }
        }
    }

    /// The range of the number that `(x - offset) * scale` is made of; `None` for a scale that loses it.
    fn before_scale(self, offset: f64, scale: f64) -> Option<Self> {
        let back = |x: f64| x / scale + offset;
        let (low, high) = (back(self.low), back(self.high));
        let range = Self { low: low.min(high), high: low.max(high), middle: back(self.middle), ..self };
        (range.low.is_finite() && range.high.is_finite()).then_some(range)
    }
}

/// The ranges of the columns, where each becomes one feature and nothing but a scale stands between.
fn ranges(spec: &ClientSpec) -> Option<Vec<Range>> {
    if spec.columns().len() != spec.features.len() {
        return None;
    }
    let mut ranges: Vec<Range> = spec.quantizer.features.iter().map(Range::of).collect();
    for step in spec.preprocessing.iter().rev() {
        let ClearStep::Scale { offsets, scales } = step else { return None };
        let pairs = offsets.iter().zip(scales);
        ranges = ranges
            .iter()
            .zip(pairs)
            .map(|(range, (offset, scale))| range.before_scale(*offset, *scale))
            .collect::<Option<_>>()?;
    }
    (ranges.len() == spec.features.len()).then_some(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_go_back_through_scales() {
        let rule = FeatureQuantizer::Affine { low: -1.0, step: 0.5, levels: 5 };
        let range = Range::of(&rule);
        assert_eq!(range, Range { low: -1.0, high: 1.0, middle: 0.0, levels: 5 });
        let before = range.before_scale(10.0, -0.5).unwrap();
        assert_eq!(before, Range { low: 8.0, high: 12.0, middle: 10.0, levels: 5 });
        assert_eq!(range.before_scale(0.0, 0.0), None);
        let edges = FeatureQuantizer::Edges { edges: vec![0.5, 1.5, 4.0] };
        assert_eq!(Range::of(&edges), Range { low: 0.5, high: 4.0, middle: 1.5, levels: 4 });
        assert_eq!(Range::of(&FeatureQuantizer::Edges { edges: Vec::new() }).levels, 1);
    }
}
