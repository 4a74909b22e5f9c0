//! What a client computes in clear: on a row before it is quantized, and on scores after they are decrypted.
//!
//! A list of [`ClearStep`]s is a small program on vectors of numbers. It takes the place of the scalers, encoders and
//! links that stand around a model in other tools, so that only sums, trees and networks are encrypted. All of it is
//! public: it is part of `client.zip`.

mod column_rule;
mod function;
mod neighbors;

pub use column_rule::{Column, ColumnRule};
pub use function::Function;
pub use neighbors::{Neighbors, Vote, VoteWeights};

use super::invalid;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The most numbers that a vector may have on its way, and the most of a step's parameters.
pub const MAX_CLEAR_VALUES: usize = 1 << 22;
/// How deep parts may hold parts.
const MAX_DEPTH: usize = 4;
/// The most steps of a program, and numbers that all of them make, so that one from anywhere ends soon.
const MAX_STEPS: usize = 1 << 14;
const MAX_WORK: usize = 1 << 26;

/// One step on a vector of numbers, in clear on the client. Its parameters are public.
///
/// A missing number is NaN. Steps hand it on unless they say otherwise; the quantizer refuses it.
///
/// ```
/// use fhectl_core::model::{ClearStep, Column, ColumnRule, Norm};
///
/// let steps = [
///     ClearStep::Columns {
///         columns: vec![
///             Column { source: 0, rule: ColumnRule::Impute { value: 4.0 } },
///             Column { source: 1, rule: ColumnRule::OneOf { values: vec![2.0], missing: false } },
///         ],
///     },
///     ClearStep::Scale { offsets: vec![1.0, 0.0], scales: vec![1.0, 4.0] },
///     ClearStep::Normalize { norm: Norm::L2 },
/// ];
/// assert_eq!(ClearStep::check_all(&steps, 2)?, 2);
/// assert_eq!(ClearStep::apply_all(&steps, vec![f64::NAN, 2.0]), [0.6, 0.8]);
/// # Ok::<(), fhectl_core::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum ClearStep {
    /// `(x - offset) * scale`, for each number.
    Scale { offsets: Vec<f64>, scales: Vec<f64> },
    /// Divides the vector by its norm. A vector of norm zero is left alone.
    Normalize { norm: Norm },
    /// A vector of new numbers, each made from one of the old ones.
    Columns { columns: Vec<Column> },
    /// `biases[i] + sum_j weights[i][j] * x[j]`.
    Linear { weights: Vec<Vec<f64>>, biases: Vec<f64> },
    /// Products: number `i` is the product of the numbers at `terms[i]`, which may repeat; 1 for none.
    Products { terms: Vec<Vec<u32>> },
    /// A function of each number.
    Function { function: Function },
    /// `exp(x_i) / sum_j exp(x_j)`.
    Softmax {},
    /// Parts of the vector, each with steps of its own, one after the other.
    Parts { parts: Vec<Part> },
    /// The votes of the nearest training rows, from scores that grow with nearness.
    Neighbors(Neighbors),
    /// The largest number.
    Largest {},
    /// The index of the largest number; of equal ones the first.
    WhichLargest {},
    /// Number `i` is the one at `choices[i][1]` where the one at `choices[i][0]` is not 0, else the one at `choices[i][2]`.
    Choose { choices: Vec<[u32; 3]> },
}

/// The norm of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// The sum of magnitudes.
    L1,
    /// The Euclidean norm.
    L2,
    /// The largest magnitude.
    Max,
}

/// Some numbers of a vector, in this order, and what is done to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub sources: Vec<u32>,
    pub steps: Vec<ClearStep>,
}

impl ClearStep {
    /// The vector after all steps.
    pub fn apply_all(steps: &[Self], values: Vec<f64>) -> Vec<f64> {
        steps.iter().fold(values, |values, step| step.apply(values))
    }

    /// Checks steps on vectors of `inputs` numbers and returns how many they end with.
    ///
    /// # Errors
    /// `model_invalid`, for the first step that does not fit.
    pub fn check_all(steps: &[Self], inputs: usize) -> Result<usize> {
        let all = check_depth(steps, 0)?;
        if all > MAX_STEPS {
            return Err(invalid(format!("{all} steps, at most {MAX_STEPS}")));
        }
        let (width, work) = Self::measured(steps, inputs)?;
        match work <= MAX_WORK {
            true => Ok(width),
            false => Err(invalid(format!("steps of {work} numbers, at most {MAX_WORK}"))),
        }
    }

    /// Checks each step, and returns how many numbers they end with and how many they look at.
    fn measured(steps: &[Self], inputs: usize) -> Result<(usize, usize)> {
        steps.iter().try_fold((inputs, 0usize), |(width, work), step| {
            let (made, looked_at) = step.check(width)?;
            Ok((made, work.saturating_add(looked_at)))
        })
    }

