//! The client's side of tags.

use super::layout::TagLayout;
use crate::circuit::answer::expect_len;
use crate::circuit::client_key::ClientKey;
use crate::circuit::registry::CircuitSpec;
use crate::error::Result;
use crate::fhe::phase::Phase;
use crate::fhe::{Entropy, Lwe, PartialGlwe, Random};

/// A tag that was drawn for one use.
pub struct Tag {
    layout: TagLayout,
    symbols: Vec<u64>,
}

impl Tag {
    /// Draws a tag; `None` where the circuit has no evaluation key that could be wrong.
    pub fn draw(circuit: &CircuitSpec, entropy: &mut dyn Entropy) -> Option<Self> {
        let layout = circuit.tag()?;
        let mut random = Random::fresh(entropy);
        let symbols = (0..layout.symbols()).map(|_| random.below(1 << layout.symbol_bits)).collect();
        Some(Self { layout, symbols })
    }

    /// The encrypted tag, exactly the circuit's `tag_request_bytes` long.
    pub fn encrypt(&self, key: &ClientKey, entropy: &mut dyn Entropy) -> Vec<u8> {
        let messages: Vec<u64> = self.symbols.iter().map(|symbol| self.layout.point(*symbol)).collect();
        self.layout.request.encrypt(key.input(), &messages, entropy)
    }

    /// Whether this is the tag's answer. All symbols are looked at, whatever the first ones are.
    pub fn is_answered_by(&self, key: &ClientKey, answer: &[u8]) -> bool {
        let Ok(phases) = self.phases(key, answer) else { return false };
        let wrong = self.symbols.iter().zip(phases).filter(|(symbol, phase)| {
            phase.interval(1 << self.layout.symbol_bits)
                != looked_up(**symbol, self.layout.symbol_bits, self.layout.look_ups)
        });
        wrong.count() == 0
    }

    fn phases(&self, key: &ClientKey, answer: &[u8]) -> Result<Vec<Phase>> {
        let layout = &self.layout;
        expect_len(answer, layout.response_bytes())?;
        if layout.look_ups == 0 {
            let glwe = PartialGlwe::read(answer, layout.output, layout.symbols(), layout.response_bits)?;
            return Ok(key.answer().phases(&glwe));
        }
        let dimension = layout.output.lwe_dimension();
        let phase = |bytes| Ok(key.answer().phase(&Lwe::read(bytes, dimension, layout.response_bits)?));
        answer.chunks(layout.symbol_bytes()).map(phase).collect()
    }
}

/// The symbol whose point comes of so many look-ups. A table is negated on the upper half of the torus, so the points
/// there change places; a second look-up takes them back.
fn looked_up(symbol: u64, bits: u32, look_ups: u32) -> u64 {
    let half = 1 << (bits - 1);
    if symbol < half || look_ups.is_multiple_of(2) { symbol } else { 3 * half - 1 - symbol }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_look_ups_take_symbols_back() {
        assert_eq!((0..8).map(|symbol| looked_up(symbol, 3, 1)).collect::<Vec<_>>(), [0, 1, 2, 3, 7, 6, 5, 4]);
        for symbol in 0..8 {
            assert_eq!(looked_up(looked_up(symbol, 3, 1), 3, 1), looked_up(symbol, 3, 2));
        }
    }
}
