//! Tags: random numbers that go with a batch through every key of the circuit and come back, so that a client sees when
//! the server computed with another key than its own.
//!
//! Some circuits decrypt anything to some class: rows cannot show it. A tag is [`TAG_BITS`] random bits, cut into
//! symbols. Symbol `l` of `M` is the point `(2l + 1) / 2M` of the circle. Where the public key is all there is, the
//! symbols share one ciphertext, to which a fresh encryption of zeros is added. Where there are bootstraps, each symbol
//! is looked up in a table whose outputs are the same points (after the keyswitch once more, where a network has
//! one), and is re-randomised then. A key that does not belong to the client's leaves uniform points: by chance, a wrong
//! one is not seen once in 2^[`TAG_BITS`] tags.
//!
//! A tag's answer holds nothing of the model. It is flooded all the same, over half of what tells two points apart:
//! the noise of a bootstrap says something of the order in which the server takes the key's bits.
//!
//! A tag sees mistakes and no malice: a server can treat tags well and rows badly.

pub mod client;
#[cfg(feature = "evaluate")]
pub mod evaluate;

use super::CircuitSpec;
use super::leaf_sum::LeafSumParams;
use super::network::NetworkParams;
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
    /// The layout for a checked circuit; `None` where it has no evaluation key.
    pub fn of(circuit: &CircuitSpec) -> Option<Self> {
        match circuit {
            CircuitSpec::LeafSum(params) => Some(Noise::of_leaf_sum(params).layout(params.input.shape)),
            CircuitSpec::Network(params) => Some(Noise::of_network(params).layout(params.input.shape)),
            _ if circuit.rerandomized() => Some(Self::in_one_ciphertext(circuit.answer_shape())),
            _ => None,
        }
    }

    /// As few bits a symbol as polynomials are long enough for: fewer bits, shorter words.
    fn in_one_ciphertext(shape: GlweShape) -> Self {
        let symbol_bits = (1..TAG_BITS).find(|bits| symbols(*bits) <= shape.size).unwrap_or(TAG_BITS);
        let fresh = noise::seeded_variance(shape, REQUEST_BITS);
        let noise = Noise { look_ups: Vec::new(), output: shape, variance: fresh + public_key::zero_variance(shape) };
        noise.with(symbol_bits, shape)
    }

    pub fn symbols(&self) -> usize {
        self.request.bodies
    }

    /// The flooding noise, in units of 2^-64: half of the distance between two points is `2^-(symbol_bits + 1)` of the
    /// circle, and half of that is flooded.
    pub fn flooding(&self) -> u64 {
        1 << (62 - self.symbol_bits)
    }

    fn symbol_bytes(&self) -> usize {
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
    fn point(&self, symbol: u64) -> u64 {
        (2 * symbol + 1) << (63 - self.symbol_bits)
    }
}

/// Symbols of so many bits that a tag has.
fn symbols(bits: u32) -> usize {
    TAG_BITS.div_ceil(bits) as usize
}

/// The noise that a symbol meets, in turns squared.
struct Noise {
    /// Where each look-up begins.
    look_ups: Vec<f64>,
    output: GlweShape,
    /// At the end, before words are cut.
    variance: f64,
}

impl Noise {
    fn of_leaf_sum(params: &LeafSumParams) -> Self {
        let bootstrap = params.bootstrap;
        let output = bootstrap.output;
        let noise = noise::bootstrap_variance(bootstrap.lwe_dimension, output, bootstrap.gadget())
            + noise::narrowing_variance(output.lwe_dimension());
        let look_ups = vec![first_variance(params.input.shape, output)];
        // A zero where the bootstrap begins, and one at the end.
        Self { look_ups, output, variance: noise + 2.0 * public_key::zero_variance(output) }
    }

    fn of_network(params: &NetworkParams) -> Self {
        let output = params.output();
        let mut look_ups = vec![first_variance(params.input.shape, output)];
        if params.inner.is_some() {
            look_ups.push(params.output_variance(0) + params.inner_switch_variance());
        }
        let noise = params.output_variance(look_ups.len() - 1);
        Self { look_ups, output, variance: noise + public_key::zero_variance(output) }
    }

    /// The most bits a symbol with which the tag comes back.
    fn layout(&self, input: GlweShape) -> TagLayout {
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

/// What a fresh symbol carries where its first look-up begins.
fn first_variance(input: GlweShape, output: GlweShape) -> f64 {
    let dimension = input.lwe_dimension();
    noise::seeded_variance(input, REQUEST_BITS)
        + noise::narrowing_variance(dimension)
        + noise::modulus_switch_variance(dimension, output.size)
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