    /// The vector after this step, which fits the vector ([`ClearStep::check_all`]).
    pub fn apply(&self, mut values: Vec<f64>) -> Vec<f64> {
        match self {
            Self::Scale { offsets, scales } => {
                for ((x, offset), scale) in values.iter_mut().zip(offsets).zip(scales) {
                    *x = (*x - offset) * scale;
                }
                values
            }
            Self::Normalize { norm } => {
                let size = match norm {
                    Norm::L1 => values.iter().map(|x| x.abs()).sum(),
                    Norm::L2 => libm::sqrt(values.iter().map(|x| x * x).sum()),
                    Norm::Max => values.iter().fold(0.0, |most: f64, x| most.max(x.abs())),
                };
                if size != 0.0 {
                    values.iter_mut().for_each(|x| *x /= size);
                }
                values
            }
            Self::Columns { columns } => {
                columns.iter().map(|column| column.rule.apply(values[column.source as usize])).collect()
            }
            Self::Linear { weights, biases } => {
                let sum = |row: &Vec<f64>| row.iter().zip(&values).map(|(w, x)| w * x).sum::<f64>();
                weights.iter().zip(biases).map(|(row, bias)| sum(row) + bias).collect()
            }
            Self::Products { terms } => {
                terms.iter().map(|term| term.iter().map(|source| values[*source as usize]).product()).collect()
            }
            Self::Function { function } => {
                values.iter_mut().for_each(|x| *x = function.apply(*x));
                values
            }
            Self::Softmax {} => softmax(&values),
            Self::Parts { parts } => {
                let part = |part: &Part| {
                    let chosen = part.sources.iter().map(|source| values[*source as usize]).collect();
                    Self::apply_all(&part.steps, chosen)
                };
                parts.iter().flat_map(part).collect()
            }
            Self::Neighbors(neighbors) => neighbors.apply(&values),
            Self::Largest {} => vec![values.iter().copied().fold(f64::NEG_INFINITY, larger)],
            Self::WhichLargest {} => {
                let better = |best: usize, at: usize| if values[at] > values[best] { at } else { best };
                vec![(0..values.len()).fold(0, better) as f64]
            }
            Self::Choose { choices } => {
                let chosen = |[which, yes, no]: &[u32; 3]| {
                    values[if values[*which as usize] != 0.0 { *yes } else { *no } as usize]
                };
                choices.iter().map(chosen).collect()
            }
        }
    }

    /// Checks the parameters for vectors of `inputs` numbers, and returns how many the step makes of them and how many it
    /// looks at.
    fn check(&self, inputs: usize) -> Result<(usize, usize)> {
        let finite = |numbers: &[f64], what: &str| match numbers.iter().all(|x| x.is_finite()) {
            true => Ok(()),
            false => Err(invalid(format!("a number of {what} is not finite"))),
        };
        let known = |sources: &[u32]| match sources.iter().find(|source| **source as usize >= inputs) {
            Some(source) => Err(invalid(format!("a step takes number {source} of {inputs}"))),
            None => Ok(()),
        };
        let mut work = inputs;
        let width = match self {
            Self::Scale { offsets, scales } => {
                if offsets.len() != inputs || scales.len() != inputs {
                    return Err(invalid(format!("a scaler of {} values for {inputs} features", scales.len())));
                }
                finite(offsets, "a scaler")?;
                finite(scales, "a scaler")?;
                inputs
            }
            Self::Normalize { .. } | Self::Softmax {} => inputs,
            Self::Function { function } => {
                function.check()?;
                inputs
            }
            Self::Columns { columns } => {
                for column in columns {
                    known(&[column.source])?;
                    column.rule.check()?;
                }
                columns.len()
            }
            Self::Linear { weights, biases } => {
                if weights.len() != biases.len() || weights.iter().any(|row| row.len() != inputs) {
                    return Err(invalid(format!("a matrix whose rows are not of {inputs} numbers")));
                }
                weights.iter().try_for_each(|row| finite(row, "a matrix"))?;
                finite(biases, "a matrix")?;
                work = weights.len().saturating_mul(inputs);
                weights.len()
            }
            Self::Products { terms } => {
                terms.iter().try_for_each(|term| known(term))?;
                work = terms.iter().map(|term| term.len() + 1).sum();
                terms.len()
            }
            Self::Parts { parts } => {
                let mut width = 0usize;
                for part in parts {
                    known(&part.sources)?;
                    let (made, looked_at) = Self::measured(&part.steps, part.sources.len())?;
                    width += made;
                    work = work.saturating_add(part.sources.len()).saturating_add(looked_at);
                }
                width
            }
            Self::Neighbors(neighbors) => neighbors.check(inputs)?,
            Self::Largest {} | Self::WhichLargest {} => 1,
            Self::Choose { choices } => {
                choices.iter().try_for_each(|choice| known(choice))?;
                choices.len()
            }
        };
        if width == 0 || width > MAX_CLEAR_VALUES {
            return Err(invalid(format!("a step makes {width} numbers, want 1 to {MAX_CLEAR_VALUES}")));
        }
        Ok((width, work.max(width)))
    }
}

/// How many steps there are, those of parts among them.
fn check_depth(steps: &[ClearStep], depth: usize) -> Result<usize> {
    if depth > MAX_DEPTH {
        return Err(invalid(format!("parts within parts, more than {MAX_DEPTH} deep")));
    }
    let mut all = steps.len();
    for step in steps {
        if let ClearStep::Parts { parts } = step {
            for part in parts {
                all += check_depth(&part.steps, depth + 1)?;
            }
        }
    }
    Ok(all)
}

