//! From scores to a class.

/// The class that integer scores stand for.
///
/// One score is a signed margin: class 1 where it is positive. Several are one score a class: the
/// first of the largest wins.
pub fn class_of_scores(scores: &[i64]) -> usize {
    match scores {
        [margin] => usize::from(*margin > 0),
        _ => {
            let mut best = 0;
            for (class, score) in scores.iter().enumerate() {
                if *score > scores[best] {
                    best = class;
                }
            }
            best
        }
    }
}
