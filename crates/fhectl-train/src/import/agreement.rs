//! How far two models agree on the same rows.

use crate::train::Fit;
use fhectl_core::bundle::{Predicted, ScoreDecoder, ScoreUnit};
use std::fmt::{self, Write};

/// How far a model agrees with its original: in what it predicts, and in its scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Agreement {
    Classes {
        /// The share of rows with the original's class.
        same_class: f64,
        /// The least share over the original's classes, of rows of one class: where a rare class is lost, it is low.
        worst_class: f64,
        /// The mean and the largest distance of a row's scores from the original's, in probabilities, shares or margins;
        /// `None` where classes are all that is computed.
        scores: Option<ScoreDistance>,
    },
    Values {
        /// R2 of the numbers with the original's; 1 where these are all equal and so are the others.
        r2: f64,
    },
}

/// How far scores lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreDistance {
    pub mean: f64,
    pub largest: f64,
    /// What a score is worth: 1 for probabilities and shares, the mean size of the original's where these are margins.
    pub size: f64,
}

impl ScoreDistance {
    /// The mean as a share of what a score is worth.
    fn relative(&self) -> f64 {
        self.mean / self.size
    }
}

impl Agreement {
    /// Compares the scores of the same rows, in real numbers, by what `decoder` makes of them; `scored` says whether the
    /// second model's stand for what the first's do, beyond the class. 0 without rows.
    pub fn of(decoder: &ScoreDecoder, original: &[Vec<f64>], other: &[Vec<f64>], scored: bool) -> Self {
        if decoder.classes == 0 {
            let value = |scores: &Vec<f64>| match decoder.predict_real(scores) {
                Predicted::Value(value) => value,
                Predicted::Class(_) => f64::NAN,
            };
            let (wanted, got): (Vec<f64>, Vec<f64>) =
                (original.iter().map(value).collect(), other.iter().map(value).collect());
            let r2 = Fit::of(&got, &wanted).r2;
            return Self::Values { r2: if r2.is_nan() { f64::from(u8::from(wanted == got)) } else { r2 } };
        }
        let class = |scores: &[f64]| match decoder.predict_real(scores) {
            Predicted::Class(class) => class,
            Predicted::Value(_) => 0,
        };
        let mut of_class = vec![(0usize, 0usize); decoder.classes];
        let (mut sum, mut largest, mut size) = (0.0, 0.0f64, 0.0);
        let margins = decoder.unit == ScoreUnit::Margin && decoder.head.is_none();
        for (a, b) in original.iter().zip(other) {
            let wanted = class(a);
            // A tree that predicts classes may have one score for each of two.
            let got = if b.len() == a.len() { class(b) } else { fhectl_core::model::class_of_scores(b) };
            of_class[wanted].0 += usize::from(got == wanted);
            of_class[wanted].1 += 1;
            if scored {
                let (a, b) = (decoder.class_scores_real(a), decoder.class_scores_real(b));
                let distance = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                sum += distance;
                size += a.iter().map(|a| a.abs()).sum::<f64>() / a.len().max(1) as f64;
                largest = largest.max(distance);
            }
        }
        let share = |(same, all): &(usize, usize)| *same as f64 / (*all).max(1) as f64;
        let rows = original.len().max(1) as f64;
        Self::Classes {
            same_class: of_class.iter().map(|(same, _)| *same).sum::<usize>() as f64 / rows,
            worst_class: of_class.iter().filter(|(_, all)| *all > 0).map(share).fold(1.0, f64::min),
            scores: scored.then_some(ScoreDistance {
                mean: sum / rows,
                largest,
                size: if margins && size > 0.0 { size / rows } else { 1.0 },
            }),
        }
    }

    /// Whether fewer levels than this model's would do: nearly all classes, those of rare ones too, and scores to a
    /// hundredth on average; or numbers to a few thousandths of their variance.
    pub fn is_enough(&self) -> bool {
        match self {
            Self::Classes { same_class, worst_class, scores } => {
                *same_class >= 0.995 && *worst_class >= 0.98 && scores.is_none_or(|scores| scores.relative() <= 0.01)
            }
            Self::Values { r2 } => *r2 >= 0.997,
        }
    }

