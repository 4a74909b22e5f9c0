//! GGSW ciphertexts as products need them: from the wire, with their masks expanded, to spectra.

use super::ggsw::GgswLayout;
use super::kernel::block::{Block, LANES, ROW, ZERO};
use super::kernel::passes::Buffers;
use super::kernel::product::Multiplier;
use super::kernel::unit::{Task, Unit, vectorize};
use super::kernel::vector::Vector;
use super::kernel::{memory, transform};
use super::random::{Random, Seed};
use super::{GlweShape, wire};
use crate::error::Result;
use rayon::prelude::*;

/// GGSW ciphertexts in the Fourier domain.
pub struct FourierGgsws {
    layout: GgswLayout,
    pub(super) unit: Unit,
    pub(super) multiplier: Multiplier,
    /// Indexed by ciphertext, block of frequencies, row, output polynomial.
    blocks: Vec<Block>,
}

impl FourierGgsws {
    /// Reads the wire form, expands the masks and transforms, on all threads of the current rayon pool. Ciphertext `i` of the
    /// result is number `order[i]` on the wire. Those that `order` leaves out are not unpacked.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the layout.
    pub fn unpack(layout: &GgswLayout, bytes: &[u8], order: &[usize]) -> Result<Self> {
        Self::unpack_into(ScratchBuffer::default(), layout, bytes, order)
    }

    /// As [`FourierGgsws::unpack`], into a buffer that was used before. The ciphertexts take tens of megabytes: getting
    /// fresh pages from the operating system costs as much as the computation in them.
    ///
    /// # Errors
    /// As [`FourierGgsws::unpack`].
    pub fn unpack_into(buffer: ScratchBuffer, layout: &GgswLayout, bytes: &[u8], order: &[usize]) -> Result<Self> {
        Self::unpack_for(Unit::chosen(), buffer, layout, bytes, order)
    }

    /// As [`FourierGgsws::unpack_into`], for products on this vector unit, or on one with shorter vectors where polynomials
    /// are short.
    pub(super) fn unpack_for(
        unit: Unit,
        buffer: ScratchBuffer,
        layout: &GgswLayout,
        bytes: &[u8],
        order: &[usize],
    ) -> Result<Self> {
        let (seed, packed) = layout.layout().split(bytes)?;
        let GlweShape { dimension, size } = layout.shape;
        let rows = layout.rows();
        // The polynomial size is a multiple of eight, so that the words of each ciphertext fill whole bytes.
        let each = wire::packed_len(rows * size, layout.key_bits);
        // A vector's lanes are rows of the transform.
        let unit = unit.at_most(size / 2 / ROW);
        let multiplier = Multiplier::new(layout, unit.lanes());
        let of_one = multiplier.blocks() * rows * (dimension + 1);
        let mut blocks = buffer.0;
        memory::reserve(&mut blocks, order.len() * of_one);
        // Old contents do not matter: every block is written below.
        blocks.resize(order.len() * of_one, ZERO);
        blocks.par_chunks_mut(of_one).zip(order).for_each_init(
            || UnpackBuffers::new(&multiplier),
            |buffers, (target, index)| {
                let packed = &packed[index * each..][..each];
                let bodies = wire::unpack(packed, rows * size, layout.key_bits).unwrap_or_default();
                let first_word = (index * rows * dimension * size) as u64;
                unit.run(UnpackOne { multiplier: &multiplier, seed: &seed, first_word, bodies, buffers, target });
            },
        );
        Ok(Self { layout: *layout, unit, multiplier, blocks })
    }

    /// The parameters of the list. Its `count` includes ciphertexts that were not unpacked.
    pub fn layout(&self) -> &GgswLayout {
        &self.layout
    }

    /// Gives the buffer back for reuse.
    pub fn into_buffer(self) -> ScratchBuffer {
        ScratchBuffer(self.blocks)
    }

    /// Ciphertext `index`. Nothing where there is none.
    pub(super) fn ggsw(&self, index: usize) -> &[Block] {
        let of_one = self.multiplier.blocks() * self.multiplier.rows() * self.multiplier.polynomials();
        self.blocks.get(index * of_one..(index + 1) * of_one).unwrap_or_default()
    }
}

/// The allocation of [`FourierGgsws`] that are no longer needed, for [`FourierGgsws::unpack_into`].
#[derive(Default)]
pub struct ScratchBuffer(Vec<Block>);

struct UnpackBuffers {
    masks: Vec<u64>,
    coefficients: Vec<f64>,
    spectrum: Vec<Block>,
    transform: Buffers,
}

impl UnpackBuffers {
    fn new(multiplier: &Multiplier) -> Self {
        let GlweShape { dimension, size } = multiplier.shape;
        Self {
            masks: vec![0; dimension * size],
            coefficients: vec![0.0; size],
            spectrum: vec![ZERO; size / 2 / LANES],
            transform: Buffers::new(size),
        }
    }
}

/// Transforms the polynomials of one GGSW ciphertext.
struct UnpackOne<'a> {
    multiplier: &'a Multiplier,
    seed: &'a Seed,
    first_word: u64,
    bodies: Vec<u64>,
    buffers: &'a mut UnpackBuffers,
    target: &'a mut [Block],
}

impl Task for UnpackOne<'_> {
    type Output = ();

    fn run<S: Vector>(self, s: S) {
        let Self { multiplier, seed, first_word, bodies, buffers, target } = self;
        let UnpackBuffers { masks, coefficients, spectrum, transform } = buffers;
        let (size, polynomials, rows) = (multiplier.shape.size, multiplier.polynomials(), multiplier.rows());
        // In units of 2^-32, and by as much less as the inverse transform is more.
        let scale = (-32f64).exp2() / (size / 2) as f64;
        let mut stream = Random::at_word(seed, first_word);
        for (row, body) in bodies.chunks(size).enumerate() {
            stream.fill_uniform(masks);
            for (output, words) in masks.chunks(size).chain([body]).enumerate() {
                vectorize(s, Numbers { words, scale, out: coefficients });
                transform::forward(s, &multiplier.twiddles, coefficients.as_slice(), &[], transform, spectrum);
                let places = target[row * polynomials + output..].iter_mut().step_by(rows * polynomials);
                places.zip(&*spectrum).for_each(|(place, block)| *place = *block);
            }
        }
    }
}

/// Words as numbers, from minus half a turn to half a turn.
struct Numbers<'a> {
    words: &'a [u64],
    scale: f64,
    out: &'a mut [f64],
}

impl Task for Numbers<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Vector>(self, _: S) {
        for (out, word) in self.out.iter_mut().zip(self.words) {
            *out = *word as i64 as f64 * self.scale;
        }
    }
}
