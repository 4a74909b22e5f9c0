//! Numbers that stand for a missing value: -999 and the like.

use super::shorten;

/// Fewer known values say nothing of what is far from them.
const FEW: usize = 10;

/// The extreme value of a column that is all nines, stands there more than once and lies farther from the others than these
/// from each other; with how often it is there, and the others' ends. Missing numbers are passed over.
fn sentinel(numbers: impl Iterator<Item = f64>) -> Option<(f64, usize, (f64, f64))> {
    let mut sorted: Vec<f64> = numbers.filter(|number| number.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let found = |value: f64, (low, high): (f64, f64), count: usize, distance: f64| {
        let told = is_nines(value) && count > 1 && sorted.len() - count >= FEW && low < high;
        (told && distance > high - low).then_some((value, count, (low, high)))
    };
    let (least, most) = (*sorted.first()?, *sorted.last()?);
    let below = sorted.partition_point(|number| *number <= least);
    let above = sorted.partition_point(|number| *number < most);
    let low = sorted.get(below).and_then(|next| found(least, (*next, most), below, next - least));
    low.or_else(|| {
        let next = above.checked_sub(1).map(|at| sorted[at])?;
        found(most, (least, next), sorted.len() - above, most - next)
    })
}

/// Whether a number is 99, 999 and so on, of either sign.
fn is_nines(number: f64) -> bool {
    let magnitude = number.abs();
    (2..=9).any(|digits| magnitude == 10f64.powi(digits) - 1.0)
}

/// What a person should know of such a column.
pub(super) fn sentinel_note(name: &str, numbers: impl Iterator<Item = f64>) -> Option<String> {
    let (value, count, (low, high)) = sentinel(numbers)?;
    Some(format!(
        "`{}` is {value} in {count} rows, far from its other values ({low} to {high}): say --missing {value} where that stands \
         for a missing value",
        shorten(name)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: f64, times: usize) -> Option<String> {
        let ages = (0..40).map(|age| f64::from(age) * 2.0);
        sentinel_note("age", ages.chain(std::iter::repeat_n(value, times)))
    }

    #[test]
    fn nines_far_from_the_rest_are_noticed() {
        for value in [-999.0, 9999.0, -99.0, 99999.0] {
            let note = of(value, 3).unwrap();
            assert!(note.contains(&format!("--missing {value} ")) && note.contains("0 to 78"), "{note}");
        }
        assert_eq!(of(-999.0, 1), None, "one row may be so");
        assert_eq!(of(99.0, 3), None, "an age");
        assert_eq!(of(1000.0, 3), None, "no usual mark");
        assert_eq!(sentinel_note("x", [-999.0, -999.0, 1.0, 2.0].into_iter()), None, "too few others");
        assert_eq!(sentinel_note("x", std::iter::repeat_n(999.0, 30)), None, "always so");
        assert_eq!(sentinel_note("x", std::iter::empty()), None);
    }
}
