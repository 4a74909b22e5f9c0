//! Rules that keep a secret key safe from the server that answers under it. Every client follows the same ones.

use super::prediction::Detail;
use crate::bundle::ClientSpec;
use crate::error::Result;
use crate::fhe::{Entropy, Random};

/// log2 of the chance that an inference's answer is wrong, at most, where answers are shown to others: wrong ones, seen by
/// others, give the secret key away.
pub const FAILURE_LOG2: f64 = -128.0;

/// The bits that may be written down of a network's answers before another key takes the place of the one they are under.
///
/// A network's answers carry noise that follows from the key's bits and from what the server knows, so what is written of
/// them says something of the key: of an honest network a hundredth of the bits (`SECURITY.md` has the figures), of one that
/// was made for it nearly all. A key has 640 bits or so and more; what is left of them has to be enough. A new key costs less
/// than the rows do.
pub const NETWORK_KEY_BITS: u32 = 256;

/// The number of failures after which a key is not used again.
///
/// A server that answers at will sees whether its client goes on, and so gets an answer to a question of its choice
/// about the secret key each time: a bit each, in the order of a thousand for all of it. After so few, and with a
/// new key, it has learned next to nothing of either; honest servers fail for other reasons than a few times in a row.
pub const RETIRE_AFTER: u32 = 3;

/// The rows of `bits` bits each ([`ClientModel::disclosed_bits`](super::ClientModel::disclosed_bits)) that may still be asked
/// under a key of whose answers `told` bits were written down.
pub fn rows_left(told: u32, bits: u32) -> u32 {
    let left = NETWORK_KEY_BITS.saturating_sub(told);
    // A row that tells more than a key may has a key of its own.
    if told == 0 { (left / bits).max(1) } else { left / bits }
}

/// Takes up to `wanted` of those rows. Returns how many, and the bits that are told then, to be stored before the rows are
/// asked: a run that is cut short has used them up. 0 rows: another key must take the place of this one.
///
/// ```
/// use fhectl_core::client::policy::{NETWORK_KEY_BITS, take_rows};
///
/// assert_eq!(take_rows(0, 4, 60), (60, 240));
/// assert_eq!(take_rows(240, 4, 60), (4, 256));
/// assert_eq!(take_rows(254, 4, 60), (0, NETWORK_KEY_BITS));
/// ```
pub fn take_rows(told: u32, bits: u32, wanted: usize) -> (u32, u32) {
    let rows = rows_left(told, bits).min(u32::try_from(wanted).unwrap_or(u32::MAX));
    // What is left and not enough for a row is given up.
    let told = if rows == 0 { NETWORK_KEY_BITS } else { told.saturating_add(rows.saturating_mul(bits)) };
    (rows, told)
}

/// Of so many batches after the first, one on average has a tag: which ones is drawn, so that the server cannot know
/// before, and the time of the median row does not show it.
const BATCHES_A_TAG: u64 = 16;

/// Decides which batches have a tag: the first one under a key that was just brought to a server, and some of the others.
#[derive(Debug, Default)]
pub struct TagSchedule {
    tagged: bool,
}

impl TagSchedule {
    /// Whether the next batch is to have a tag.
    pub fn wants_tag(&mut self, entropy: &mut dyn Entropy) -> bool {
        !std::mem::replace(&mut self.tagged, true) || Random::fresh(entropy).below(BATCHES_A_TAG) == 0
    }

    /// The key was brought once more: the next batch is a first one.
    pub fn begin_again(&mut self) {
        self.tagged = false;
    }
}

/// The bits that are written down of a row, at most; `None` for exact circuits, whose answers do not depend on the key.
///
/// # Errors
/// `parameters_invalid` where scores could not be shown at all.
pub(super) fn bits_a_row(spec: &ClientSpec, detail: Detail) -> Result<Option<u32>> {
    let Some(levels) = spec.circuit.noisy_score_levels()? else { return Ok(None) };
    let bits_of = |choices: u64| choices.next_power_of_two().ilog2().max(1);
    let classes = spec.classes.len() as u64;
    if detail == Detail::Prediction && classes > 0 {
        return Ok(Some(bits_of(classes)));
    }
    // A number is made of one score, or by a head of several: the bundle's author decides what of them it tells.
    let messages = u32::try_from(spec.circuit.answer_encoding().messages).unwrap_or(u32::MAX);
    Ok(Some(bits_of(levels).saturating_mul(messages)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Head, Predicted};
    use crate::fhe::Seed;
    use crate::model::ClearStep;

    struct Counter(u128);

    impl Entropy for Counter {
        fn seed(&mut self) -> Seed {
            self.0 += 1;
            Seed(self.0.to_le_bytes())
        }
    }

    /// A bundle's author packs all scores into the one number that is predicted.
    #[test]
    fn a_number_is_charged_for_every_score_that_it_tells() {
        let json = include_str!("../../../../tests/vectors/network/client.json");
        let honest: ClientSpec = serde_json::from_str(json).unwrap();
        let scores = honest.circuit.answer_encoding().messages;
        assert!(scores > 1);
        let weights = (0..scores).map(|score| 65536f64.powi(score as i32)).collect();
        let pack = ClearStep::Linear { weights: vec![weights], biases: vec![0.0] };
        let head = Some(Head { scores: scores as u32, steps: vec![pack] });
        let packed = ClientSpec { classes: Vec::new(), head, score_scale: None, ..honest.clone() };
        packed.check().unwrap();
        // The attack: each score can be read from the number.
        let told: Vec<i64> = (0..scores as i64).map(|score| score + 3).collect();
        let Predicted::Value(number) = packed.predict(&told) else { unreachable!("a number") };
        let read = (0..scores).map(|score| (number as i64 >> (16 * score)) & 0xffff);
        assert!(read.eq(told.iter().copied()));
        let all = bits_a_row(&honest, Detail::Scores).unwrap();
        assert_eq!(bits_a_row(&packed, Detail::Prediction).unwrap(), all);
        assert!(bits_a_row(&honest, Detail::Prediction).unwrap() < all);
    }

    #[test]
    fn the_first_batch_has_a_tag_and_some_of_the_others() {
        let (mut schedule, mut entropy) = (TagSchedule::default(), Counter(0));
        for _ in 0..2 {
            assert!(schedule.wants_tag(&mut entropy));
            let later = (0..4096).filter(|_| schedule.wants_tag(&mut entropy)).count();
            // 256 on average, with a standard deviation of 15.5.
            assert!(later.abs_diff(256) < 100, "{later} of 4096 batches had a tag");
            schedule.begin_again();
        }
    }
}
