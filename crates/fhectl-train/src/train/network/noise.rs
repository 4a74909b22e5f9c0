//! Normal noise for training, cheap and repeatable.

use crate::data::random::Random;

/// Draws kept: many more than one layer takes at once.
const POOL: usize = 1 << 20;

/// Standard normal numbers, drawn once and read from random places: a step of training takes tens of thousands.
pub(super) struct Noise {
    pool: Vec<f32>,
    random: Random,
}

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        Self { pool: (0..POOL).map(|_| random.normal() as f32).collect(), random }
    }

    /// `count` numbers of this standard deviation.
    pub(super) fn draw(&mut self, count: usize, deviation: f32) -> Vec<f32> {
        let mut out = Vec::with_capacity(count);
        while out.len() < count {
            // Short runs from many places, so that two layers or steps hardly ever see the same noise side by side.
            let run = (count - out.len()).min(1 << 12);
            let from = self.random.below(POOL - run);
            out.extend(self.pool[from..from + run].iter().map(|draw| draw * deviation));
        }
        out
    }
}
