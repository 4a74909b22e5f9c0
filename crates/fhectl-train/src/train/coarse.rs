//! Quantizers that tell less: their numbers rounded to few decimal digits.
//!
//! Edges and ranges come from training rows and reach every client. To all their digits they can be single rows' values,
//! or lie half way between two of them.

use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{FeatureQuantizer, Quantizer};
use std::cmp::Ordering;

/// The quantizer with every edge, lowest value and step rounded to so many significant decimal digits (at least one).
///
/// Edges that become equal are one. A grid's range is rounded outward, so that it still holds what it held: of at most
/// `2^bits` levels, and a level for each integer where it had that and there is room.
///
/// # Errors
/// `feature_range` where nothing is left of a grid.
pub fn coarsen(quantizer: Quantizer, digits: u32, bits: u32) -> Result<Quantizer> {
    let features = quantizer.features.into_iter().map(|rule| match rule {
        FeatureQuantizer::Edges { mut edges } => {
            edges.iter_mut().for_each(|edge| *edge = rounded(*edge, digits, Ordering::Equal));
            edges.dedup();
            Ok(FeatureQuantizer::Edges { edges })
        }
        FeatureQuantizer::Affine { low, step, levels } => grid(low, step, levels, (digits, bits)),
    });
    Ok(Quantizer { features: features.collect::<Result<_>>()? })
}

fn grid(low: f64, step: f64, levels: u32, (digits, bits): (u32, u32)) -> Result<FeatureQuantizer> {
    if levels == 1 {
        return Ok(FeatureQuantizer::Affine { low: rounded(low, digits, Ordering::Equal), step: 1.0, levels });
    }
    let high = rounded(low + step * f64::from(levels - 1), digits, Ordering::Greater);
    let low = rounded(low, digits, Ordering::Less);
    let most = (1u32 << bits) - 1;
    let whole = step == 1.0 && low.fract() == 0.0 && high.fract() == 0.0;
    if whole && high - low <= f64::from(most) {
        return Ok(FeatureQuantizer::Affine { low, step, levels: (high - low) as u32 + 1 });
    }
    let step = rounded((high - low) / f64::from(most), digits, Ordering::Greater);
    if !(low.is_finite() && step.is_finite() && step > 0.0) {
        return Err(Error::new(
            ErrorCode::FeatureRange,
            format!("no grid of {} levels spans {low:e} to {high:e}", most + 1),
        )
        .hint("scale the feature to an ordinary range"));
    }
    Ok(FeatureQuantizer::Affine { low, step, levels: most + 1 })
}

/// `x` to so many significant decimal digits: the nearest such number, the next at most it, or the next at least it.
fn rounded(x: f64, digits: u32, to: Ordering) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x.abs();
    }
    let places = digits.max(1) as usize - 1;
    let text = format!("{x:.places$e}");
    let parts = text.split_once('e').and_then(|(mantissa, exponent)| {
        Some((mantissa.replace('.', "").parse::<i64>().ok()?, exponent.parse::<i32>().ok()? - places as i32))
    });
    let Some((mantissa, exponent)) = parts else { return x };
    // Through text, so that the result is the double nearest to those digits.
    let of = |mantissa: i64, exponent: i32| format!("{mantissa}e{exponent}").parse::<f64>().unwrap_or(x);
    let nearest = of(mantissa, exponent);
    let by = match to {
        Ordering::Less if nearest > x => -1,
        Ordering::Greater if nearest < x => 1,
        _ => return nearest,
    };
    // Below a power of ten the same number of digits is ten times as fine.
    let is_power = mantissa.unsigned_abs() == 10u64.pow(places as u32);
    if is_power && mantissa.signum() != by { of(10 * mantissa + by, exponent - 1) } else { of(mantissa + by, exponent) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_keep_so_many_digits() {
        let both = |x, digits| (rounded(x, digits, Ordering::Less), rounded(x, digits, Ordering::Greater));
        assert_eq!(rounded(1234.5, 2, Ordering::Equal), 1200.0);
        assert_eq!(both(1234.5, 2), (1200.0, 1300.0));
        assert_eq!(both(-0.001_239, 3), (-0.001_24, -0.001_23));
        assert_eq!(both(99.96, 3), (99.9, 100.0));
        assert_eq!(both(1.0, 1), (1.0, 1.0));
        assert_eq!(both(0.0, 4), (0.0, 0.0));
        assert_eq!(rounded(f64::MAX, 1, Ordering::Equal), f64::INFINITY);
    }

    #[test]
    fn edges_that_become_equal_are_one() {
        let rule = FeatureQuantizer::Edges { edges: vec![0.1234, 0.1236, 0.1311, 17.05] };
        let coarse = coarsen(Quantizer { features: vec![rule] }, 2, 6).unwrap();
        assert_eq!(coarse.features[0], FeatureQuantizer::Edges { edges: vec![0.12, 0.13, 17.0] });
    }

    #[test]
    fn a_grid_of_integers_stays_one_where_there_is_room() {
        let rule = |low, step, levels| FeatureQuantizer::Affine { low, step, levels };
        let coarse = |from, bits| coarsen(Quantizer { features: vec![from] }, 1, bits).unwrap().features[0].clone();
        assert_eq!(coarse(rule(17.0, 1.0, 71), 8), rule(10.0, 1.0, 81));
        // 10 to 90 has no room in six bits: steps of 80 / 63, rounded up.
        assert_eq!(coarse(rule(17.0, 1.0, 61), 6), rule(10.0, 2.0, 64));
        assert_eq!(coarse(rule(17.0, 1.0, 1), 6), rule(20.0, 1.0, 1));
        let overflow = Quantizer { features: vec![rule(0.0, f64::MAX / 4.0, 4)] };
        assert_eq!(coarsen(overflow, 1, 2).unwrap_err().code, ErrorCode::FeatureRange);
    }

    proptest! {
        #[test]
        fn grids_hold_what_they_held_in_few_digits(
            low in -1e6f64..1e6, span in 1e-3f64..1e6, digits in 1u32..6, bits in 2u32..12,
        ) {
            let levels = 1u32 << bits;
            let rule = FeatureQuantizer::Affine { low, step: span / f64::from(levels - 1), levels };
            let coarse = coarsen(Quantizer { features: vec![rule] }, digits, bits).unwrap();
            prop_assert!(coarse.check().is_ok());
            let FeatureQuantizer::Affine { low: first, step, levels } = coarse.features[0] else { panic!() };
            prop_assert!(first <= low);
            prop_assert!(first + step * f64::from(levels - 1) >= (low + span) * (1.0 - 1e-12) - 1e-9);
            for number in [first, step] {
                prop_assert_eq!(rounded(number, digits, Ordering::Equal), number);
            }
        }
    }
}
