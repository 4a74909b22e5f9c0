//! Randomness: where seeds come from, and how one seed becomes many words.
//!
//! A [`Seed`] keys AES-128 in counter mode, as in tfhe-csprng, but produced in bulk: masks are most of what a
//! ciphertext is made of, and a byte-by-byte generator would cost more than the arithmetic on them.

use aes::Aes128;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use std::fmt;
use zeroize::Zeroize;

/// A 128-bit seed. Public where it stands for a mask on the wire, secret everywhere else, so it is never printed, not
/// copied, and wiped when dropped (16 bytes: the public ones do not pay for it).
#[derive(PartialEq, Eq)]
pub struct Seed(pub [u8; 16]);

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// A source of fresh seeds. The core takes it as an argument, so that a browser can bring its own.
pub trait Entropy {
    /// A seed that was never returned before, unpredictable to anyone else.
    fn seed(&mut self) -> Seed;
}

/// Seeds from the operating system.
#[cfg(feature = "os")]
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

#[cfg(feature = "os")]
impl Entropy for OsEntropy {
    /// # Panics
    /// Where the operating system has no entropy to give: there is no safe way on.
    fn seed(&mut self) -> Seed {
        let mut seed = Seed([0; 16]);
        getrandom::fill(&mut seed.0).expect("the operating system gives no randomness; nothing can be encrypted");
        seed
    }
}

/// A stream of pseudo-random words under one seed (AES-128-CTR).
pub struct Random {
    cipher: Ctr128BE<Aes128>,
}

impl Random {
    pub fn new(seed: Seed) -> Self {
        Self::at_word(&seed, 0)
    }

    /// The stream of `seed` from its `word`-th 64-bit word on.
    pub fn at_word(seed: &Seed, word: u64) -> Self {
        let mut random = Self { cipher: Ctr128BE::new((&seed.0).into(), &[0; 16].into()) };
        if word > 0 {
            random.cipher.seek(word * 8);
        }
        random
    }

    /// A stream that nothing else has, for secrets and noise.
    pub fn fresh(entropy: &mut (impl Entropy + ?Sized)) -> Self {
        Self::new(entropy.seed())
    }

    /// An independent stream, keyed by this one: for tasks that run in parallel.
    pub fn fork(&mut self) -> Self {
        Self::new(self.draw_seed())
    }

    /// A seed for independent streams that are entered anywhere, see [`Random::at_word`].
    pub fn draw_seed(&mut self) -> Seed {
        let mut seed = Seed([0; 16]);
        self.fill_bytes(&mut seed.0);
        seed
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
        self.cipher.apply_keystream(bytes);
    }

    /// Fills `words` with uniform values of 64 bits.
    pub fn fill_uniform(&mut self, words: &mut [u64]) {
        let mut buffer = [0u8; 4096];
        for chunk in words.chunks_mut(buffer.len() / 8) {
            let bytes = &mut buffer[..chunk.len() * 8];
            self.fill_bytes(bytes);
            for (word, eight) in chunk.iter_mut().zip(bytes.as_chunks::<8>().0) {
                *word = u64::from_le_bytes(*eight);
            }
        }
    }

    /// One uniform word.
    pub fn word(&mut self) -> u64 {
        let mut word = [0];
        self.fill_uniform(&mut word);
        word[0]
    }

    /// Fills `words` with uniform bits, one a word.
    pub fn fill_binary(&mut self, words: &mut [u64]) {
        let mut buffer = [0u8; 512];
        for chunk in words.chunks_mut(buffer.len() * 8) {
            let bytes = &mut buffer[..chunk.len().div_ceil(8)];
            self.fill_bytes(bytes);
            for (index, word) in chunk.iter_mut().enumerate() {
                *word = u64::from(bytes[index / 8] >> (index % 8) & 1);
            }
        }
        buffer.zeroize();
    }

