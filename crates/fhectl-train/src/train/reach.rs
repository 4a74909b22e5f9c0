//! Grids that reach beyond the rows that they were fitted to.

use super::quantize::grid;
use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{FeatureQuantizer, Quantizer};

/// A feature's range, where it is to reach farther than the training rows do.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureRange {
    pub feature: String,
    pub low: f64,
    pub high: f64,
}

/// Widens the grids of the features that `ranges` name, to at most `2^bits` levels each. Bins have no ends and stay.
///
/// # Errors
/// `feature_range` for a name that is no feature's, and for a range that no grid spans.
pub fn widen(mut quantizer: Quantizer, names: &[String], ranges: &[FeatureRange], bits: u32) -> Result<Quantizer> {
    for range in ranges {
        let at = names.iter().position(|name| *name == range.feature).ok_or_else(|| {
            Error::new(ErrorCode::FeatureRange, format!("no feature is named `{}`", range.feature.escape_debug()))
                .hint("--range takes the name of a column of numbers: --range age=0:120")
        })?;
        if let FeatureQuantizer::Affine { low, step, levels } = quantizer.features[at] {
            let top = low + step * f64::from(levels - 1);
            let (from, to) = (range.low.min(low), range.high.max(top));
            let whole = step == 1.0 && from.fract() == 0.0 && to.fract() == 0.0;
            quantizer.features[at] = spanning(from, to, whole, bits)?;
        }
    }
    Ok(quantizer)
}

/// Grids that go beyond all of the rows at either end, by a share of their range. A feature of one value stays.
///
/// # Errors
/// `feature_range` where no grid spans that.
pub fn with_margin(mut quantizer: Quantizer, rows: &Dataset, share: f64, bits: u32) -> Result<Quantizer> {
    for (feature, rule) in quantizer.features.iter_mut().enumerate() {
        let FeatureQuantizer::Affine { low, step, levels } = *rule else { continue };
        if levels == 1 {
            continue;
        }
        let top = low + step * f64::from(levels - 1);
        let ends = |(low, high): (f64, f64), row: &Vec<f64>| (low.min(row[feature]), high.max(row[feature]));
        let (least, most) = rows.rows.iter().fold((low, top), ends);
        // Two values are a mark, which has no other ones.
        if step == 1.0 && levels == 2 {
            continue;
        }
        let margin = share * (most - least);
        *rule = spanning(least - margin, most + margin, step == 1.0, bits)?;
    }
    Ok(quantizer)
}

/// Grids that reach beyond their ends on either side, by a share of what is between them; but not below 0 where they begin
/// at 0 or above. Features of one value, marks (of two values next to each other) and those that are `kept` stay.
///
/// # Errors
/// `feature_range` where no grid spans that.
pub fn beyond(mut quantizer: Quantizer, share: f64, bits: u32, kept: &[bool]) -> Result<Quantizer> {
    for (rule, kept) in quantizer.features.iter_mut().zip(kept) {
        let FeatureQuantizer::Affine { low, step, levels } = *rule else { continue };
        if share == 0.0 || *kept || levels == 1 || (levels == 2 && step == 1.0) {
            continue;
        }
        let top = low + step * f64::from(levels - 1);
        let margin = share * (top - low);
        let from = if low >= 0.0 { (low - margin).max(0.0) } else { low - margin };
        *rule = spanning(from, top + margin, step == 1.0 && low.fract() == 0.0, bits)?;
    }
    Ok(quantizer)
}

/// A grid of at most `2^bits` levels from one end to the other; a level an integer where values are `whole` and there is room.
fn spanning(from: f64, to: f64, whole: bool, bits: u32) -> Result<FeatureQuantizer> {
    let (first, last) = (from.floor(), to.ceil());
    if whole && last - first < f64::from(1u32 << bits) {
        return Ok(FeatureQuantizer::Affine { low: first, step: 1.0, levels: (last - first) as u32 + 1 });
    }
    grid(from, to, 1 << bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_reach_beyond_the_rows_but_not_below_nought() {
        let rule = |low, step, levels| FeatureQuantizer::Affine { low, step, levels };
        let of = |from: FeatureQuantizer, kept| {
            beyond(Quantizer { features: vec![from] }, 0.5, 8, &[kept]).unwrap().features[0].clone()
        };
        assert_eq!(of(rule(17.0, 1.0, 61), false), rule(0.0, 1.0, 108));
        assert_eq!(of(rule(-10.0, 1.0, 21), false), rule(-20.0, 1.0, 41));
        // No room for a level an integer.
        assert_eq!(of(rule(-100.0, 1.0, 201), false), rule(-200.0, 400.0 / 255.0, 256));
        assert_eq!(of(rule(-1.0, 2.0 / 255.0, 256), false), rule(-2.0, 4.0 / 255.0, 256));
        assert_eq!(of(rule(0.0, 1.0 / 255.0, 256), false), rule(0.0, 1.5 / 255.0, 256));
        for stays in [rule(0.0, 1.0, 2), rule(3.0, 1.0, 1)] {
            assert_eq!(of(stays.clone(), false), stays);
        }
        assert_eq!(of(rule(-10.0, 1.0, 21), true), rule(-10.0, 1.0, 21));
        let huge = Quantizer { features: vec![rule(-f64::MAX, f64::MAX, 3)] };
        assert_eq!(beyond(huge, 0.5, 8, &[false]).unwrap_err().code, ErrorCode::FeatureRange);
    }
}
