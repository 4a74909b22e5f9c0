//! From scores to predictions.

use super::spec::{ClientSpec, Head, ScoreUnit};
use crate::model::{ClearStep, Output, class_of_scores};

/// What a model predicts of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Predicted {
    /// An index into the model's classes.
    Class(usize),
    /// A number, in the target's unit.
    Value(f64),
}

/// What scores stand for: how a client, in clear, makes a prediction of them.
///
/// ```
/// use fhectl_core::bundle::{Predicted, ScoreDecoder, ScoreUnit};
///
/// let decoder = ScoreDecoder { scale: Some(0.5), ..ScoreDecoder::classes(2, ScoreUnit::Share) };
/// assert_eq!(decoder.predict(&[1]), Predicted::Class(1));
/// assert_eq!(decoder.class_scores(&[1]), [0.25, 0.75]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreDecoder {
    /// The number of classes; 0 where a number is predicted.
    pub classes: usize,
    /// What an integer score is worth; `None` where scores are classes.
    pub scale: Option<f64>,
    /// What is added to a score that has a worth.
    pub offset: Option<f64>,
    /// What scores of classes are.
    pub unit: ScoreUnit,
    /// What takes the place of the unit where a client computes more.
    pub head: Option<Head>,
}

impl ScoreDecoder {
    /// Of scores of this many classes, which have no scale.
    pub fn classes(classes: usize, unit: ScoreUnit) -> Self {
        Self { classes, scale: None, offset: None, unit, head: None }
    }

    /// What is predicted: a class or a number.
    pub fn predicts(&self) -> Output {
        if self.classes == 0 { Output::Value } else { Output::Classes(self.classes) }
    }

    /// What integer scores predict.
    pub fn predict(&self, scores: &[i64]) -> Predicted {
        match (self.predicts(), &self.head) {
            (Output::Classes(_), None) => Predicted::Class(class_of_scores(scores)),
            _ => self.predict_real(&self.real(scores)),
        }
    }

    /// What scores in real numbers predict, those of the model before it was made of integers among them.
    pub fn predict_real(&self, scores: &[f64]) -> Predicted {
        match (self.predicts(), &self.head) {
            (Output::Classes(_), None) => Predicted::Class(class_of_scores(scores)),
            (Output::Classes(_), Some(_)) => Predicted::Class(class_of_scores(&self.class_scores_real(scores))),
            (_, Some(head)) => Predicted::Value(last(&ClearStep::apply_all(&head.steps, scores.to_vec()))),
            (_, None) => Predicted::Value(last(scores)),
        }
    }

    /// Integer scores in real numbers: times their scale, with their offset.
    pub fn real(&self, scores: &[i64]) -> Vec<f64> {
        let (scale, offset) = (self.scale.unwrap_or(1.0), self.offset.unwrap_or(0.0));
        scores.iter().map(|score| *score as f64 * scale + offset).collect()
    }

    /// One number a class: what the head makes of the scores where there is one, else probabilities where scores are
    /// logits, shares of votes, or distances from the boundary; scores as they are where they have no scale.
    pub fn class_scores(&self, scores: &[i64]) -> Vec<f64> {
        match self.scale {
            None if self.head.is_none() => {
                let scores: Vec<f64> = scores.iter().map(|score| *score as f64).collect();
                match (&scores[..], self.unit) {
                    ([margin], _) => self.of_margin(*margin),
                    _ => scores,
                }
            }
            _ => self.class_scores_real(&self.real(scores)),
        }
    }

    /// The same of scores in real numbers.
    pub fn class_scores_real(&self, scores: &[f64]) -> Vec<f64> {
        if let Some(head) = &self.head {
            return ClearStep::apply_all(&head.steps, scores.to_vec());
        }
        let scores = match scores {
            [margin] => self.of_margin(*margin),
            _ => scores.to_vec(),
        };
        if self.unit == ScoreUnit::Logit { ClearStep::Softmax {}.apply(scores) } else { scores }
    }

    /// One number for each of two classes.
    fn of_margin(&self, margin: f64) -> Vec<f64> {
        match self.unit {
            ScoreUnit::Logit => vec![0.0, margin],
            ScoreUnit::Share => vec![(1.0 - margin) / 2.0, (1.0 + margin) / 2.0],
            ScoreUnit::Margin => vec![-margin, margin],
        }
    }
}

fn last(numbers: &[f64]) -> f64 {
    numbers.last().copied().unwrap_or(f64::NAN)
}

impl ClientSpec {
    /// What scores of this model stand for.
    pub fn decoder(&self) -> ScoreDecoder {
        ScoreDecoder {
            classes: self.classes.len(),
            scale: self.score_scale,
            offset: self.score_offset,
            unit: self.score_unit,
            head: self.head.clone(),
        }
    }

    /// As [`ScoreDecoder::predict`].
    pub fn predict(&self, scores: &[i64]) -> Predicted {
        self.decoder().predict(scores)
    }

    /// As [`ScoreDecoder::class_scores`].
    pub fn class_scores(&self, scores: &[i64]) -> Vec<f64> {
        self.decoder().class_scores(scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_give_one_number_a_class() {
        let of = |unit| ScoreDecoder { scale: Some(1.0), ..ScoreDecoder::classes(2, unit) }.class_scores(&[0]);
        assert_eq!(of(ScoreUnit::Logit), [0.5, 0.5]);
        assert_eq!(of(ScoreUnit::Share), [0.5, 0.5]);
        assert_eq!(of(ScoreUnit::Margin), [0.0, 0.0]);
        assert_eq!(ScoreDecoder::classes(3, ScoreUnit::Logit).class_scores(&[4, 5, 6]), [4.0, 5.0, 6.0]);
    }

    #[test]
    fn a_head_takes_the_place_of_the_unit() {
        let head = |scores, steps| Some(Head { scores, steps });
        let votes = ClearStep::Linear { weights: vec![vec![0.0, 1.0], vec![1.0, 0.0]], biases: vec![0.0, 0.0] };
        let swapped =
            ScoreDecoder { scale: Some(0.5), head: head(2, vec![votes]), ..ScoreDecoder::classes(2, ScoreUnit::Logit) };
        assert_eq!(swapped.class_scores(&[2, 6]), [3.0, 1.0]);
        assert_eq!(swapped.predict(&[2, 6]), Predicted::Class(0));
        let exp = ClearStep::Function { function: crate::model::Function::Exp };
        let link = ScoreDecoder {
            classes: 0,
            scale: Some(0.25),
            offset: Some(-1.0),
            unit: ScoreUnit::Logit,
            head: head(1, vec![exp]),
        };
        assert_eq!(link.predict(&[4]), Predicted::Value(1.0));
    }
}
