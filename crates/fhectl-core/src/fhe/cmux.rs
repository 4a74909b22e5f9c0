//! Table look-ups at encrypted indices, by trees of CMUXes and rotations.

use super::GlweShape;
use super::external_product::{MAX_ACCUMULATORS, Workspace};
use super::fourier_ggsws::FourierGgsws;
use super::ggsw::GgswLayout;
use super::lwe::Lwe;
use super::polynomial::{extract_constant, rotate_and_subtract};
use super::random::Random;
use super::rerandomize::Rerandomizer;
use super::zeros::ZeroPool;
use crate::error::Result;
use rayon::prelude::*;

/// The bits of an index as GGSW ciphertexts, in the Fourier domain.
pub struct EncryptedBits {
    ggsws: FourierGgsws,
}

impl EncryptedBits {
    /// Reads the wire form, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the layout.
    pub fn unpack(layout: &GgswLayout, bytes: &[u8]) -> Result<Self> {
        let order: Vec<usize> = (0..layout.count).collect();
        Ok(Self { ggsws: FourierGgsws::unpack(layout, bytes, &order)? })
    }

    /// The entry of `table` (torus words) at the encrypted index, bit 0 the lowest, as an LWE ciphertext.
    ///
    /// The upper bits select one of the polynomials of `N` entries in a tree of CMUXes. The lower bits rotate it (vertical
    /// packing: TFHE, section 5.1). Noise: [`GgswLayout::cmux_variance`] per bit. Cost: a CMUX for each polynomial but one,
    /// and one for each lower bit.
    ///
    /// With `zeros`, and the number of this table among theirs, the noise is new in each evaluation; they add
    /// [`super::public_key::zero_variance`]. Without, equal ciphertexts give equal noise.
    ///
    /// # Panics
    /// Unless the table has `2^count` entries.
    pub fn look_up(&self, table: &[u64], zeros: Option<(&LeafZeros, usize)>) -> Lwe {
        let layout = self.ggsws.layout();
        assert_eq!(table.len(), 1 << layout.count);
        let GlweShape { dimension, size } = layout.shape;
        let glwe = (dimension + 1) * size;
        let low = rotating_bits(layout);
        // The levels of a subtree whose ciphertexts stay in a core's cache.
        let levels = |bit: usize| (layout.count - bit).min(4);
        let polynomials = 1 << levels(low);
        let first = |index: usize| leaf_pairs(layout) * index;
        let selected = table.par_chunks(polynomials << low).enumerate().map_init(
            || (self.ggsws.workspace(), vec![0; MAX_ACCUMULATORS * glwe], vec![0; polynomials * glwe]),
            |(workspace, differences, subtree), (index, entries)| {
                let leaf = index * polynomials.div_ceil(2);
                self.load_entries(entries, zeros.map(|(zeros, table)| (zeros, first(table) + leaf)), subtree);
                self.select_subtree(low, subtree, workspace, differences);
                subtree[..glwe].to_vec()
            },
        );
        let mut ciphertexts = selected.collect::<Vec<_>>().concat();
        let mut bit = low + levels(low);
        while bit < layout.count {
            let subtrees = ciphertexts.par_chunks_mut(glwe << levels(bit)).map_init(
                || (self.ggsws.workspace(), vec![0; MAX_ACCUMULATORS * glwe]),
                |(workspace, differences), subtree| {
                    self.select_subtree(bit, subtree, workspace, differences);
                    subtree[..glwe].to_vec()
                },
            );
            ciphertexts = subtrees.collect::<Vec<_>>().concat();
            bit += levels(bit);
        }
        let mut workspace = self.ggsws.workspace();
        let mut difference = vec![0; glwe];
        for bit in 0..low {
            // Rotates by X^-(2^bit) where the bit is one.
            for (polynomial, out) in ciphertexts.chunks(size).zip(difference.chunks_mut(size)) {
                rotate_and_subtract(polynomial, 2 * size - (1 << bit), out);
            }
            let next = (bit + 1 < low).then_some(bit + 1);
            self.ggsws.add_products(bit, next, &difference, &mut ciphertexts, &mut workspace);
        }
        extract_constant(&ciphertexts, layout.shape)
    }

    /// Fresh encryptions of zero for look-ups in `tables` tables.
    pub fn leaf_zeros(&self, key: &Rerandomizer, tables: usize, random: &mut Random) -> LeafZeros {
        let layout = self.ggsws.layout();
        let pool = ZeroPool::new(key, LeafZeros::POOL_SIZE, leaf_pairs(layout) * tables, random);
        let low = rotating_bits(layout);
        let mut products = Vec::new();
        if low < layout.count {
            let GlweShape { dimension, size } = layout.shape;
            let mut masks = pool.zeros().to_vec();
            masks.chunks_mut((dimension + 1) * size).for_each(|zero| zero[dimension * size..].fill(0));
            products = vec![0; masks.len()];
            self.ggsws.add_products(low, None, &masks, &mut products, &mut self.ggsws.workspace());
        }
        LeafZeros { pool, products, body: layout.shape.lwe_dimension() }
    }