/// A missing number makes the largest one missing.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = values.iter().map(|logit| libm::exp(logit - largest)).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    fn part(sources: &[u32], steps: Vec<ClearStep>) -> Part {
        Part { sources: sources.to_vec(), steps }
    }

    #[test]
    fn steps_do_what_they_say() {
        let after = |step: ClearStep, values: &[f64]| {
            let (width, _) = step.check(values.len()).unwrap();
            let made = step.apply(values.to_vec());
            assert_eq!(made.len(), width);
            made
        };
        let scale = ClearStep::Scale { offsets: vec![1.0, 0.0], scales: vec![2.0, -1.0] };
        assert_eq!(after(scale, &[3.0, 4.0]), [4.0, -4.0]);
        let norm = |norm| ClearStep::Normalize { norm };
        assert_eq!(after(norm(Norm::L1), &[-1.0, 3.0]), [-0.25, 0.75]);
        assert_eq!(after(norm(Norm::L2), &[-3.0, 4.0]), [-0.6, 0.8]);
        assert_eq!(after(norm(Norm::Max), &[-4.0, 2.0]), [-1.0, 0.5]);
        assert_eq!(after(norm(Norm::L2), &[0.0, 0.0]), [0.0, 0.0]);
        let linear = ClearStep::Linear {
            weights: vec![vec![1.0, 2.0], vec![0.0, -1.0], vec![0.0, 0.0]],
            biases: vec![0.5, 0.0, 7.0],
        };
        assert_eq!(after(linear, &[3.0, 4.0]), [11.5, -4.0, 7.0]);
        let products = ClearStep::Products { terms: vec![vec![], vec![1], vec![0, 1], vec![1, 1, 1]] };
        assert_eq!(after(products, &[3.0, 4.0]), [1.0, 4.0, 12.0, 64.0]);
        let parts = vec![
            part(&[2, 0], vec![norm(Norm::L1)]),
            part(&[1], vec![ClearStep::Function { function: Function::Exp }]),
        ];
        assert_eq!(after(ClearStep::Parts { parts }, &[3.0, 0.0, 1.0]), [0.25, 0.75, 1.0]);
        assert_eq!(after(ClearStep::Largest {}, &[1.0, 7.0, 3.0]), [7.0]);
        assert_eq!(after(ClearStep::WhichLargest {}, &[1.0, 7.0, 7.0]), [1.0]);
        let choices = vec![[0, 1, 2], [2, 1, 0]];
        assert_eq!(after(ClearStep::Choose { choices }, &[0.0, 5.0, 6.0]), [6.0, 5.0]);
        let even = after(ClearStep::Softmax {}, &[1000.0, 1000.0]);
        assert_eq!(even, [0.5, 0.5]);
    }

    #[test]
    fn the_work_of_parts_is_that_of_all_their_steps() {
        // Each part alone is within the bound: one number becomes many, which are looked at again and again.
        let wide = || {
            let mut steps = vec![ClearStep::Products { terms: vec![Vec::new(); 1 << 14] }];
            steps.extend(vec![ClearStep::Softmax {}; 1 << 11]);
            part(&[0], steps)
        };
        let parts = |count: usize| [ClearStep::Parts { parts: (0..count).map(|_| wide()).collect() }];
        assert_eq!(ClearStep::check_all(&parts(1), 1).unwrap(), 1 << 14);
        assert_eq!(ClearStep::check_all(&parts(4), 1).unwrap_err().code, ErrorCode::ModelInvalid);
    }

    #[test]
    fn steps_that_do_not_fit_are_refused() {
        let mut deep = vec![ClearStep::Softmax {}];
        for _ in 0..=MAX_DEPTH {
            deep = vec![ClearStep::Parts { parts: vec![part(&[0], deep)] }];
        }
        let wrong = [
            vec![ClearStep::Scale { offsets: vec![0.0], scales: vec![1.0] }],
            vec![ClearStep::Scale { offsets: vec![0.0; 2], scales: vec![1.0, f64::INFINITY] }],
            vec![ClearStep::Columns { columns: vec![Column { source: 2, rule: ColumnRule::Copy }] }],
            vec![ClearStep::Columns { columns: Vec::new() }],
            vec![ClearStep::Softmax {}; MAX_STEPS + 1],
            vec![ClearStep::Linear { weights: vec![vec![1.0]], biases: vec![0.0] }],
            vec![ClearStep::Linear { weights: vec![vec![1.0, f64::NAN]], biases: vec![0.0] }],
            vec![ClearStep::Products { terms: vec![vec![0, 9]] }],
            vec![ClearStep::Parts { parts: vec![part(&[7], Vec::new())] }],
            vec![ClearStep::Choose { choices: vec![[0, 1, 2]] }],
            deep,
        ];
        for steps in wrong {
            assert_eq!(ClearStep::check_all(&steps, 2).unwrap_err().code, ErrorCode::ModelInvalid, "{steps:?}");
        }
    }
}