    /// Whether scores are the original's to a hundredth nearly everywhere.
    pub fn is_near(&self) -> bool {
        match self {
            Self::Classes { same_class, scores, .. } => {
                *same_class >= 0.998 && scores.is_none_or(|scores| scores.relative() <= 0.004)
            }
            Self::Values { r2 } => *r2 >= 0.9995,
        }
    }

    /// Whether more levels than this model's would hardly say anything else.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Classes { same_class, scores, .. } => {
                *same_class == 1.0 && scores.is_none_or(|scores| scores.relative() <= 0.002)
            }
            Self::Values { r2 } => *r2 >= 0.9999,
        }
    }

    /// What the better of two models has more of: classes of the worst class and of all, then nearness of scores.
    pub fn rank(&self) -> f64 {
        match self {
            Self::Classes { same_class, worst_class, scores } => {
                same_class + 0.25 * worst_class - scores.map_or(0.0, |scores| scores.relative().min(1.0) * 0.01)
            }
            Self::Values { r2 } => *r2,
        }
    }

    /// One number, 1 for equal models: the share of equal classes, or R2.
    pub fn share(&self) -> f64 {
        match self {
            Self::Classes { same_class, .. } => *same_class,
            Self::Values { r2 } => *r2,
        }
    }
}

impl Agreement {
    /// The agreement on so many rows, in words.
    pub fn on(&self, rows: &str) -> String {
        match self {
            Self::Values { r2 } => format!("R2 of its numbers with the original's is {r2:.4} on {rows}"),
            Self::Classes { same_class, worst_class, scores } => {
                let mut text = format!("the same class as the original on {:.2} % of {rows}", same_class * 100.0);
                if worst_class < same_class {
                    let _ = write!(text, ", {:.2} % of its worst class", worst_class * 100.0);
                }
                if let Some(scores) = scores {
                    let _ = write!(text, ", scores within {:.4} (mean {:.4})", scores.largest, scores.mean);
                    if scores.size != 1.0 {
                        let _ = write!(text, " of margins of {:.4} on average", scores.size);
                    }
                }
                text
            }
        }
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.on("rows"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_class_shows() {
        let decoder = ScoreDecoder { scale: Some(1.0), ..ScoreDecoder::classes(2, ScoreUnit::Share) };
        let original: Vec<Vec<f64>> = (0..100).map(|row| vec![if row == 0 { 0.5 } else { -0.5 }]).collect();
        let other = vec![vec![-0.5]; 100];
        let agreement = Agreement::of(&decoder, &original, &other, true);
        let distance = Some(ScoreDistance { mean: 0.005, largest: 0.5, size: 1.0 });
        assert_eq!(agreement, Agreement::Classes { same_class: 0.99, worst_class: 0.0, scores: distance });
        assert_eq!(Agreement::of(&decoder, &original, &original, false).share(), 1.0);
    }

    #[test]
    fn classes_are_counted() {
        let decoder = ScoreDecoder { scale: Some(1.0), ..ScoreDecoder::classes(2, ScoreUnit::Logit) };
        let scores = |margins: &[f64]| margins.iter().map(|margin| vec![*margin]).collect::<Vec<_>>();
        let (original, other) = (scores(&[1.0, -1.0, 2.0, -2.0]), scores(&[0.5, -9.0, -1.0, -1.0]));
        assert_eq!(Agreement::of(&decoder, &original, &other, false).share(), 0.75);
        assert_eq!(Agreement::of(&decoder, &[], &[], false).share(), 0.0);
    }

    #[test]
    fn equal_numbers_agree() {
        let decoder = ScoreDecoder { scale: Some(1.0), ..ScoreDecoder::classes(0, ScoreUnit::Logit) };
        assert_eq!(Agreement::of(&decoder, &[vec![2.0]], &[vec![2.0]], true), Agreement::Values { r2: 1.0 });
        let rows = [vec![1.0], vec![3.0]];
        assert_eq!(Agreement::of(&decoder, &rows, &[vec![2.0], vec![2.0]], true), Agreement::Values { r2: 0.0 });
    }
}
