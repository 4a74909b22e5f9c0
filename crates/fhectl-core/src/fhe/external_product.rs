//! External products in batches, the building block of CMUX trees and blind rotations.
//!
//! A GGSW ciphertext takes some hundred kilobytes in the Fourier domain, an accumulator a tenth of that. So several
//! accumulators share a pass over a GGSW ciphertext. What happens in a pass: `kernel`.

use super::GlweShape;
use super::fourier_ggsws::FourierGgsws;
use super::kernel::block::Block;
use super::kernel::factor::{Factor, Plain, Turn};
use super::kernel::product::{self, Multiplier};
use super::kernel::unit::Task;
use super::kernel::vector::Vector;

/// The most accumulators that [`FourierGgsws::add_products`] takes: a pass over a GGSW ciphertext serves them all.
pub const MAX_ACCUMULATORS: usize = 8;

impl FourierGgsws {
    /// Buffers for products. Each thread needs its own.
    pub fn workspace(&self) -> Workspace {
        Workspace(self.multiplier.workspace())
    }

    /// Adds to each of up to [`MAX_ACCUMULATORS`] accumulators the external product of its factor with ciphertext `index`: an
    /// encryption of the factor where the encrypted bit is one, of zero where it is zero. What ciphertext `next` will need
    /// is meanwhile fetched from memory.
    ///
    /// Accumulators and factors are GLWE ciphertexts of `k + 1` polynomials, one after the other. The factor is decomposed
    /// into balanced digits, which are multiplied with the rows (TFHE, definition 3.12). Noise, where the factor is the
    /// difference of the inputs of a CMUX: [`GgswLayout::cmux_variance`](super::ggsw::GgswLayout::cmux_variance).
    pub fn add_products(
        &self,
        index: usize,
        next: Option<usize>,
        factors: &[u64],
        accumulators: &mut [u64],
        workspace: &mut Workspace,
    ) {
        self.unit.run(AddProducts { ggsws: self, index, next, factors, accumulators, workspace: &mut workspace.0 });
    }

    /// Multiplies each accumulator, for each ciphertext in order whose bit is one, with `X^degree`: `degrees` holds those of
    /// each accumulator, one for each ciphertext, below `2N`. Noise: for each ciphertext that of a CMUX, and the rounding of
    /// 32-bit words.
    ///
    /// Accumulators are laid out as [`rotated_len`] says. They pass over the ciphertexts together.
    pub(super) fn rotate(&self, degrees: &[&[usize]], accumulators: &mut [u32]) {
        self.unit.run(Rotate { ggsws: self, degrees, accumulators });
    }
}

/// Words of an accumulator of [`FourierGgsws::rotate`]: `k + 1` polynomials, the body last, each after
/// [`ROTATED_BORDER`] words that belong to the kernel.
pub(super) fn rotated_len(shape: GlweShape) -> usize {
    (shape.dimension + 1) * (shape.size + ROTATED_BORDER)
}

pub(super) const ROTATED_BORDER: usize = <Turn as Factor<u32>>::BORDER;

/// The polynomials of an accumulator of [`FourierGgsws::rotate`].
pub(super) fn rotated_polynomials(accumulator: &[u32], size: usize) -> impl Iterator<Item = &[u32]> {
    accumulator.chunks(size + ROTATED_BORDER).map(|polynomial| &polynomial[ROTATED_BORDER..])
}

/// Buffers of [`FourierGgsws::add_products`].
pub struct Workspace(product::Workspace);

struct AddProducts<'a> {
    ggsws: &'a FourierGgsws,
    index: usize,
    next: Option<usize>,
    factors: &'a [u64],
    accumulators: &'a mut [u64],
    workspace: &'a mut product::Workspace,
}

impl Task for AddProducts<'_> {
    type Output = ();

    fn run<S: Vector>(self, s: S) {
        let Self { ggsws, index, next, factors, accumulators, workspace } = self;
        let multiplier = &ggsws.multiplier;
        let (together, glwe) = (Multiplier::together::<S>(), multiplier.polynomials() * multiplier.shape.size);
        let key = ggsws.ggsw(index);
        let mut ahead = shares(next.map_or(&[], |next| ggsws.ggsw(next)), (factors.len() / glwe).div_ceil(together));
        for (factors, accumulators) in factors.chunks(together * glwe).zip(accumulators.chunks_mut(together * glwe)) {
            let ahead = ahead.next().unwrap_or_default();
            let (first, second) = factors.split_at(glwe);
            if second.is_empty() {
                multiplier.add_products(s, key, ahead, &[Plain(first)], accumulators, workspace);
            } else {
                multiplier.add_products(s, key, ahead, &[Plain(first), Plain(second)], accumulators, workspace);
            }
        }
    }
}

struct Rotate<'a> {
    ggsws: &'a FourierGgsws,
    degrees: &'a [&'a [usize]],
    accumulators: &'a mut [u32],
}

impl Task for Rotate<'_> {
    type Output = ();

    fn run<S: Vector>(self, s: S) {
        let Self { ggsws, degrees, accumulators } = self;
        let multiplier = &ggsws.multiplier;
        let together = Multiplier::together::<S>();
        let of_one = rotated_len(multiplier.shape);
        let mut workspace = multiplier.workspace();
        let bits = degrees.first().map_or(0, |degrees| degrees.len());
        for polynomial in accumulators.chunks_mut(multiplier.shape.size + ROTATED_BORDER) {
            <Turn as Factor<u32>>::border(polynomial);
        }
        for bit in 0..bits {
            let key = ggsws.ggsw(bit);
            let mut ahead = shares(ggsws.ggsw(bit + 1), degrees.len().div_ceil(together));
            for (degrees, accumulators) in degrees.chunks(together).zip(accumulators.chunks_mut(together * of_one)) {
                let mut turns = [Turn::default(); 2];
                turns.iter_mut().zip(degrees).for_each(|(turn, degrees)| turn.degree = degrees[bit]);
                let ahead = ahead.next().unwrap_or_default();
                multiplier.add_products(s, key, ahead, &turns[..degrees.len()], accumulators, &mut workspace);
            }
        }
    }
}

