//! Selecting with encrypted bits: CMUX trees over tables.

use super::GlweShape;
use super::external_product::{FourierGgsws, TOGETHER, Workspace};
use super::ggsw::GgswLayout;
use super::lwe::Lwe;
use super::pbs::{difference_to_rotation, extract};
use super::zeros::ZeroPool;
use crate::error::Result;
use rayon::prelude::*;

/// Encrypted bits in the Fourier domain.
pub struct Bits {
    ggsws: FourierGgsws,
}

impl Bits {
    /// Reads the wire form, on all threads of the current pool.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the layout.
    pub fn unpack(layout: &GgswLayout, bytes: &[u8]) -> Result<Self> {
        let order: Vec<usize> = (0..layout.count).collect();
        Ok(Self { ggsws: FourierGgsws::unpack(layout, bytes, &order)? })
    }

    /// The entry of `table` that the bits spell (bit 0 the lowest), as an LWE ciphertext.
    ///
    /// The upper bits choose among polynomials of `N` entries in a tree of CMUXes, the lower ones rotate the chosen
    /// one (TFHE, section 5.1, vertical packing). Noise: a [`GgswLayout::cmux_variance`] a bit. Cost: a CMUX a
    /// polynomial but one, and one a lower bit.
    ///
    /// With `zeros` every second polynomial is one of the pool's leaves from the given one on ([`Bits::starts`] in all), so
    /// that each pair's difference is fresh, and with it all that is made of them; that adds a
    /// [`super::public_key::zero_variance`]. Without, equal bits leave equal noise.
    ///
    /// # Panics
    /// Unless the table has `2^count` entries.
    pub fn look_up(&self, table: &[u64], zeros: Option<(&ZeroPool, usize)>) -> Lwe {
        let layout = self.ggsws.layout();
        assert_eq!(table.len(), 1 << layout.count);
        let GlweShape { dimension, size } = layout.shape;
        let glwe = (dimension + 1) * size;
        let low = layout.count.min(size.ilog2() as usize);
        let mut ciphertexts = vec![0; (1 << (layout.count - low)) * glwe];
        // The second of each pair; all of a table that has but one.
        let starts = if low < layout.count { 1 } else { 0 };
        for (at, (ciphertext, entries)) in ciphertexts.chunks_mut(glwe).zip(table.chunks(1 << low)).enumerate() {
            if let Some((pool, first)) = zeros
                && at % 2 == starts
            {
                pool.write(first + at / 2, ciphertext);
            }
            for (word, entry) in ciphertext[dimension * size..].iter_mut().zip(entries) {
                *word = word.wrapping_add(*entry);
            }
        }
        let mut bit = low;
        while bit < layout.count {
            // Subtrees whose ciphertexts stay in a core's cache.
            let levels = (layout.count - bit).min(4);
            let subtrees = ciphertexts.par_chunks_mut(glwe << levels).map_init(
                || (self.ggsws.workspace(), vec![0; TOGETHER * glwe]),
                |(workspace, differences), subtree| {
                    for level in 0..levels {
                        self.halve(bit + level, &mut subtree[..glwe << (levels - level)], workspace, differences);
                    }
                    subtree[..glwe].to_vec()
                },
            );
            ciphertexts = subtrees.collect::<Vec<_>>().concat();
            bit += levels;
        }
        let mut workspace = self.ggsws.workspace();
        let mut difference = vec![0; glwe];
        for bit in 0..low {
            // bit ? X^-(2^bit) * chosen : chosen
            for (polynomial, out) in ciphertexts.chunks(size).zip(difference.chunks_mut(size)) {
                difference_to_rotation(polynomial, 2 * size - (1 << bit), out);
            }
            self.ggsws.add_products(bit, &difference, &mut ciphertexts, &mut workspace);
        }
        extract(&ciphertexts, layout.shape)
    }

    /// Leaves of a pool that one [`Bits::look_up`] takes.
    pub fn starts(layout: &GgswLayout) -> usize {
        let low = layout.count.min(layout.shape.size.ilog2() as usize);
        (1 << (layout.count - low)) / 2 + usize::from(low == layout.count)
    }

    /// One level of a tree: of each pair of neighbours the second where the bit is one, else the first. The chosen half
    /// is left at the front of `ciphertexts`.
    fn halve(&self, bit: usize, ciphertexts: &mut [u64], workspace: &mut Workspace, differences: &mut [u64]) {
        let GlweShape { dimension, size } = self.ggsws.layout().shape;
        let glwe = (dimension + 1) * size;
        let pairs = ciphertexts.len() / glwe / 2;
        for first in (0..pairs).step_by(TOGETHER) {
            let group = first..pairs.min(first + TOGETHER);
            for (difference, pair) in differences.chunks_mut(glwe).zip(group.clone()) {
                let (zero, one) = ciphertexts[2 * pair * glwe..][..2 * glwe].split_at(glwe);
                for ((difference, zero), one) in difference.iter_mut().zip(zero).zip(one) {
                    *difference = one.wrapping_sub(*zero);
                }
            }
            for pair in group.clone() {
                ciphertexts.copy_within(2 * pair * glwe..(2 * pair + 1) * glwe, pair * glwe);
            }
            let chosen = &mut ciphertexts[group.start * glwe..group.end * glwe];
            self.ggsws.add_products(bit, &differences[..group.len() * glwe], chosen, workspace);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::OsEntropy;
    use crate::fhe::{GlweSecret, Random, ggsw};

    #[test]
    fn bits_choose_their_entry_with_no_more_noise_than_predicted() {
        let (mut squares, mut count) = (0.0, 0.0);
        // More bits than a polynomial has coefficients, and fewer.
        for (bits, shape) in [(12, GlweShape::new(1, 2048)), (11, GlweShape::new(3, 512)), (5, GlweShape::new(2, 1024))]
        {
            let layout = GgswLayout { count: bits, shape, base_log: 11, levels: 2, key_bits: 60 };
            let secret = GlweSecret::generate(shape, &mut OsEntropy);
            let mut random = Random::fresh(&mut OsEntropy);
            let table: Vec<u64> = (0..1u64 << bits).map(|_| random.word()).collect();
            for _ in 0..60 {
                let index = random.below(1 << bits) as usize;
                let spelled: Vec<u64> = (0..bits).map(|bit| (index >> bit & 1) as u64).collect();
                let wire = ggsw::encrypt(&layout, &spelled, &secret, &mut OsEntropy);
                let answer = Bits::unpack(&layout, &wire).unwrap().look_up(&table, None);
                let error = secret.phase(&answer).wrapping_sub(table[index]) as i64 as f64 / 2f64.powi(64);
                let sigma = (bits as f64 * layout.cmux_variance()).sqrt();
                assert!(error.abs() < 8.0 * sigma, "entry {index} of {shape:?}: off by {error}, sigma {sigma}");
                squares += (error / sigma).powi(2);
                count += 1.0;
            }
        }
        // The bound counts every bit as a one.
        let ratio: f64 = squares / count;
        assert!((0.2..1.0 + 4.0 * (2.0f64 / count).sqrt()).contains(&ratio), "measured/bound variance {ratio}");
    }
}
