//! Texts to counts of words, as scikit-learn's vectorizers are exported.

use super::super::lin::Lin;
use super::super::scope::Scope;
use super::super::value::{Kind, Origin, Tensor, Text, Texts, Value};
use crate::import::model::large;
use crate::import::onnx::{Node, invalid, unsupported};
use fhectl_core::error::{Error, Result};
use fhectl_core::model::{ColumnRule, Function};
use std::rc::Rc;

/// The most phrases of a vocabulary, and words of one phrase.
const MAX_PHRASES: usize = 1 << 16;
const MAX_PHRASE: i64 = 4;
/// How skl2onnx writes the vectorizers' own pattern of words.
const PATTERNS: [&str; 4] = ["[a-zA-Z0-9_]+", "[a-zA-Z0-9_][a-zA-Z0-9_]+", "\\b\\w\\w+\\b", "(?u)\\b\\w\\w+\\b"];

fn texts(node: &Node, scope: &mut Scope<'_>) -> Result<Rc<Texts>> {
    match scope.value(node, 0)? {
        Value::Texts(texts) => Ok(texts),
        Value::Numbers(_) => Err(unsupported(format!("{} of numbers", node.label()))),
    }
}

fn refused(node: &Node, setting: &str, what: &str) -> Error {
    unsupported(format!("{} has {what}", node.label())).hint(format!(
        "words are two or more letters, digits or underscores in a row, in lower case or as they are: leave out the \
         vectorizer's `{setting}`"
    ))
}

pub(in super::super) fn normalizer(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let of = texts(node, scope)?;
    let lowered = match node.text("case_change_action", "NONE")? {
        "NONE" => false,
        "LOWER" => true,
        other => return Err(refused(node, "preprocessor", &format!("the case change {}", other.escape_debug()))),
    };
    let stopped = !node.texts("stopwords")?.is_empty();
    let change = |text: &Text| match text {
        Text::Cell { column, lower, stop_words, words } => Ok(Text::Cell {
            column: *column,
            lower: *lower || lowered,
            stop_words: *stop_words || stopped,
            words: *words,
        }),
        _ => Err(unsupported(format!("{} of texts that no column has", node.label()))),
    };
    let values = of.values.iter().map(change).collect::<Result<_>>()?;
    Ok(Value::Texts(Rc::new(Texts { shape: of.shape.clone(), values, label: None })))
}

pub(in super::super) fn tokenizer(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let of = texts(node, scope)?;
    let pattern = node.text("tokenexp", "")?;
    if !node.texts("separators")?.is_empty() && pattern.is_empty() {
        return Err(refused(node, "separators", "separators of its own (an option of the exporter)"));
    }
    if !PATTERNS.contains(&pattern) {
        let setting = if pattern.len() <= 1 { "analyzer" } else { "token_pattern" };
        return Err(refused(node, setting, &format!("the pattern of words `{}`", pattern.escape_debug())));
    }
    if node.int("mark", 0)? != 0 || node.int("mincharnum", 1)? > 2 {
        return Err(refused(node, "token_pattern", "marks or words of more than two letters"));
    }
    let split = |text: &Text| match text {
        Text::Cell { column, lower, stop_words, .. } => {
            Ok(Text::Cell { column: *column, lower: *lower, stop_words: *stop_words, words: true })
        }
        _ => Err(unsupported(format!("{} of texts that no column has", node.label()))),
    };
    let values: Vec<Text> = of.values.iter().map(split).collect::<Result<_>>()?;
    Ok(Value::Texts(Rc::new(Texts { shape: vec![1, values.len()], values, label: None })))
}

/// `TfIdfVectorizer`: how often phrases of a list occur.
pub(in super::super) fn counts(node: &Node, scope: &mut Scope<'_>) -> Result<Value> {
    let of = texts(node, scope)?;
    let [Text::Cell { column, lower, stop_words, words: true }] = of.values[..] else {
        return Err(unsupported(format!("{} of other texts than one column's words", node.label()))
            .hint("give each text column a vectorizer of its own, in a ColumnTransformer"));
    };
    let (shortest, longest) = (node.int("min_gram_length", 1)?, node.int("max_gram_length", 1)?);
    if shortest < 1 || longest < shortest || longest > MAX_PHRASE || node.int("max_skip_count", 0)? != 0 {
        return Err(refused(
            node,
            "ngram_range",
            &format!("phrases of {shortest} to {longest} words, or gaps in them"),
        ));
    }
    if stop_words && longest > 1 {
        return Err(refused(node, "stop_words", "stop words that are left out before phrases are made"));
    }
    let phrases = phrases(node, longest)?;
    let width = phrases.iter().map(|(_, place)| place + 1).max().unwrap_or(0);
    let (mode, weights) = (node.text("mode", "TF")?, node.floats("weights")?);
    if !weights.is_empty() && weights.len() != phrases.len() {
        return Err(invalid(format!("{}: {} weights for {} phrases", node.label(), weights.len(), phrases.len())));
    }
    let mut made = vec![Lin::constant(0.0); width];
    for (at, (phrase, place)) in phrases.iter().enumerate() {
        check_phrase(node, phrase, lower)?;
        let count = scope.arena.text(column, lower, phrase)?;
        let weight = weights.get(at).map_or(1.0, |weight| f64::from(*weight));
        made[*place] = match mode {
            "TF" => count,
            "TFIDF" => count.scaled(weight),
            "IDF" => {
                let function = Function::Positive;
                scope.arena.rule(ColumnRule::Apply { function }, &count, false)?.scaled(weight)
            }
            other => return Err(unsupported(format!("{} in the mode {}", node.label(), other.escape_debug()))),
        };
    }
    Ok(Tensor::row(made, Kind::Single, Origin::Data).value())
}

/// The phrases of the pool in its order, each with its place in the output.
fn phrases(node: &Node, longest: i64) -> Result<Vec<(String, usize)>> {
    let pool = node.texts("pool_strings")?;
    let (starts, places) = (node.ints("ngram_counts")?, node.ints("ngram_indexes")?);
    let broken = || invalid(format!("{}: lists of phrases that do not go together", node.label()));
    let starts: Option<Vec<usize>> = starts.iter().map(|start| usize::try_from(*start).ok()).collect();
    let starts = starts.filter(|starts| starts.len() as i64 <= longest).ok_or_else(broken)?;
    if pool.is_empty() || places.is_empty() || places.len() > MAX_PHRASES {
        return Err(large(format!("{}: {} phrases, want 1 to {MAX_PHRASES}", node.label(), places.len())));
    }
    let mut found = Vec::with_capacity(places.len());
    let mut next = places.iter();
    for (at, start) in starts.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(pool.len());
        let words = pool.get(*start..end).filter(|words| words.len() % (at + 1) == 0).ok_or_else(broken)?;
        for phrase in words.chunks(at + 1) {
            let place = next.next().and_then(|place| usize::try_from(*place).ok()).filter(|at| *at < MAX_PHRASES);
            found.push((phrase.join(" "), place.ok_or_else(broken)?));
        }
    }
    if next.next().is_some() { Err(broken()) } else { Ok(found) }
}

/// Whether a phrase is of words as they are counted here.
fn check_phrase(node: &Node, phrase: &str, lower: bool) -> Result<()> {
    let word = |word: &str| {
        word.chars().nth(1).is_some()
            && word.chars().all(|c| c.is_alphanumeric() || c == '_')
            && (!lower || word.to_lowercase() == word)
    };
    match phrase.split(' ').all(word) {
        true => Ok(()),
        false => Err(refused(node, "token_pattern", &format!("the phrase `{}`", phrase.escape_debug()))),
    }
}
