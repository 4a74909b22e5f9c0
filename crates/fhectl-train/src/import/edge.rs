//! Every comparison of a feature with a threshold as `x >= edge` on 64-bit numbers.
//!
//! Libraries compare 32-bit floats: the feature is rounded to the nearest first. A comparison is monotone in the feature,
//! so there is one smallest 64-bit number for which it holds; that is the edge, and decisions are the same on every row.

/// How a library compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// The feature is rounded to 32 bits first.
    Single,
    Double,
}

/// The edge of `x >= threshold`. Infinite where it always or never holds.
pub fn at_least(threshold: f64, precision: Precision) -> f64 {
    match precision {
        Precision::Double => threshold,
        Precision::Single => rounds_to_at_least(ceil(threshold)),
    }
}

/// The edge of `x > threshold`. Infinite where it always or never holds.
pub fn above(threshold: f64, precision: Precision) -> f64 {
    match precision {
        Precision::Double if threshold == f64::INFINITY => f64::INFINITY,
        Precision::Double => threshold.next_up(),
        Precision::Single if threshold >= f64::from(f32::MAX) => f64::INFINITY,
        Precision::Single => {
            let next = ceil(threshold);
            rounds_to_at_least(if f64::from(next) > threshold { next } else { next.next_up() })
        }
    }
}

/// The smallest 32-bit float at or above a number.
fn ceil(number: f64) -> f32 {
    let nearest = number as f32;
    if f64::from(nearest) < number { nearest.next_up() } else { nearest }
}

/// The smallest 64-bit float that rounds to `single` or above.
fn rounds_to_at_least(single: f32) -> f64 {
    if single.is_infinite() {
        return if single > 0.0 { f64::INFINITY } else { f64::NEG_INFINITY };
    }
    let below = single.next_down();
    if below.is_infinite() {
        // Rows are finite in 64 bits; what overflows to minus infinity in 32 is below the smallest.
        return (-f64::from(f32::MAX) - 2f64.powi(103)).next_up();
    }
    // The middle of two 32-bit neighbors is exact in 64 bits, and a tie goes to the even one.
    let middle = f64::from(below) / 2.0 + f64::from(single) / 2.0;
    if middle as f32 >= single { middle } else { middle.next_up() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(single: f32) -> Vec<f64> {
        let around = [single.next_down().next_down(), single.next_down(), single, single.next_up()];
        let middles = around.windows(2).map(|pair| f64::from(pair[0]) / 2.0 + f64::from(pair[1]) / 2.0);
        let all: Vec<f64> = around.iter().map(|x| f64::from(*x)).chain(middles).filter(|x| x.is_finite()).collect();
        all.iter().flat_map(|x| [x.next_down(), *x, x.next_up()]).filter(|x| x.is_finite()).collect()
    }

    proptest! {
        #[test]
        fn an_edge_decides_as_32_bits_do(threshold in prop::num::f32::NORMAL | prop::num::f32::ZERO | prop::num::f32::SUBNORMAL) {
            let (from, over) = (at_least(threshold.into(), Precision::Single), above(threshold.into(), Precision::Single));
            for x in near(threshold) {
                prop_assert_eq!(x >= from, x as f32 >= threshold, "{} >= {}", x, threshold);
                prop_assert_eq!(x >= over, x as f32 > threshold, "{} > {}", x, threshold);
            }
        }

        #[test]
        fn a_64_bit_threshold_is_met_by_32_bit_features(threshold in prop::num::f64::NORMAL, near in -3i32..4) {
            prop_assume!(threshold.abs() < 1e38);
            let mut x = f64::from(threshold as f32);
            for _ in 0..near.abs() {
                x = if near > 0 { f64::from((x as f32).next_up()) } else { f64::from((x as f32).next_down()) };
            }
            prop_assert_eq!(x >= at_least(threshold, Precision::Single), f64::from(x as f32) >= threshold);
            prop_assert_eq!(x >= above(threshold, Precision::Single), f64::from(x as f32) > threshold);
        }
    }

    #[test]
    fn ends_of_the_range() {
        let max = f64::from(f32::MAX);
        assert_eq!(above(max, Precision::Single), f64::INFINITY);
        assert_eq!(above(f64::INFINITY, Precision::Double), f64::INFINITY);
        assert_eq!(at_least(f64::NEG_INFINITY, Precision::Single), f64::NEG_INFINITY);
        assert!(above(1.0, Precision::Double) > 1.0);
        let lowest = at_least(-max, Precision::Single);
        assert!(-max >= lowest && (lowest as f32).is_finite() && (lowest.next_down() as f32).is_infinite());
    }
}
