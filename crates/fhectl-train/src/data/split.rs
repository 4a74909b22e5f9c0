//! The seeded split into training and test rows, stratified where there are classes.

use super::Dataset;
use super::random::Random;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Output;

/// Splits `data` into training and test rows, `ceil(rows * test_size)` of them for the test.
///
/// Classes keep their shares to within one row (largest remainders, ties to the lower class), every
/// class keeps a row to train on, and both parts come in the seeded shuffle's order, so that a prefix
/// of the test rows is a fair sample. Numbers to predict are split as if they were one class.
///
/// # Errors
/// `test_size` outside (0, 1) or where the test rows would leave too few to train on.
pub fn split(data: &Dataset, test_size: f64, seed: u64) -> Result<(Dataset, Dataset)> {
    let (train, test) = indices(data, test_size, seed)?;
    Ok((data.select(&train), data.select(&test)))
}

/// As [`split`], of a table that is not needed again: its rows are in memory once.
///
/// # Errors
/// As for [`split`].
pub(super) fn split_whole(mut data: Dataset, test_size: f64, seed: u64) -> Result<(Dataset, Dataset)> {
    let (train, test) = indices(&data, test_size, seed)?;
    Ok((data.take(&train), data.take(&test)))
}

/// As [`split`], the indices of rows alone. Rows without labels are split as numbers are.
///
/// # Errors
/// As for [`split`].
pub(super) fn indices(data: &Dataset, test_size: f64, seed: u64) -> Result<(Vec<usize>, Vec<usize>)> {
    if !(test_size > 0.0 && test_size < 1.0) {
        return Err(Error::new(ErrorCode::TestSize, format!("the test share is {test_size}, not between 0 and 1"))
            .hint("0.15 keeps 15 % of the rows for the test"));
    }
    let indices = match data.output() {
        Output::Classes(classes) if !data.labels.is_empty() => split_indices(&data.labels, classes, test_size, seed),
        _ => split_indices(&vec![0; data.len()], 1, test_size, seed),
    };
    indices.ok_or_else(|| {
        let wanted = share_of(data.len(), test_size);
        let of_what = match data.class_counts().iter().filter(|count| **count > 0).count() {
            0 => "on".to_owned(),
            classes => format!("{classes} classes"),
        };
        Error::new(
            ErrorCode::TestSize,
            format!("{wanted} of {} rows for the test leave too few to train {of_what}", data.len()),
        )
        .hint("give more rows, a smaller `--test-size`, or a file of its own with `--test-data`")
    })
}

/// The indices of training and test rows; `None` where too few would be left to train on.
pub fn split_indices(labels: &[u32], classes: usize, share: f64, seed: u64) -> Option<(Vec<usize>, Vec<usize>)> {
    let mut counts = vec![0; classes];
    labels.iter().for_each(|label| counts[*label as usize] += 1);
    let mut quota = shares(&counts, share_of(labels.len(), share))?;
    let mut order: Vec<usize> = (0..labels.len()).collect();
    Random::new(seed).shuffle(&mut order);
    let (test, train) = order.into_iter().partition(|index| {
        let left = &mut quota[labels[*index] as usize];
        let taken = *left > 0;
        *left -= usize::from(taken);
        taken
    });
    Some((train, test))
}

/// `ceil(rows * share)`; the tolerance keeps products such as 0.1 * 30 = 3.0000000000000004 from rounding up.
fn share_of(rows: usize, share: f64) -> usize {
    (rows as f64 * share - 1e-9).ceil() as usize
}