    /// Writes the leaves of a subtree: the entries of the table as trivial ciphertexts, or with encryptions of zero added.
    fn load_entries(&self, entries: &[u64], zeros: Option<(&LeafZeros, usize)>, subtree: &mut [u64]) {
        let GlweShape { dimension, size } = self.ggsws.layout().shape;
        match zeros {
            Some((zeros, leaf)) => zeros.write(leaf, subtree),
            None => subtree.fill(0),
        }
        for (ciphertext, entries) in subtree.chunks_mut((dimension + 1) * size).zip(entries.chunks(size)) {
            for (word, entry) in ciphertext[dimension * size..].iter_mut().zip(entries) {
                *word = word.wrapping_add(*entry);
            }
        }
    }

    /// Evaluates all levels of a subtree, the first with `bit`. The selected ciphertext is left at its front.
    fn select_subtree(&self, bit: usize, subtree: &mut [u64], workspace: &mut Workspace, differences: &mut [u64]) {
        let GlweShape { dimension, size } = self.ggsws.layout().shape;
        let glwe = (dimension + 1) * size;
        let levels = (subtree.len() / glwe).ilog2() as usize;
        for level in 0..levels {
            self.select_level(bit + level, &mut subtree[..glwe << (levels - level)], workspace, differences);
        }
    }

    /// Evaluates one level of a tree: of each pair of neighbors the second where the bit is one, else the first. The selected
    /// half is left at the front of `ciphertexts`.
    fn select_level(&self, bit: usize, ciphertexts: &mut [u64], workspace: &mut Workspace, differences: &mut [u64]) {
        let GlweShape { dimension, size } = self.ggsws.layout().shape;
        let glwe = (dimension + 1) * size;
        let pairs = ciphertexts.len() / glwe / 2;
        for first in (0..pairs).step_by(MAX_ACCUMULATORS) {
            let group = first..pairs.min(first + MAX_ACCUMULATORS);
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
            self.ggsws.add_products(bit, None, &differences[..group.len() * glwe], chosen, workspace);
        }
    }
}

/// The number of lower bits, which rotate a polynomial. The bits above select among polynomials.
fn rotating_bits(layout: &GgswLayout) -> usize {
    layout.count.min(layout.shape.size.ilog2() as usize)
}

/// The number of pairs of polynomials of a table, 1 for a table of a single polynomial.
fn leaf_pairs(layout: &GgswLayout) -> usize {
    (1usize << (layout.count - rotating_bits(layout))).div_ceil(2)
}

/// Fresh encryptions of zero for the leaves of look-ups ([`EncryptedBits::leaf_zeros`]).
///
/// The first CMUX of a pair of leaves computes `bit * (one - zero)`. To it `bit * (A, B)` is added, where `(A, B)` is an
/// encryption of zero. An external product acts on each polynomial of its factor separately, and commutes with rotation. So
/// `bit * (A, 0)` is computed once for each encryption of the pool, and the CMUX of a pair multiplies no more polynomials
/// than with trivial ciphertexts.
pub struct LeafZeros {
    pool: ZeroPool,
    /// `bit * (A, 0)` for each encryption, with the first bit that selects. Empty where no bit selects.
    products: Vec<u64>,
    /// The offset of the body in a ciphertext.
    body: usize,
}

impl LeafZeros {
    /// Encryptions in the pool. Each costs as much as a few CMUXes; a small table takes a hundred CMUXes.
    const POOL_SIZE: usize = 2;

    /// Writes pairs of ciphertexts, for the leaves of the pool from `first` on: `bit * (A, 0)`, then the same plus `(0, B)`.
    fn write(&self, first: usize, ciphertexts: &mut [u64]) {
        if self.products.is_empty() {
            self.pool.write(first, ciphertexts);
            return;
        }
        let glwe = self.products.len() / self.pool.encryptions();
        for (pair, leaf) in ciphertexts.chunks_mut(2 * glwe).zip(first..) {
            let (zero, one) = pair.split_at_mut(glwe);
            self.pool.write_derived(&self.products, leaf, zero);
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
    use crate::fhe::{GlweSecret, encrypt};

    #[test]
    fn bits_select_their_entry_with_no_more_noise_than_predicted() {
        let (mut squares, mut count) = (0.0, 0.0);
        // More bits than a polynomial has coefficients, and fewer.
        for (bits, shape) in [(12, GlweShape::new(1, 2048)), (11, GlweShape::new(3, 512)), (5, GlweShape::new(2, 1024))]
        {
            let layout = GgswLayout { count: bits, shape, base_log: 11, levels: 2, key_bits: 60 };
            let secret = GlweSecret::generate(shape, &mut OsEntropy);
            let mut random = Random::fresh(&mut OsEntropy);
            let key = Rerandomizer::unpack(shape, &encrypt::public_key(&secret, &mut OsEntropy)).unwrap();
            let table: Vec<u64> = (0..1u64 << bits).map(|_| random.word()).collect();
            for round in 0..60 {
                let index = random.below(1 << bits) as usize;
                let spelled: Vec<u64> = (0..bits).map(|bit| (index >> bit & 1) as u64).collect();
                let wire = encrypt::ggsw_list(&layout, &spelled, &secret, &mut OsEntropy);
                let bits = EncryptedBits::unpack(&layout, &wire).unwrap();
                // The second of two tables, or none.
                let zeros = bits.leaf_zeros(&key, 2, &mut random);
                let answer = bits.look_up(&table, (round % 2 == 1).then_some((&zeros, 1)));
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
