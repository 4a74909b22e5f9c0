//! The words of a column of texts, chosen from the training rows.

use super::shorten;
use super::table_options::TableOptions;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::{Vocabulary, Words, WordsNorm};
use std::collections::BTreeMap;

/// Words of fewer texts than this say nothing of others.
const FEWEST_TEXTS: usize = 2;

/// TF-IDF of the words that the most texts have, as scikit-learn's vectorizer weighs them: `log((1 + n) / (1 + d)) + 1`
/// for a word in `d` of `n` texts, and rows of length 1.
///
/// # Errors
/// `csv_cell` where texts have no word in common.
pub(super) fn fit<'a>(name: &str, texts: impl Iterator<Item = &'a str>, options: &TableOptions) -> Result<Words> {
    let mut words = Words { norm: WordsNorm::L2, ..Words::counts(Vocabulary::Hashed { buckets: 1 }) };
    let (mut all, mut of_word) = (0usize, BTreeMap::<String, usize>::new());
    for text in texts {
        all += 1;
        for word in words.phrases_of(text).into_keys() {
            *of_word.entry(word).or_insert(0) += 1;
        }
    }
    if options.hash_text {
        words.vocabulary = Vocabulary::Hashed { buckets: options.text_words };
        return Ok(words);
    }
    let mut common: Vec<(String, usize)> =
        of_word.into_iter().filter(|(_, texts)| *texts >= FEWEST_TEXTS && *texts < all).collect();
    // Of equally common ones the first in the alphabet.
    common.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    common.truncate(options.text_words as usize);
    common.sort_unstable();
    if common.is_empty() {
        return Err(Error::new(
            ErrorCode::CsvCell,
            format!("the texts of `{}` have no words in common", shorten(name)),
        )
        .hint("leave --text out where the column holds categories"));
    }
    words.weights = common.iter().map(|(_, texts)| libm::log((1 + all) as f64 / (1 + texts) as f64) + 1.0).collect();
    words.vocabulary = Vocabulary::Listed { words: common.into_iter().map(|(word, _)| word).collect() };
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_are_listed_and_weighed() {
        let texts = ["free money now", "free lunch", "lunch at noon", "rare"];
        let words = fit("t", texts.into_iter(), &TableOptions::default()).unwrap();
        assert_eq!(words.vocabulary, Vocabulary::Listed { words: vec!["free".into(), "lunch".into()] });
        assert!((words.weights[0] - (5.0f64 / 3.0).ln() - 1.0).abs() < 1e-12);
        let one = TableOptions { text_words: 1, ..TableOptions::default() };
        assert_eq!(fit("t", texts.into_iter(), &one).unwrap().width(), 1);
        let hashed = TableOptions { text_words: 64, hash_text: true, ..TableOptions::default() };
        assert_eq!(fit("t", texts.into_iter(), &hashed).unwrap().width(), 64);
        assert_eq!(fit("t", ["a", "b"].into_iter(), &one).unwrap_err().code, ErrorCode::CsvCell);
    }
}