/// How many of each class's rows go to the test, `wanted` together and never all of a class.
fn shares(counts: &[usize], wanted: usize) -> Option<Vec<usize>> {
    let total: usize = counts.iter().sum();
    let room: usize = counts.iter().map(|count| count.saturating_sub(1)).sum();
    if wanted == 0 || wanted > room {
        return None;
    }
    let mut quota: Vec<usize> =
        counts.iter().map(|count| (count * wanted / total).min(count.saturating_sub(1))).collect();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_by_key(|class| std::cmp::Reverse(counts[*class] * wanted % total));
    let mut missing = wanted - quota.iter().sum::<usize>();
    // One round does it unless a tiny class had to keep its rows; there is room, so this ends.
    for class in by_remainder.into_iter().cycle() {
        if missing == 0 {
            break;
        }
        if quota[class] + 1 < counts[class] {
            quota[class] += 1;
            missing -= 1;
        }
    }
    Some(quota)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn data(counts: &[usize]) -> Dataset {
        let labels: Vec<u32> = counts.iter().zip(0..).flat_map(|(count, class)| vec![class; *count]).collect();
        Dataset {
            name: "d".into(),
            target: "y".into(),
            features: vec!["a".into()],
            input: None,
            classes: (0..counts.len()).map(|class| class.to_string()).collect(),
            rows: (0..labels.len()).map(|row| vec![row as f64]).collect(),
            labels,
            values: Vec::new(),
            image: None,
        }
    }

    #[test]
    fn known_sizes() {
        for (counts, share, wanted) in
            [(&[2788, 1813][..], 0.15, 691), (&[50, 50, 50], 0.25, 38), (&[20, 10], 0.1, 3), (&[500, 500], 0.15, 150)]
        {
            assert_eq!(split(&data(counts), share, 42).unwrap().1.len(), wanted);
        }
        let (train, test) = split(&data(&[2788, 1813]), 0.15, 42).unwrap();
        assert_eq!(test.class_counts(), [419, 272]);
        assert_eq!((train, test), split(&data(&[2788, 1813]), 0.15, 42).unwrap());
    }

    #[test]
    fn rows_of_a_whole_table_are_not_copied() {
        let data = data(&[30, 20]);
        let parts = split(&data, 0.3, 42).unwrap();
        let place = |row: &Vec<f64>| row.as_ptr();
        let mut before: Vec<_> = data.rows.iter().map(place).collect();
        let (train, test) = split_whole(data, 0.3, 42).unwrap();
        let mut after: Vec<_> = train.rows.iter().chain(&test.rows).map(place).collect();
        before.sort_unstable();
        after.sort_unstable();
        assert_eq!(before, after);
        assert_eq!((train, test), parts);
    }

    #[test]
    fn impossible_splits_are_refused() {
        for share in [0.0, 1.0, -0.5, f64::NAN, 0.9] {
            assert_eq!(split(&data(&[2, 2]), share, 1).unwrap_err().code, ErrorCode::TestSize);
        }
    }

    #[test]
    fn numbers_are_split_without_classes() {
        let labeled = data(&[442]);
        let values = Dataset {
            classes: Vec::new(),
            labels: Vec::new(),
            values: (0..442).map(f64::from).collect(),
            ..labeled.clone()
        };
        let (train, test) = split(&values, 0.15, 42).unwrap();
        assert_eq!((train.len(), test.len()), (375, 67));
        let mut seen: Vec<f64> = train.values.iter().chain(&test.values).copied().collect();
        seen.sort_unstable_by(f64::total_cmp);
        assert_eq!(seen, values.values);
        assert!(test.rows.iter().zip(&test.values).all(|(row, value)| row[0] == *value), "a value lost its row");
        assert_ne!(test, split(&values, 0.15, 43).unwrap().1);
        let error = split(&values.select(&[3]), 0.5, 1).unwrap_err();
        assert!(error.code == ErrorCode::TestSize && error.message.ends_with("to train on"), "{error}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(counts in prop::collection::vec(1usize..40, 2..6), share in 0.05f64..0.6, seed: u64) {
            let data = data(&counts);
            let Ok((train, test)) = split(&data, share, seed) else { return Ok(()) };
            prop_assert_eq!(test.len(), (data.len() as f64 * share - 1e-9).ceil() as usize);
            prop_assert!(train.class_counts().iter().all(|count| *count > 0));
            let mut rows: Vec<usize> = train.rows.iter().chain(&test.rows).map(|row| row[0] as usize).collect();
            rows.sort_unstable();
            prop_assert!(rows.into_iter().eq(0..data.len()));
        }
    }
}
