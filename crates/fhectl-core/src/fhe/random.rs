//! Randomness: sources of seeds, and a stream generator that expands a seed.
//!
//! The generator is AES-128 in counter mode keyed by a [`Seed`], as in tfhe-csprng, but it fills whole buffers: most words
//! of a ciphertext are mask, and a generator that yields byte after byte would cost more than the arithmetic on them.

use super::keystream::Keystream;
use super::vectorized::{Loop, vectorized};
use std::fmt;
use zeroize::Zeroize;

/// A 128-bit seed. The seed of a mask is public and travels with the ciphertext. All others are secret. So `Debug` hides
/// every seed, there is no `Clone`, and seeds are wiped when dropped.
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

/// A source of fresh seeds. Functions take it as an argument, so that a browser can bring its own and tests can fix one.
pub trait Entropy {
    /// A new seed that nobody else can predict.
    fn seed(&mut self) -> Seed;
}

/// Seeds from the operating system.
#[cfg(feature = "os")]
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

#[cfg(feature = "os")]
impl Entropy for OsEntropy {
    /// # Panics
    /// Where the operating system provides no entropy. There is no safe way to go on.
    fn seed(&mut self) -> Seed {
        let mut seed = Seed([0; 16]);
        getrandom::fill(&mut seed.0).expect("the operating system gives no randomness; nothing can be encrypted");
        seed
    }
}

/// A stream of pseudo-random words from one seed (AES-128-CTR).
///
/// ```
/// use fhectl_core::fhe::{Random, Seed};
/// let mut mask = [0; 4];
/// Random::new(Seed([7; 16])).fill_uniform(&mut mask);
/// // Any word of the stream can be computed without those before it.
/// assert_eq!(Random::at_word(&Seed([7; 16]), 3).word(), mask[3]);
/// ```
pub struct Random {
    keystream: Keystream,
}

impl Random {
    /// The stream of `seed` from its first word on.
    pub fn new(seed: Seed) -> Self {
        Self::at_word(&seed, 0)
    }

    /// The stream of `seed` from its 64-bit word number `word` on, counted from 0.
    pub fn at_word(seed: &Seed, word: u64) -> Self {
        Self { keystream: Keystream::new(&seed.0, word * 8) }
    }

    /// A stream from a fresh seed, for secrets and noise.
    pub fn fresh(entropy: &mut (impl Entropy + ?Sized)) -> Self {
        Self::new(entropy.seed())
    }

    /// An independent stream whose seed is drawn from this one, for a task that runs in parallel.
    pub fn fork(&mut self) -> Self {
        Self::new(self.draw_seed())
    }

    /// Draws a seed for another stream, see [`Random::at_word`].
    pub fn draw_seed(&mut self) -> Seed {
        let mut seed = Seed([0; 16]);
        self.fill_bytes(&mut seed.0);
        seed
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.keystream.fill(bytes);
    }

    /// Fills `words` with uniform 64-bit values.
    pub fn fill_uniform(&mut self, words: &mut [u64]) {
        self.fill_bytes(bytemuck::cast_slice_mut(words));
        words.iter_mut().for_each(|word| *word = u64::from_le(*word));
    }

    /// One uniform word.
    pub fn word(&mut self) -> u64 {
        let mut word = [0];
        self.fill_uniform(&mut word);
        word[0]
    }

    /// Fills `words` with uniform bits, one per word.
    pub fn fill_binary(&mut self, words: &mut [u64]) {
        // Words, because wiping takes as many writes as the buffer has items.
        let mut buffer = [0u64; 64];
        for chunk in words.chunks_mut(buffer.len() * 64) {
            let bytes: &mut [u8] = &mut bytemuck::cast_slice_mut(&mut buffer)[..chunk.len().div_ceil(8)];
            self.fill_bytes(bytes);
            vectorized(SpreadBits { bytes, words: chunk });
        }
        buffer.zeroize();
    }

    /// As [`Random::fill_binary`], drawn again while there are more ones than [`super::noise::hamming_weight_bound`] allows.
    pub fn fill_light_binary(&mut self, words: &mut [u64]) {
        let most = super::noise::hamming_weight_bound(words.len());
        loop {
            self.fill_binary(words);
            if words.iter().sum::<u64>() as f64 <= most {
                return;
            }
        }
    }

    /// Adds a TUniform(`b`) sample to every word, `b = bound_log2`: uniform over the integers in `[-2^b, 2^b]`, with half the
    /// probability at the two end points. This is tfhe's `TUniform`.
    pub fn add_t_uniform(&mut self, words: &mut [u64], bound_log2: u32) {
        // Eight random bytes give two samples where both fit. They are read in place: copies would have to be wiped, too.
        let per_draw = if bound_log2 + 2 <= 32 { 2 } else { 1 };
        let mut buffer = [0u64; 512];
        let mut used = 0;
        for chunk in words.chunks_mut(buffer.len()) {
            let draws = &mut buffer[..chunk.len().div_ceil(per_draw)];
            used = used.max(draws.len());
            self.fill_uniform(draws);
            vectorized(AddSamples { words: chunk, draws, per_draw, bound_log2 });
        }
        buffer[..used].zeroize();
    }

    /// A uniform value below `limit`, by rejection sampling. `limit` is at least 1.
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

/// Bits of bytes, the lowest first, to words of their own.
struct SpreadBits<'a> {
    bytes: &'a [u8],
    words: &'a mut [u64],
}

impl Loop for SpreadBits<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (eights, rest) = self.words.as_chunks_mut::<8>();
        for (eight, byte) in eights.iter_mut().zip(self.bytes) {
            eight.iter_mut().enumerate().for_each(|(index, word)| *word = u64::from(byte >> index & 1));
        }
        rest.iter_mut().enumerate().for_each(|(index, word)| *word = u64::from(self.bytes[eights.len()] >> index & 1));
    }
}

/// Adds TUniform samples made of uniform words, one or two of each.
struct AddSamples<'a> {
    words: &'a mut [u64],
    draws: &'a [u64],
    per_draw: usize,
    bound_log2: u32,
}

impl Loop for AddSamples<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { words, draws, per_draw, bound_log2 } = self;
        let mask = u64::MAX >> (62 - bound_log2);
        let sample = |word: &mut u64, draw: u64| {
            let draw = draw & mask;
            let magnitude = (draw >> 1) + (draw & 1);
            *word = word.wrapping_add(magnitude).wrapping_sub(1 << bound_log2);
        };
        if per_draw == 1 {
            words.iter_mut().zip(draws).for_each(|(word, draw)| sample(word, *draw));
            return;
        }
        let (pairs, last) = words.as_chunks_mut::<2>();
        for ([first, second], draw) in pairs.iter_mut().zip(draws) {
            sample(first, *draw);
            sample(second, draw >> 32);
        }
        last.iter_mut().for_each(|word| sample(word, draws[pairs.len()]));
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
