//! `--class-weight`.

use clap::Args;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::Output;
use fhectl_train::data::Dataset;
use fhectl_train::train::ClassWeights;

/// The flag of kinds that tell classes.
#[derive(Debug, Args)]
pub struct ClassWeightArgs {
    /// How much rows of each class count in training: `balanced` for every class as much as any other, so that a rare one
    /// is found, or weights by name; those not named have 1 [default: none]
    #[arg(
        long = "class-weight",
        env = "FHECTL_CLASS_WEIGHT",
        value_name = "balanced|none|LABEL=W,...",
        value_parser = parse
    )]
    class_weight: Option<ClassWeightChoice>,
}

#[derive(Debug, Clone, PartialEq)]
enum ClassWeightChoice {
    None,
    Balanced,
    Named(Vec<(String, f64)>),
}

impl ClassWeightArgs {
    /// The weights for these rows.
    ///
    /// # Errors
    /// `class_weights` where they do not suit the target.
    pub fn of(&self, train: &Dataset) -> Result<ClassWeights> {
        match &self.class_weight {
            None | Some(ClassWeightChoice::None) => Ok(ClassWeights::default()),
            Some(ClassWeightChoice::Balanced) => ClassWeights::balanced(train),
            Some(ClassWeightChoice::Named(weights)) => ClassWeights::named(train, weights),
        }
    }
}

/// What a model was made with, and the weights of its classes where there are some.
pub fn with_weights(options: String, weights: &ClassWeights, train: &Dataset) -> String {
    match weights.describe(&train.classes) {
        Some(weights) if matches!(train.output(), Output::Classes(_)) => format!("{options}; {weights}"),
        _ => options,
    }
}

fn parse(text: &str) -> Result<ClassWeightChoice> {
    match text {
        "none" => return Ok(ClassWeightChoice::None),
        "balanced" => return Ok(ClassWeightChoice::Balanced),
        _ => {}
    }
    let weight = |part: &str| {
        let (name, weight) = part.rsplit_once('=')?;
        Some((name.trim().to_owned(), weight.trim().parse().ok()?)).filter(|(name, _)| !name.is_empty())
    };
    let weights: Option<Vec<(String, f64)>> = text.split(',').map(weight).collect();
    weights.map(ClassWeightChoice::Named).ok_or_else(|| {
        Error::new(ErrorCode::ClassWeights, format!("`{}` is no list of weights", text.escape_debug()))
            .hint("write balanced, none, or weights by name: yes=10,no=1")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_named_or_words() {
        assert_eq!(parse("balanced").unwrap(), ClassWeightChoice::Balanced);
        assert_eq!(parse("none").unwrap(), ClassWeightChoice::None);
        let named = ClassWeightChoice::Named(vec![("a=b".to_owned(), 2.5), ("1".to_owned(), 1.0)]);
        assert_eq!(parse("a=b=2.5, 1=1").unwrap(), named);
        for bad in ["", "even", "a=", "=3", "a=1,", "a=x"] {
            assert_eq!(parse(bad).unwrap_err().code, ErrorCode::ClassWeights, "{bad}");
        }
    }
}
