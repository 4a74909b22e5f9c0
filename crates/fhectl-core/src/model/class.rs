//! From scores to a class.

/// The class that scores predict, integers or real numbers.
///
/// A single score is a margin: class 1 where it is positive. Several scores are one per class: the largest wins, the first
/// of equal ones.
///
/// ```
/// use fhectl_core::model::class_of_scores;
///
/// assert_eq!(class_of_scores(&[-3]), 0);
/// assert_eq!(class_of_scores(&[0.2, 0.5, 0.5]), 1);
/// ```
pub fn class_of_scores<T: Copy + Default + PartialOrd>(scores: &[T]) -> usize {
    match scores {
        [margin] => usize::from(*margin > T::default()),
        _ => (0..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best }),
    }
}
