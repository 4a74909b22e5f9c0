//! What a tag is made of, and how much noise it has to stand.

use crate::fhe::{GlweShape, Lwe, PartialGlwe, SeededLayout, noise, public_key};

/// Random bits of a tag, at least.
pub const TAG_BITS: u32 = 40;
/// log2 of the chance that a tag does not come back though all keys are right, at most. By the same formulas as the
/// circuits' own.
const FAILURE_LOG2: f64 = -64.0;
/// The most bits of a symbol that is looked up.
const MOST_SYMBOL_BITS: u32 = 4;
/// Bits of a request's bodies: what is cut is far below every margin here.
const REQUEST_BITS: u32 = 16;
/// Bits of an answer's words where no number of them is enough, as for parameters that nobody searched.
const FALLBACK_BITS: u32 = 32;

/// What a circuit's tags are made of. Follows from the circuit's parameters, so both sides know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagLayout {
    /// A coefficient a symbol, under the key of inputs.
    pub request: SeededLayout,
    /// log2 of the number of points.
    pub symbol_bits: u32,
    /// How often each symbol is looked up.
    pub look_ups: u32,
    /// The key of the answer: one ciphertext of all symbols, or where they are looked up, one each.
    pub output: GlweShape,
    pub response_bits: u32,
}

impl TagLayout {
    /// As few bits a symbol as polynomials are long enough for: fewer bits, shorter words.
    pub(in crate::circuit) fn in_one_ciphertext(shape: GlweShape) -> Self {
        let symbol_bits = (1..TAG_BITS).find(|bits| symbols(*bits) <= shape.size).unwrap_or(TAG_BITS);
        let fresh = noise::seeded_variance(shape, REQUEST_BITS);
        let noise =
            TagNoise { look_ups: Vec::new(), output: shape, variance: fresh + public_key::zero_variance(shape) };
        noise.with(symbol_bits, shape)
    }

    pub fn symbols(&self) -> usize {
        self.request.bodies
    }

    /// The flooding noise, in units of 2^-64: half of the distance between two points is `2^-(symbol_bits + 1)` of the
    /// torus, and half of that is flooded.
    pub fn flooding(&self) -> u64 {
        1 << (62 - self.symbol_bits)
    }

    pub(super) fn symbol_bytes(&self) -> usize {
        Lwe::wire_len(self.output.lwe_dimension(), self.response_bits)
    }

    /// Exact bytes of a tag's answer.
    pub fn response_bytes(&self) -> usize {
        match self.look_ups {
            0 => PartialGlwe::wire_len(self.output, self.symbols(), self.response_bits),
            _ => self.symbols() * self.symbol_bytes(),
        }
    }

    /// The torus word of a symbol's point.
    pub(super) fn point(&self, symbol: u64) -> u64 {
        (2 * symbol + 1) << (63 - self.symbol_bits)
    }
}

/// Symbols of so many bits that a tag has.
fn symbols(bits: u32) -> usize {
    TAG_BITS.div_ceil(bits) as usize
}

/// The noise that a symbol meets on its way through bootstraps, in turns squared.
pub(in crate::circuit) struct TagNoise {
    /// Where each look-up begins.
    pub look_ups: Vec<f64>,
    /// The key of the answer.
    pub output: GlweShape,
    /// At the end, before words are cut.
    pub variance: f64,
}

impl TagNoise {
    /// What a fresh symbol carries where its first look-up begins.
    pub fn first(input: GlweShape, output: GlweShape) -> f64 {
        let dimension = input.lwe_dimension();
        noise::seeded_variance(input, REQUEST_BITS)
            + noise::narrowing_variance(dimension)
            + noise::modulus_switch_variance(dimension, output.size)
    }

    /// The most bits a symbol with which the tag comes back.
    pub fn layout(&self, input: GlweShape) -> TagLayout {
        let bits = (1..=MOST_SYMBOL_BITS).rev().find(|bits| self.failure(*bits, 64) <= FAILURE_LOG2 - 1.0);
        self.with(bits.unwrap_or(1), input)
    }

    fn with(&self, symbol_bits: u32, input: GlweShape) -> TagLayout {
        let response_bits = (2..=FALLBACK_BITS).find(|bits| self.failure(symbol_bits, *bits) <= FAILURE_LOG2);
        TagLayout {
            request: SeededLayout { shape: input, bodies: symbols(symbol_bits), bits: REQUEST_BITS },
            symbol_bits,
            look_ups: self.look_ups.len() as u32,
            output: self.output,
            response_bits: response_bits.unwrap_or(FALLBACK_BITS),
        }
    }

    /// log2 of the chance that a whole tag goes wrong.
    fn failure(&self, symbol_bits: u32, response_bits: u32) -> f64 {
        let margin = (-f64::from(symbol_bits) - 1.0).exp2();
        let look_ups = self.look_ups.iter().map(|variance| noise::log2_failure(margin, *variance));
        let cut = noise::answer_rounding_variance(self.output.lwe_dimension(), response_bits);
        let answer = noise::log2_failure(margin / 2.0, self.variance + cut);
        noise::log2_union(look_ups.chain([answer])) + (symbols(symbol_bits) as f64).log2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::phase::Phase;

    #[test]
    fn points_are_apart_and_read_back() {
        for symbol_bits in 1..=MOST_SYMBOL_BITS {
            let layout = TagLayout { symbol_bits, ..TagLayout::in_one_ciphertext(GlweShape::new(1, 2048)) };
            let half = 1u64 << (63 - symbol_bits);
            for symbol in 0..1 << symbol_bits {
                let point = layout.point(symbol);
                let read = |word| Phase::new(word).interval(1 << symbol_bits);
                assert_eq!(read(point.wrapping_add(half - 1)), symbol);
                assert_eq!(read(point.wrapping_sub(half)), symbol);
            }
            assert_eq!(layout.flooding(), half / 2);
        }
    }

    #[test]
    fn short_polynomials_carry_more_bits_a_symbol() {
        for (shape, bits) in [(GlweShape::new(1, 2048), 1), (GlweShape::new(16, 32), 2), (GlweShape::new(32, 16), 3)] {
            let layout = TagLayout::in_one_ciphertext(shape);
            assert_eq!(layout.symbol_bits, bits);
            assert!(layout.symbols() <= shape.size && layout.symbols() as u32 * bits >= TAG_BITS);
        }
    }
}
