//! Keyswitching of many ciphertexts: from the big key of bootstrap outputs to the small key of bootstrap inputs.

use super::keyswitch::KeyswitchParams;
use super::list::{LweList, Term};
use crate::error::Result;

/// Bytes that digits take on each thread. More would save little: tens of ciphertexts share a pass over the key.
const DIGITS_A_THREAD: usize = 16 << 20;

/// A client's keyswitching key, with its masks expanded.
pub struct KeyswitchKey {
    params: KeyswitchParams,
    rows: LweList,
}

impl KeyswitchKey {
    /// Reads the wire form and expands the masks, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the key's layout.
    pub fn unpack(params: &KeyswitchParams, bytes: &[u8]) -> Result<Self> {
        Ok(Self { params: *params, rows: params.layout().expand(bytes)?.to_list() })
    }

    /// Switches every ciphertext of the list to the small key.
    ///
    /// `(0, b) - sum_j sum_l digit_l(a_j) * key_jl` (TFHE, algorithm 2, with balanced digits). This is a linear map on the
    /// rows of the key with digits as weights, so it is computed by [`LweList::combine_with`]. Noise:
    /// [`KeyswitchParams::variance`].
    pub fn switch(&self, list: &LweList) -> LweList {
        // Digits take more than the words that they are of: those of a wide layer would be gigabytes.
        let at_once = DIGITS_A_THREAD / (self.params.from * self.params.levels as usize * size_of::<Term>());
        self.switch_by(list, at_once)
    }

    fn switch_by(&self, list: &LweList, at_once: usize) -> LweList {
        self.rows.combine_with(list.len(), at_once, |rows| {
            let sums = rows.clone().map(|index| self.terms(list.row(index))).collect();
            let bodies = rows.map(|index| list.row(index)[list.dimension()]).collect();
            (sums, bodies)
        })
    }

    fn terms(&self, row: &[u32]) -> Vec<Term> {
        let levels = self.params.levels;
        let mut digits = vec![0; levels as usize];
        let mut terms = Vec::with_capacity(self.params.from * levels as usize);
        for (word, first) in row[..self.params.from].iter().zip((0..).step_by(levels as usize)) {
            decompose(*word, self.params.base_log, &mut digits);
            let of_word = digits.iter().zip(first..).filter(|(digit, _)| **digit != 0);
            terms.extend(of_word.map(|(digit, input)| Term { input, weight: -digit }));
        }
        terms
    }
}

/// Gadget decomposition of a word, rounded to `digits.len() * base_log` bits: balanced digits in `[-B/2, B/2)`, the most
/// significant first, with `word ~ sum_l digit_l * 2^(32 - base_log * l)`.
fn decompose(word: u32, base_log: u32, digits: &mut [i32]) {
    let kept = base_log * digits.len() as u32;
    let mut rest = (word >> (31 - kept)).wrapping_add(1) >> 1;
    let base = 1u32 << base_log;
    for digit in digits.iter_mut().rev() {
        let low = rest & (base - 1);
        let carry = low >> (base_log - 1);
        *digit = low as i32 - ((carry << base_log) as i32);
        rest = (rest >> base_log) + carry;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::OsEntropy;
    use crate::fhe::{GlweSecret, GlweShape, Random, encrypt};
    use proptest::prelude::*;
    use rayon::prelude::ParallelIterator;

    proptest! {
        #[test]
        fn digits_are_balanced_and_add_up(word: u32, base_log in 1u32..9, levels in 1usize..4) {
            let mut digits = vec![0; levels];
            decompose(word, base_log, &mut digits);
            let half = 1i64 << (base_log - 1);
            prop_assert!(digits.iter().all(|d| (-half..half.max(1)).contains(&i64::from(*d))));
            let kept = base_log * levels as u32;
            let sum = digits.iter().enumerate().fold(0u32, |sum, (l, digit)| {
                sum.wrapping_add((*digit as u32) << (32 - base_log * (l as u32 + 1)))
            });
            let error = (word.wrapping_sub(sum) as i32).unsigned_abs();
            prop_assert!(error <= 1 << (31 - kept), "{word} {digits:?}");
        }
    }

    /// A switched ciphertext has the same message, with the noise of the formula.
    #[test]
    fn noise_of_a_keyswitch_is_the_predicted_one() {
        let params = KeyswitchParams { from: 1536, to: GlweShape::new(24, 32), base_log: 3, levels: 4, key_bits: 64 };
        let (mut squares, mut count) = (0.0, 0.0);
        for _ in 0..4 {
            let big = GlweSecret::generate(GlweShape::new(3, 512), &mut OsEntropy);
            let small = GlweSecret::generate(params.to, &mut OsEntropy);
            let key =
                KeyswitchKey::unpack(&params, &encrypt::keyswitch_key(&params, &big, &small, &mut OsEntropy)).unwrap();
            let mut random = Random::fresh(&mut OsEntropy);
            let mut list = LweList::zero(256, params.from);
            let words = list.rows_mut().collect::<Vec<_>>().into_iter().flatten();
            words.for_each(|word| *word = random.word() as u32);
            let switched = key.switch(&list);
            assert_eq!(key.switch_by(&list, 3), switched);
            for index in 0..list.len() {
                let before = big.phase(&list.lwe(index)).word();
                let error = small.phase(&switched.lwe(index)).word().wrapping_sub(before) as i64 as f64 / 2f64.powi(64);
                squares += error * error;
                count += 1.0;
            }
        }
        let ratio = squares / count / params.variance();
        assert!((ratio - 1.0).abs() < 4.0 * (2.0 / count).sqrt() + 0.05, "measured/predicted variance {ratio}");
    }
}
