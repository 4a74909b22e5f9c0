//! From scores to a class.

/// The class that scores stand for, integers or real numbers.
///
/// One score is a signed margin: class 1 where it is positive. Several are one score a class: the
/// first of the largest wins.
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
