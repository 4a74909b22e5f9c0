//! Fits quantizers to training rows.
//!
//! Thresholds of a trained model never enter: a client sees the quantizer, and it must tell no more
//! than the training data's distribution.

use crate::data::Dataset;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{FeatureQuantizer, Quantizer};
use rayon::prelude::*;

/// The share of rows cut off at either end of an affine grid.
const TAIL: f64 = 0.001;

/// Fits an edge rule a feature: at most `2^bits` levels holding about equally many training rows.
///
/// Edges lie midway between adjacent training values. A feature with few distinct values gets a level
/// for each, a constant one a single level.
///
/// # Errors
/// `bits_range` unless `bits` is 1 to 16; those of [`Dataset::check_trainable`].
pub fn fit_edges(train: &Dataset, bits: u32) -> Result<Quantizer> {
    fit(train, bits, |values, levels| {
        let distinct = runs(values);
        let edges = if distinct.len() <= levels { each_value(&distinct) } else { equal_frequency(&distinct, levels) };
        Ok(FeatureQuantizer::Edges { edges })
    })
}

/// Fits an affine rule a feature: a grid of `2^bits` levels over the 0.1 % to 99.9 % percentiles.
///
/// A feature of integers whose range fits gets a level for each integer and loses nothing; one that is
/// constant between the percentiles takes its whole range, as do those of fewer than 1,000 rows.
///
/// # Errors
/// `bits_range` unless `bits` is 1 to 16; `feature_range` where a range overflows; those of
/// [`Dataset::check_trainable`].
pub fn fit_affine(train: &Dataset, bits: u32) -> Result<Quantizer> {
    fit(train, bits, affine)
}

