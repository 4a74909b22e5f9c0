//! Texts as counts of words.

use super::super::invalid;
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most words of a vocabulary, and of a phrase.
const MAX_WORDS: usize = 1 << 16;
const MAX_PHRASE: u32 = 4;

/// How a text becomes numbers: counts of its words, weighted and normalized.
///
/// A word is at least two letters, digits or underscores in a row, as scikit-learn's vectorizers have it.
///
/// ```
/// use fhectl_core::model::{Vocabulary, Words};
///
/// let listed = vec!["free".into(), "free money".into(), "meeting".into()];
/// let words = Words { phrases: (1, 2), ..Words::counts(Vocabulary::Listed { words: listed }) };
/// let mut counts = Vec::new();
/// words.count_into("Free, FREE money!", &mut counts);
/// assert_eq!(counts, [2.0, 1.0, 0.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Words {
    pub vocabulary: Vocabulary,
    /// The fewest and the most words of a phrase that counts as one.
    pub phrases: (u32, u32),
    /// Whether `Free` and `free` are two words.
    #[serde(default)]
    pub keep_case: bool,
    /// Whether a word counts once however often it occurs.
    #[serde(default)]
    pub binary: bool,
    /// Whether a count `c` becomes `1 + log c`.
    #[serde(default)]
    pub sublinear: bool,
    /// What each count is multiplied by, as with inverse document frequencies; empty for 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f64>,
    pub norm: WordsNorm,
}

/// Which words are counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "vocabulary", rename_all = "snake_case")]
pub enum Vocabulary {
    /// These, sorted.
    Listed { words: Vec<String> },
    /// All, in so many buckets by their FNV-1a hash: the words stay unknown to whoever has client.zip.
    Hashed { buckets: u32 },
}

/// What the counts of a text are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordsNorm {
    None,
    /// Their sum.
    L1,
    /// The root of the sum of their squares.
    L2,
}

impl Words {
    /// Plain counts of single words, without regard to case.
    pub fn counts(vocabulary: Vocabulary) -> Self {
        Self {
            vocabulary,
            phrases: (1, 1),
            keep_case: false,
            binary: false,
            sublinear: false,
            weights: Vec::new(),
            norm: WordsNorm::None,
        }
    }

    /// How many numbers a text becomes.
    pub fn width(&self) -> usize {
        match &self.vocabulary {
            Vocabulary::Listed { words } => words.len(),
            Vocabulary::Hashed { buckets } => *buckets as usize,
        }
    }

    /// Adds the numbers of a text.
    pub fn count_into(&self, text: &str, numbers: &mut Vec<f64>) {
        let first = numbers.len();
        numbers.resize(first + self.width(), 0.0);
        let counts = &mut numbers[first..];
        for (phrase, times) in self.phrases_of(text) {
            let at = match &self.vocabulary {
                Vocabulary::Listed { words } => words.binary_search(&phrase).ok(),
                Vocabulary::Hashed { buckets } => Some((fnv1a(&phrase) % u64::from(*buckets)) as usize),
            };
            if let Some(at) = at {
                counts[at] += times as f64;
            }
        }
        for (index, count) in counts.iter_mut().enumerate().filter(|(_, count)| **count > 0.0) {
            if self.binary {
                *count = 1.0;
            }
            if self.sublinear {
                *count = 1.0 + libm::log(*count);
            }
            *count *= self.weights.get(index).copied().unwrap_or(1.0);
        }
        let size = match self.norm {
            WordsNorm::None => return,
            WordsNorm::L1 => counts.iter().map(|x| x.abs()).sum(),
            WordsNorm::L2 => libm::sqrt(counts.iter().map(|x| x * x).sum()),
        };
        if size > 0.0 {
            counts.iter_mut().for_each(|x| *x /= size);
        }
    }

    /// The phrases of a text, and how often each occurs.
    pub fn phrases_of(&self, text: &str) -> BTreeMap<String, usize> {
        let text = if self.keep_case { text.to_owned() } else { text.to_lowercase() };
        let words: Vec<&str> = text
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| word.chars().nth(1).is_some())
            .collect();
        let mut found = BTreeMap::new();
        for length in self.phrases.0..=self.phrases.1 {
            for phrase in words.windows(length as usize) {
                *found.entry(phrase.join(" ")).or_insert(0) += 1;
            }
        }
        found
    }

    /// # Errors
    /// `model_invalid`.
    pub(super) fn check(&self) -> Result<()> {
        let width = self.width();
        let sorted = match &self.vocabulary {
            Vocabulary::Listed { words } => words.windows(2).all(|pair| pair[0] < pair[1]),
            Vocabulary::Hashed { .. } => true,
        };
        let (fewest, most) = self.phrases;
        let phrases = 1 <= fewest && fewest <= most && most <= MAX_PHRASE;
        let weights = self.weights.is_empty() || self.weights.len() == width;
        if width == 0
            || width > MAX_WORDS
            || !sorted
            || !phrases
            || !weights
            || self.weights.iter().any(|w| !w.is_finite())
        {
            return Err(invalid(format!("a vocabulary of {width} words that does not fit")));
        }
        Ok(())
    }
}

/// The hash of Fowler, Noll and Vo, 64 bits, variant 1a (draft-eastlake-fnv).
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(words: &Words, text: &str) -> Vec<f64> {
        words.check().unwrap();
        let mut numbers = vec![9.0];
        words.count_into(text, &mut numbers);
        numbers.split_off(1)
    }

    #[test]
    fn words_are_counted_weighted_and_normalized() {
        let listed = Words::counts(Vocabulary::Listed { words: vec!["aa".into(), "bb".into()] });
        assert_eq!(counts(&listed, "AA bb-aa a cc"), [2.0, 1.0]);
        assert_eq!(counts(&Words { binary: true, ..listed.clone() }, "aa aa"), [1.0, 0.0]);
        assert_eq!(counts(&Words { keep_case: true, ..listed.clone() }, "AA bb"), [0.0, 1.0]);
        let weighted = Words { weights: vec![3.0, 4.0], norm: WordsNorm::L2, ..listed.clone() };
        assert_eq!(counts(&weighted, "aa bb"), [0.6, 0.8]);
        assert_eq!(counts(&weighted, ""), [0.0, 0.0]);
        let slow = counts(&Words { sublinear: true, ..listed }, "bb bb");
        assert_eq!(slow, [0.0, 1.0 + core::f64::consts::LN_2]);
    }

    #[test]
    fn hashes_are_the_published_ones() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(counts(&Words::counts(Vocabulary::Hashed { buckets: 4 }), "one two three").iter().sum::<f64>(), 3.0);
    }

    #[test]
    fn vocabularies_that_do_not_fit_are_refused() {
        assert!(Words::counts(Vocabulary::Listed { words: Vec::new() }).check().is_err());
        assert!(Words::counts(Vocabulary::Listed { words: vec!["b".into(), "a".into()] }).check().is_err());
        let good = Words::counts(Vocabulary::Hashed { buckets: 8 });
        for wrong in [(0, 1), (2, 1), (1, 9)] {
            assert!(Words { phrases: wrong, ..good.clone() }.check().is_err());
        }
        assert!(Words { weights: vec![1.0], ..good }.check().is_err());
    }
}