/// `blocks` in `count` shares.
fn shares(blocks: &[Block], count: usize) -> std::slice::Chunks<'_, Block> {
    blocks.chunks(blocks.len().div_ceil(count.max(1)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::fourier_ggsws::ScratchBuffer;
    use crate::fhe::ggsw::GgswLayout;
    use crate::fhe::kernel::digits::{LINE, Line, Word};
    use crate::fhe::kernel::unit::Unit;
    use crate::fhe::random::{Random, Seed};
    use crate::fhe::{noise, wire};
    use pulp::Scalar;

    /// A product on one vector unit against the same sums of integers.
    fn check(unit: Unit, layout: &GgswLayout, count: usize) {
        let GlweShape { dimension, size } = layout.shape;
        let (glwe, rows) = ((dimension + 1) * size, layout.rows());
        let seed = [layout.base_log as u8 ^ size.ilog2() as u8; 16];
        let mut random = Random::new(Seed(seed));
        let mut bytes = vec![0; layout.layout().wire_len()];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = (random.word() >> (index % 8)) as u8;
        }
        let (mask_seed, packed) = layout.layout().split(&bytes).unwrap();
        let ggsws = FourierGgsws::unpack_for(unit, ScratchBuffer::default(), layout, &bytes, &[0]).unwrap();
        let bodies = wire::unpack(packed, rows * size, layout.key_bits).unwrap();
        let mut masks = vec![0; rows * dimension * size];
        Random::at_word(&mask_seed, 0).fill_uniform(&mut masks);
        let (mut factors, mut accumulators) = (vec![0; count * glwe], vec![0; count * glwe]);
        random.fill_uniform(&mut factors);
        random.fill_uniform(&mut accumulators);
        // The last accumulator's masks are trivial.
        factors[(count - 1) * glwe..][..dimension * size].fill(0);
        let mut expected = accumulators.clone();
        let mut digits = vec![0; layout.levels as usize * size];
        for (factor, expected) in factors.chunks(glwe).zip(expected.chunks_mut(glwe)) {
            for (polynomial, words) in factor.chunks(size).enumerate() {
                for (line, words) in words.as_chunks().0.iter().enumerate() {
                    let words = Line { from: words, negative: false, less: None };
                    u64::decompose(Scalar, words, layout.gadget(), size, LINE * line, &mut digits);
                }
                for (level, digits) in digits.chunks(size).enumerate() {
                    let row = level * (dimension + 1) + polynomial;
                    let mask = masks[row * dimension * size..][..dimension * size].chunks(size);
                    for (row, out) in mask.chain([&bodies[row * size..][..size]]).zip(expected.chunks_mut(size)) {
                        add_product(digits, row, out);
                    }
                }
            }
        }
        ggsws.add_products(0, None, &factors, &mut accumulators, &mut ggsws.workspace());
        // A phase is the body less the masks that half of the key's bits select.
        let variance =
            noise::transform_variance(layout.shape, layout.gadget()) / (1.0 + (dimension * size) as f64 / 2.0);
        let errors: Vec<f64> = accumulators
            .iter()
            .zip(&expected)
            .map(|(word, expected)| word.wrapping_sub(*expected) as i64 as f64 / 2f64.powi(64))
            .collect();
        let most = errors.iter().fold(0.0f64, |most, error| most.max(error.abs()));
        assert!(most < 8.0 * variance.sqrt(), "{}, {layout:?}: off by {most}", unit.name());
        // Where masks are trivial there are fewer products.
        let full = &errors[..((count - 1) * glwe).max(glwe)];
        let ratio = full.iter().map(|error| error * error).sum::<f64>() / full.len() as f64 / variance;
        assert!(ratio < 1.0, "{}, {layout:?}: variance {ratio} of the formula", unit.name());
    }

    fn add_product(digits: &[i32], row: &[u64], out: &mut [u64]) {
        let size = out.len();
        for (i, digit) in digits.iter().enumerate().filter(|(_, digit)| **digit != 0) {
            let digit = i64::from(*digit) as u64;
            let (straight, wrapped) = row.split_at(size - i);
            out[i..]
                .iter_mut()
                .zip(straight)
                .for_each(|(out, word)| *out = out.wrapping_add(digit.wrapping_mul(*word)));
            out[..i].iter_mut().zip(wrapped).for_each(|(out, word)| *out = out.wrapping_sub(digit.wrapping_mul(*word)));
        }
    }

    /// All sizes and the numbers of polynomials that differ in how they are computed, at all numbers of levels.
    #[test]
    fn products_are_those_of_integers_on_every_unit() {
        let shapes = [(8, 64), (12, 128), (16, 128), (6, 256), (9, 256), (3, 512), (4, 512), (6, 512), (2, 1024)];
        let long = [(1, 2048), (2, 2048), (1, 4096), (1, 8192)];
        for (index, (dimension, size)) in shapes.into_iter().chain(long).enumerate() {
            let levels = index as u32 % 3 + 1;
            let base_log = [21, 15, 9][levels as usize - 1];
            let shape = GlweShape::new(dimension, size);
            let layout = GgswLayout { count: 1, shape, base_log, levels, key_bits: 64 };
            for unit in Unit::all() {
                check(unit, &layout, 2 + index % 2);
            }
        }
    }
}
