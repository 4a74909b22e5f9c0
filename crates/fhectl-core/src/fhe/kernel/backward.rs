//! Spectra to rounded words: what [`super::forward`] does, undone in the opposite order.

use super::block::{Block, OF_ROW, ROW, nth};
use super::butterfly::{Radix, Sixteen};
use super::digits::Word;
use super::memory::fetch;
use super::passes::{Buffers, Sizes};
use super::twiddles::Twiddles;
use super::unit::Task;
use super::vector::Vector;

/// [`super::transform::add_back`] of one size.
pub struct Backward<'a, W, T, R> {
    pub twiddles: &'a Twiddles,
    pub spectrum: &'a [Block],
    pub ahead: &'a [Block],
    pub buffers: &'a mut Buffers,
    pub words: &'a mut [W],
    pub _sizes: Sizes<T, R>,
}

impl<W: Word, T: Radix, R: Radix> Task for Backward<'_, W, T, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Vector>(self, s: S) {
        let Self { twiddles, spectrum, ahead, buffers: Buffers { between, tile }, words, _sizes: _ } = self;
        let lanes = S::F64_LANES;
        let tile = &mut tile[..ROW];
        let words = &mut words[..2 * Sizes::<T, R>::NUMBERS];
        let (real, imaginary) = words.split_at_mut(Sizes::<T, R>::NUMBERS);
        let mut ahead = Sizes::<T, R>::pieces::<S>(ahead);
        for (index, between) in between.chunks_exact_mut(Sizes::<T, R>::BLOCKS).enumerate() {
            let between = &mut between[..Sizes::<T, R>::BLOCKS];
            for group in 0..R::POINTS / lanes {
                fetch(ahead.next().unwrap_or_default());
                let of_all = index * R::POINTS / lanes + group;
                let spectrum = &spectrum[of_all * OF_ROW * lanes..][..OF_ROW * lanes];
                Sixteen::backward(
                    s,
                    &twiddles.of_rows(of_all),
                    &mut *tile,
                    #[inline(always)]
                    |_, q| {
                        let (block, part) = nth::<S>(q);
                        spectrum[block].get::<S>(part)
                    },
                    #[inline(always)]
                    |tile, q, value| tile[q].set::<S>(0, value),
                );
                for vector in 0..ROW / lanes {
                    let (block, part) = nth::<S>(vector);
                    let place = |row: usize| (group * lanes + row) * OF_ROW + block;
                    let tile = &tile[vector * lanes..][..lanes];
                    s.transpose(
                        #[inline(always)]
                        |q| tile[q].get::<S>(0).re,
                        #[inline(always)]
                        |q, value| S::as_mut_simd_f64s(&mut between[place(q)].re).0[part] = value,
                    );
                    s.transpose(
                        #[inline(always)]
                        |q| tile[q].get::<S>(0).im,
                        #[inline(always)]
                        |q, value| S::as_mut_simd_f64s(&mut between[place(q)].im).0[part] = value,
                    );
                }
            }
            for vector in 0..ROW / lanes {
                let (block, part) = nth::<S>(vector);
                fetch(ahead.next().unwrap_or_default());
                R::backward(
                    s,
                    &twiddles.columns[index],
                    &mut (&mut *between, &mut *real, &mut *imaginary),
                    #[inline(always)]
                    |(between, ..), q| between[q * OF_ROW + block].get::<S>(part),
                    #[inline(always)]
                    |(between, real, imaginary), q, x| {
                        if T::POINTS > 1 {
                            between[q * OF_ROW + block].set::<S>(part, x);
                        } else {
                            let at = q * ROW + vector * lanes;
                            W::add_rounded(s, x.re, &mut real[at..at + lanes]);
                            W::add_rounded(s, x.im, &mut imaginary[at..at + lanes]);
                        }
                    },
                );
            }
        }
        if T::POINTS > 1 {
            for vector in 0..Sizes::<T, R>::PART / lanes {
                let (block, part) = nth::<S>(vector);
                T::backward(
                    s,
                    &twiddles.top,
                    &mut (&mut *real, &mut *imaginary),
                    #[inline(always)]
                    |_, q| between[q * Sizes::<T, R>::BLOCKS + block].get::<S>(part),
                    #[inline(always)]
                    |(real, imaginary), q, x| {
                        let at = q * Sizes::<T, R>::PART + vector * lanes;
                        W::add_rounded(s, x.re, &mut real[at..at + lanes]);
                        W::add_rounded(s, x.im, &mut imaginary[at..at + lanes]);
                    },
                );
            }
        }
    }
}
