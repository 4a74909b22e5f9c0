//! Selecting with encrypted bits: CMUX trees over tables.

use super::GlweShape;
use super::external_product::{FourierGgsws, TOGETHER, Workspace};
use super::ggsw::GgswLayout;
use super::lwe::Lwe;
use super::pbs::{difference_to_rotation, extract};
use super::random::Random;
use super::rerandomize::Rerandomizer;
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
    /// With `starts`, of which this is the given table, the noise is new each time, at the price of a
    /// [`super::public_key::zero_variance`]. Without, equal bits leave equal noise.
    ///
    /// # Panics
    /// Unless the table has `2^count` entries.
    pub fn look_up(&self, table: &[u64], starts: Option<(&Starts, usize)>) -> Lwe {
        let layout = self.ggsws.layout();
        assert_eq!(table.len(), 1 << layout.count);
        let GlweShape { dimension, size } = layout.shape;
        let glwe = (dimension + 1) * size;
        let low = rotating(layout);
        // Subtrees whose ciphertexts stay in a core's cache.
        let levels = |bit: usize| (layout.count - bit).min(4);
        let polynomials = 1 << levels(low);
        let first = |index: usize| leaves(layout) * index;
        let planted = table.par_chunks(polynomials << low).enumerate().map_init(
            || (self.ggsws.workspace(), vec![0; TOGETHER * glwe], vec![0; polynomials * glwe]),
            |(workspace, differences, subtree), (index, entries)| {
                let leaf = index * polynomials.div_ceil(2);
                self.plant(entries, starts.map(|(starts, table)| (starts, first(table) + leaf)), subtree);
                self.climb(low, subtree, workspace, differences);
                subtree[..glwe].to_vec()
            },
        );
        let mut ciphertexts = planted.collect::<Vec<_>>().concat();
        let mut bit = low + levels(low);
        while bit < layout.count {
            let subtrees = ciphertexts.par_chunks_mut(glwe << levels(bit)).map_init(
                || (self.ggsws.workspace(), vec![0; TOGETHER * glwe]),
                |(workspace, differences), subtree| {
                    self.climb(bit, subtree, workspace, differences);
                    subtree[..glwe].to_vec()
                },
            );
            ciphertexts = subtrees.collect::<Vec<_>>().concat();
            bit += levels(bit);
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

    /// Fresh zeros for so many tables.
    pub fn starts(&self, key: &Rerandomizer, tables: usize, random: &mut Random) -> Starts {
        let layout = self.ggsws.layout();
        let pool = ZeroPool::new(key, Starts::ZEROS, leaves(layout) * tables, random);
        let low = rotating(layout);
        let mut products = Vec::new();
        if low < layout.count {
            let GlweShape { dimension, size } = layout.shape;
            let mut masks = pool.zeros().to_vec();
            masks.chunks_mut((dimension + 1) * size).for_each(|zero| zero[dimension * size..].fill(0));
            products = vec![0; masks.len()];
            self.ggsws.add_products(low, &masks, &mut products, &mut self.ggsws.workspace());
        }
        Starts { pool, products, body: layout.shape.lwe_dimension() }
    }

    /// Trivial ciphertexts of a table's entries, or fresh ones.
    fn plant(&self, entries: &[u64], starts: Option<(&Starts, usize)>, subtree: &mut [u64]) {
        let GlweShape { dimension, size } = self.ggsws.layout().shape;
        match starts {
            Some((starts, leaf)) => starts.write(leaf, subtree),
            None => subtree.fill(0),
        }
        for (ciphertext, entries) in subtree.chunks_mut((dimension + 1) * size).zip(entries.chunks(size)) {
            for (word, entry) in ciphertext[dimension * size..].iter_mut().zip(entries) {
                *word = word.wrapping_add(*entry);
            }
        }
    }

    /// All levels of a subtree, from this bit on. What is chosen is left at its front.
    fn climb(&self, bit: usize, subtree: &mut [u64], workspace: &mut Workspace, differences: &mut [u64]) {
        let GlweShape { dimension, size } = self.ggsws.layout().shape;
        let glwe = (dimension + 1) * size;
        let levels = (subtree.len() / glwe).ilog2() as usize;
        for level in 0..levels {
            self.halve(bit + level, &mut subtree[..glwe << (levels - level)], workspace, differences);
        }
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

/// Bits that rotate a polynomial; those above choose among polynomials.
fn rotating(layout: &GgswLayout) -> usize {
    layout.count.min(layout.shape.size.ilog2() as usize)
}

/// Pairs of a table's polynomials; one for a table that has but one.
fn leaves(layout: &GgswLayout) -> usize {
    (1usize << (layout.count - rotating(layout))).div_ceil(2)
}

/// Fresh zeros where look-ups begin ([`Bits::starts`]).
///
/// To `bit * (one - zero)` of each pair of polynomials a fresh `bit * (A, B)` is added, `(A, B)` an encryption of zero. An external
/// product takes its factor polynomial by polynomial, and rotates with it. So `bit * (A, 0)` is computed once for each
/// encryption of the pool, and a pair has to multiply no more polynomials than if it were trivial.
pub struct Starts {
    pool: ZeroPool,
    /// `bit * (A, 0)` of each encryption, for the first bit that chooses; none where no bit does.
    products: Vec<u64>,
    /// Where a ciphertext's body begins.
    body: usize,
}

impl Starts {
    /// Encryptions in the pool: each costs as much as some CMUXes, of which a small table has a hundred.
    const ZEROS: usize = 2;

    /// Writes pairs of ciphertexts, from the pool's leaf `first` on: `bit * (A, 0)`, and the same with `B` added.
    fn write(&self, first: usize, ciphertexts: &mut [u64]) {
        if self.products.is_empty() {
            self.pool.write(first, ciphertexts);
            return;
        }
        let glwe = self.products.len() / self.pool.encryptions();
        for (pair, leaf) in ciphertexts.chunks_mut(2 * glwe).zip(first..) {
            let (zero, one) = pair.split_at_mut(glwe);
            self.pool.write_of(&self.products, leaf, zero);
            one[..self.body].copy_from_slice(&zero[..self.body]);
            self.pool.write_body(leaf, &mut one[self.body..]);
            for (one, zero) in one[self.body..].iter_mut().zip(&zero[self.body..]) {
                *one = one.wrapping_add(*zero);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::random::OsEntropy;
    use crate::fhe::{GlweSecret, ggsw, public_key};

    #[test]
    fn bits_choose_their_entry_with_no_more_noise_than_predicted() {
        let (mut squares, mut count) = (0.0, 0.0);
        // More bits than a polynomial has coefficients, and fewer.
        for (bits, shape) in [(12, GlweShape::new(1, 2048)), (11, GlweShape::new(3, 512)), (5, GlweShape::new(2, 1024))]
        {
            let layout = GgswLayout { count: bits, shape, base_log: 11, levels: 2, key_bits: 60 };
            let secret = GlweSecret::generate(shape, &mut OsEntropy);
            let mut random = Random::fresh(&mut OsEntropy);
            let key = Rerandomizer::unpack(shape, &public_key::generate(&secret, &mut OsEntropy)).unwrap();
            let table: Vec<u64> = (0..1u64 << bits).map(|_| random.word()).collect();
            for round in 0..60 {
                let index = random.below(1 << bits) as usize;
                let spelled: Vec<u64> = (0..bits).map(|bit| (index >> bit & 1) as u64).collect();
                let wire = ggsw::encrypt(&layout, &spelled, &secret, &mut OsEntropy);
                let bits = Bits::unpack(&layout, &wire).unwrap();
                // The second of two tables, or none.
                let starts = bits.starts(&key, 2, &mut random);
                let answer = bits.look_up(&table, (round % 2 == 1).then_some((&starts, 1)));
                let error = secret.phase(&answer).word().wrapping_sub(table[index]) as i64 as f64 / 2f64.powi(64);
                let sigma = (layout.count as f64 * layout.cmux_variance()).sqrt();
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
