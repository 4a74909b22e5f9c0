//! What libraries make of a sum of trees at the end, as steps on a client.

use fhectl_core::bundle::Head;
use fhectl_core::model::{ClearStep, Function, Part};

/// A function of one score.
pub(super) fn link(function: Function) -> Head {
    each(1, function)
}

/// A function of each score.
pub(super) fn each(scores: usize, function: Function) -> Head {
    Head { scores: scores as u32, steps: vec![ClearStep::Function { function }] }
}

/// One score, which is the second class's probability: that of the first is what is missing to 1.
pub(super) fn probability_of_second(mut steps: Vec<ClearStep>) -> Head {
    steps.push(ClearStep::Linear { weights: vec![vec![-1.0], vec![1.0]], biases: vec![1.0, 0.0] });
    Head { scores: 1, steps }
}

/// The square of one score, with the score's sign.
pub(super) fn signed_square() -> Head {
    let part = |steps| Part { sources: vec![0], steps };
    let parts = vec![part(Vec::new()), part(vec![ClearStep::Function { function: Function::Abs }])];
    Head { scores: 1, steps: vec![ClearStep::Parts { parts }, ClearStep::Products { terms: vec![vec![0, 1]] }] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(head: &Head, scores: &[f64]) -> Vec<f64> {
        ClearStep::check_all(&head.steps, head.scores as usize).unwrap();
        ClearStep::apply_all(&head.steps, scores.to_vec())
    }

    #[test]
    fn links_do_what_they_say() {
        assert_eq!(after(&signed_square(), &[-3.0]), [-9.0]);
        assert_eq!(after(&signed_square(), &[2.0]), [4.0]);
        assert_eq!(after(&probability_of_second(Vec::new()), &[0.25]), [0.75, 0.25]);
        assert_eq!(after(&each(2, Function::Sigmoid), &[0.0, 0.0]), [0.5, 0.5]);
        assert_eq!(after(&link(Function::Exp), &[0.0]), [1.0]);
    }
}