    /// As [`Random::fill_binary`], drawn again where there are more ones than [`super::noise::hamming_weight_bound`].
    pub fn fill_light_binary(&mut self, words: &mut [u64]) {
        let most = super::noise::hamming_weight_bound(words.len());
        loop {
            self.fill_binary(words);
            if words.iter().sum::<u64>() as f64 <= most {
                return;
            }
        }
    }

    /// Adds a TUniform(`bound_log2`) sample to every word: uniform over `[-2^b, 2^b]` with the two end points
    /// at half weight, as tfhe's `TUniform` draws it.
    pub fn add_t_uniform(&mut self, words: &mut [u64], bound_log2: u32) {
        let mask = u64::MAX >> (62 - bound_log2);
        // Two samples a draw of eight bytes where they fit. The draws are the noise, so they are read where they are made.
        let per_draw = if bound_log2 + 2 <= 32 { 2 } else { 1 };
        let mut buffer = [0u8; 4096];
        let mut used = 0;
        for chunk in words.chunks_mut(buffer.len() / 8) {
            let bytes = &mut buffer[..chunk.len().div_ceil(per_draw) * 8];
            used = used.max(bytes.len());
            self.fill_bytes(bytes);
            let draws = bytes.as_chunks::<8>().0;
            for (index, word) in chunk.iter_mut().enumerate() {
                let draw = (u64::from_le_bytes(draws[index / per_draw]) >> (32 * (index % per_draw))) & mask;
                let magnitude = (draw >> 1) + (draw & 1);
                *word = word.wrapping_add(magnitude).wrapping_sub(1 << bound_log2);
            }
        }
        buffer[..used].zeroize();
    }

    /// A uniform value below `limit` (rejection sampling, no bias). `limit` is at least 1.
    pub fn below(&mut self, limit: u64) -> u64 {
        let mask = u64::MAX >> (limit - 1).leading_zeros().min(63);
        loop {
            let candidate = self.word() & mask;
            if candidate < limit {
                return candidate;
            }
        }
    }

    /// Shuffles uniformly (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_can_be_entered_anywhere() {
        let mut whole = vec![0; 2000];
        Random::new(Seed([7; 16])).fill_uniform(&mut whole);
        let mut part = vec![0; 600];
        Random::at_word(&Seed([7; 16]), 1003).fill_uniform(&mut part);
        assert_eq!(part, whole[1003..1603]);
    }

    #[test]
    fn t_uniform_has_its_variance_and_bounds() {
        for bound in [3, 17, 31, 53] {
            let mut words = vec![0u64; 20_000];
            Random::new(Seed([bound as u8; 16])).add_t_uniform(&mut words, bound);
            let scale = 2f64.powi(-(bound as i32));
            let values: Vec<f64> = words.iter().map(|w| *w as i64 as f64 * scale).collect();
            assert!(values.iter().all(|v| v.abs() <= 1.0));
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let variance = values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64;
            let wanted = 1.0 / 3.0 + scale * scale / 6.0;
            // Five standard errors of the mean and of the variance of a uniform law.
            assert!(mean.abs() < 5.0 * (wanted / 20_000.0).sqrt(), "bound {bound}: mean {mean}");
            assert!((variance / wanted - 1.0).abs() < 5.0 * (0.8f64 / 20_000.0).sqrt(), "bound {bound}: {variance}");
        }
    }

    #[test]
    fn below_covers_its_range_evenly() {
        let mut random = Random::new(Seed([1; 16]));
        let mut counts = [0u32; 11];
        for _ in 0..11_000 {
            counts[random.below(11) as usize] += 1;
        }
        let chi2: f64 = counts.iter().map(|c| (f64::from(*c) - 1000.0).powi(2) / 1000.0).sum();
        // 10 degrees of freedom: 35.6 is exceeded once in 10,000.
        assert!(chi2 < 35.6, "{counts:?}");
        assert_eq!(random.below(1), 0);
    }
}