/// Fits one affine rule that all features share: a grid of `2^bits` levels over the range of all values, as suits the
/// pixels of an image. A pixel that never varies among these rows has the full rule as well.
///
/// Integers whose range fits get a level each and lose nothing.
///
/// # Errors
/// As for [`fit_affine`].
pub fn fit_pixels(train: &Dataset, bits: u32) -> Result<Quantizer> {
    check(train, bits)?;
    let ends = |row: &Vec<f64>| row.iter().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
    let (low, high) =
        train.rows.par_iter().map(ends).reduce(|| (f64::MAX, f64::MIN), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let top = f64::from((1u32 << bits) - 1);
    let whole = || train.rows.par_iter().all(|row| row.iter().all(|value| value.fract() == 0.0));
    let rule = if high - low <= top && whole() {
        FeatureQuantizer::Affine { low, step: 1.0, levels: (high - low) as u32 + 1 }
    } else {
        grid(low, high, 1 << bits)?
    };
    Ok(Quantizer { features: vec![rule; train.features.len()] })
}

/// The finest edge rule: a level for every distinct training value, however many.
pub fn fit_exact(train: &Dataset) -> Quantizer {
    let features = (0..train.features.len())
        .into_par_iter()
        .map(|feature| FeatureQuantizer::Edges { edges: each_value(&runs(&sorted(train, feature))) })
        .collect();
    Quantizer { features }
}

fn fit(
    train: &Dataset,
    bits: u32,
    rule: impl Fn(&[f64], usize) -> Result<FeatureQuantizer> + Sync,
) -> Result<Quantizer> {
    check(train, bits)?;
    let features = (0..train.features.len())
        .into_par_iter()
        .map(|feature| {
            rule(&sorted(train, feature), 1 << bits)
                .map_err(|error| error.context(format!("feature `{}`", train.features[feature])))
        })
        .collect::<Result<_>>()?;
    Ok(Quantizer { features })
}

fn check(train: &Dataset, bits: u32) -> Result<()> {
    if !(1..=16).contains(&bits) {
        return Err(
            Error::new(ErrorCode::BitsRange, format!("{bits} bits a feature, want 1 to 16")).hint("try `--bits 6`")
        );
    }
    // Rows that calibrate an imported model may have no labels, or not all classes.
    train.check_features()
}

fn sorted(train: &Dataset, feature: usize) -> Vec<f64> {
    let mut values = train.column(feature);
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The distinct values of a sorted list with their counts.
fn runs(sorted: &[f64]) -> Vec<(f64, usize)> {
    // -0.0 and 0.0 are equal here, as they are to a quantizer.
    sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
}

/// The edge between two adjacent values `low < high`: the middle, or `high` where they are too close
/// for one.
fn between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if middle > low && middle <= high { middle } else { high }
}

fn each_value(distinct: &[(f64, usize)]) -> Vec<f64> {
    distinct.windows(2).map(|pair| between(pair[0].0, pair[1].0)).collect()
}

/// Greedy binning of the sorted distinct values into at most `bins`, as LightGBM does it: a value so
/// frequent that it fills a bin owns one, the others share what bins are left about equally.
fn equal_frequency(distinct: &[(f64, usize)], bins: usize) -> Vec<f64> {
    let mut rows: usize = distinct.iter().map(|(_, count)| count).sum();
    let mut bins_left = bins;
    let fair = rows as f64 / bins as f64;
    let heavy: Vec<bool> = distinct.iter().map(|(_, count)| *count as f64 >= fair).collect();
    for ((_, count), _) in distinct.iter().zip(&heavy).filter(|(_, heavy)| **heavy) {
        rows -= count;
        bins_left -= 1;
    }
    let share = |rows: usize, bins: usize| rows as f64 / bins.max(1) as f64;
    let mut target = share(rows, bins_left);
    let mut filled = 0;
    let mut edges = Vec::with_capacity(bins - 1);
    for (at, pair) in distinct.windows(2).enumerate() {
        if !heavy[at] {
            rows -= pair[0].1;
        }
        filled += pair[0].1;
        // A heavy neighbor closes this bin early, unless that would waste it on a few rows.
        let early = heavy[at + 1] && filled as f64 >= (target / 2.0).max(1.0);
        if heavy[at] || filled as f64 >= target || early {
            edges.push(between(pair[0].0, pair[1].0));
            if edges.len() == bins - 1 {
                break;
            }
            filled = 0;
            if !heavy[at] {
                bins_left = bins_left.saturating_sub(1);
                target = share(rows, bins_left);
            }
        }
    }
    edges
}

fn affine(values: &[f64], levels: usize) -> Result<FeatureQuantizer> {
    let (min, max) = (values[0], values[values.len() - 1]);
    let top = levels as f64 - 1.0;
    if min == max {
        return Ok(FeatureQuantizer::Affine { low: min, step: 1.0, levels: 1 });
    }
    if max - min <= top && values.iter().all(|value| value.fract() == 0.0) {
        return Ok(FeatureQuantizer::Affine { low: min, step: 1.0, levels: (max - min) as u32 + 1 });
    }
    let cut = (values.len() as f64 * TAIL) as usize;
    let (mut low, mut high) = (values[cut], values[values.len() - 1 - cut]);
    if low == high {
        (low, high) = (min, max);
    }
    grid(low, high, levels)
}

/// So many levels from `low` to `high`.
///
/// # Errors
/// `feature_range` where no grid spans that.
pub(super) fn grid(low: f64, high: f64, levels: usize) -> Result<FeatureQuantizer> {
    let step = (high - low) / (levels as f64 - 1.0);
    if !step.is_finite() || step <= 0.0 {
        return Err(Error::new(
            ErrorCode::FeatureRange,
            format!("no grid of {levels} levels spans {low:e} to {high:e}"),
        )
        .hint("scale the feature to an ordinary range"));
    }
    Ok(FeatureQuantizer::Affine { low, step, levels: levels as u32 })
}

/// The rows of `data`, quantized, in their order.
///
/// # Errors
/// `row_shape` where the quantizer is for another number of features.
pub fn quantize_rows(quantizer: &Quantizer, data: &Dataset) -> Result<Vec<Vec<u32>>> {
    data.rows.par_iter().map(|row| quantizer.quantize(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edges(values: &[f64], levels: usize) -> Vec<f64> {
        let mut values = values.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        let distinct = runs(&values);
        if distinct.len() <= levels { each_value(&distinct) } else { equal_frequency(&distinct, levels) }
    }

    #[test]
    fn few_values_get_a_level_each() {
        assert_eq!(edges(&[3.0, 1.0, 1.0, 2.0], 4), [1.5, 2.5]);
        assert!(edges(&[7.0; 5], 4).is_empty());
        assert!(edges(&[0.0, -0.0], 4).is_empty());
    }

    #[test]
    fn a_heavy_value_owns_its_bin() {
        let mut values = vec![0.0; 90];
        values.extend((1..=12).map(f64::from));
        assert_eq!(edges(&values, 4), [0.5, 4.5, 8.5]);
    }

    #[test]
    fn neighboring_floats_stay_apart() {
        let low: f64 = 1.0;
        let edge = between(low, low.next_up());
        assert!(edge > low && edge <= low.next_up());
        assert!(between(-f64::MAX, f64::MAX).is_finite());
    }

    #[test]
    fn affine_takes_integers_as_they_are() {
        let rule = affine(&[-2.0, 0.0, 5.0], 8).unwrap();
        assert_eq!(rule, FeatureQuantizer::Affine { low: -2.0, step: 1.0, levels: 8 });
        assert_eq!(affine(&[4.0, 4.0], 8).unwrap().levels(), 1);
        assert_eq!(affine(&[0.0, 0.5, 1.75], 8).unwrap(), FeatureQuantizer::Affine { low: 0.0, step: 0.25, levels: 8 });
        assert_eq!(affine(&[-f64::MAX, f64::MAX], 8).unwrap_err().code, ErrorCode::FeatureRange);
    }

    #[test]
    fn pixels_share_one_rule_even_where_they_are_constant() {
        let data = |rows: Vec<Vec<f64>>| Dataset {
            name: "d".into(),
            target: "y".into(),
            features: vec!["a".into(), "b".into()],
            classes: vec!["0".into(), "1".into()],
            rows,
            labels: vec![0, 1],
            values: Vec::new(),
            input: None,
            image: None,
        };
        let rule = |low, step, levels| Quantizer { features: vec![FeatureQuantizer::Affine { low, step, levels }; 2] };
        let whole = data(vec![vec![0.0, 16.0], vec![0.0, 3.0]]);
        assert_eq!(fit_pixels(&whole, 5).unwrap(), rule(0.0, 1.0, 17));
        assert_eq!(fit_pixels(&whole, 3).unwrap(), rule(0.0, 16.0 / 7.0, 8));
        let fractions = data(vec![vec![0.0, 0.5], vec![0.0, 3.0]]);
        assert_eq!(fit_pixels(&fractions, 2).unwrap(), rule(0.0, 1.0, 4));
        assert_eq!(fit_pixels(&fractions, 0).unwrap_err().code, ErrorCode::BitsRange);
    }

    #[test]
    fn affine_cuts_tails_but_not_rare_values() {
        let mut values: Vec<f64> = (0..2000).map(|value| f64::from(value) / 7.0).collect();
        values[1999] = 1e9;
        let FeatureQuantizer::Affine { low, step, levels } = affine(&values, 256).unwrap() else { panic!() };
        assert!(low + step * f64::from(levels - 1) < 300.0);
        let mut rare = vec![0.0; 1999];
        rare.push(0.5);
        assert_eq!(affine(&rare, 256).unwrap().quantize(0.5), 255);
    }

    proptest! {
        #[test]
        fn edges_increase_and_fit(values in prop::collection::vec(-50i32..50, 2..200), bits in 1u32..6) {
            let values: Vec<f64> = values.into_iter().map(|value| f64::from(value) / 3.0).collect();
            let edges = edges(&values, 1 << bits);
            prop_assert!(edges.len() < 1 << bits);
            prop_assert!(edges.windows(2).all(|pair| pair[0] < pair[1]));
            // No level is empty on the rows it was fitted to.
            let rule = FeatureQuantizer::Edges { edges };
            let mut seen: Vec<u32> = values.iter().map(|value| rule.quantize(*value)).collect();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len() as u32, rule.levels());
        }
    }
}
