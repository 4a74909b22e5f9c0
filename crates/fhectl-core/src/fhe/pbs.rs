//! Programmable bootstraps in batches: one pass over the key serves many ciphertexts.

use super::GlweShape;
use super::bootstrap::BootstrapParams;
use super::external_product::{FourierGgsws, TOGETHER};
use super::list::{LweList, narrow};
use super::lwe::Lwe;
use super::random::Random;
use super::zeros::Zeros;
use crate::error::Result;
use rayon::prelude::*;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, LweCiphertext, ModulusSwitchedLweCiphertext, PolynomialSize,
    lwe_ciphertext_centered_binary_modulus_switch,
};

/// A client's bootstrap key, in the Fourier domain.
pub struct BootstrapKey {
    params: BootstrapParams,
    bits: FourierGgsws,
    /// The key's bits in the order in which the blind rotation takes them.
    order: Vec<usize>,
}

impl BootstrapKey {
    /// Reads the wire form, expands the masks and transforms the key, on all threads of the current pool.
    ///
    /// With `shuffle` the blind rotation takes the key's bits in a random order that the client does not know. The
    /// result is the same, its noise another. That is a second line of defence: the order stays while the key is in
    /// memory, so equal questions are still rotated alike. What makes each bootstrap's noise new is [`Zeros`].
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the key's layout.
    pub fn unpack(params: &BootstrapParams, bytes: &[u8], shuffle: Option<&mut Random>) -> Result<Self> {
        let mut order: Vec<usize> = (0..params.lwe_dimension).collect();
        if let Some(random) = shuffle {
            random.shuffle(&mut order);
        }
        let bits = FourierGgsws::unpack(&params.ggsws(), bytes, &order)?;
        Ok(Self { params: *params, bits, order })
    }

    /// The sum over all inputs (under the small key) of `sign(phase) * height`, under the big key.
    ///
    /// `sign` is `+1` for a phase in `[0, 1/2)` and `-1` for one in `[-1/2, 0)`.
    ///
    /// Centred modulus switch, blind rotation of the constant polynomial `height`, sum, sample extraction. Inputs
    /// are spread over the pool's threads and each thread's share passes the key once. Noise: the sum over the inputs of
    /// [`super::noise::bootstrap_variance`], and with `zeros` of [`super::public_key::zero_variance`].
    ///
    /// Without `zeros` equal inputs leave equal noise.
    pub fn sum_of_signs(&self, inputs: &[Lwe], heights: &[u64], zeros: Option<&Zeros<'_>>) -> Lwe {
        let share = inputs.len().div_ceil(rayon::current_num_threads()).max(1);
        inputs
            .par_chunks(share)
            .zip(heights.par_chunks(share))
            .enumerate()
            .map(|(part, (inputs, heights))| self.share(inputs, heights, zeros.map(|zeros| (zeros, part * share))))
            .reduce(
                || Lwe::zero(self.params.output.lwe_dimension()),
                |mut sum, part| {
                    for (sum, part) in sum.mask.iter_mut().zip(&part.mask) {
                        *sum = sum.wrapping_add(*part);
                    }
                    sum.body = sum.body.wrapping_add(part.body);
                    sum
                },
            )
    }

    fn share(&self, inputs: &[Lwe], heights: &[u64], zeros: Option<(&Zeros<'_>, usize)>) -> Lwe {
        let GlweShape { dimension, size } = self.params.output;
        let glwe_words = (dimension + 1) * size;
        let switched: Vec<_> = inputs.iter().map(|lwe| self.switch_modulus(|bit| lwe.mask[bit], lwe.body)).collect();
        let mut accumulators = self.rotate(&switched, |index, table| table.fill(heights[index]), zeros);
        let (sum, others) = accumulators.split_at_mut(glwe_words);
        for other in others.chunks(glwe_words) {
            for (sum, word) in sum.iter_mut().zip(other) {
                *sum = sum.wrapping_add(*word);
            }
        }
        extract(sum, self.params.output)
    }

    /// For every row of `inputs` (under the small key) the entry of its table that its phase points at, under the
    /// big key.
    ///
    /// A table has `N` words, entry `p` for phases in `[p, p + 1) / 2N` of a turn; in the other half of the turn the
    /// negated entry is looked up. Rows are spread over the pool's threads in batches whose accumulators stay in a
    /// core's cache while the key passes. Noise and `zeros`: as in [`BootstrapKey::sum_of_signs`], each.
    pub fn look_up<'t>(
        &self,
        inputs: &LweList,
        table: impl Fn(usize) -> &'t [u64] + Sync,
        zeros: Option<&Zeros<'_>>,
    ) -> LweList {
        let GlweShape { dimension, size } = self.params.output;
        let glwe_words = (dimension + 1) * size;
        let mut out = LweList::zero(inputs.len(), dimension * size);
        let batch = self.batch(inputs.len());
        let rows: Vec<_> = out.rows_mut().collect();
        let first_rows = (0..inputs.len()).step_by(batch);
        let batches: Vec<_> = first_rows.zip(into_chunks(rows, batch)).collect();
        batches.into_par_iter().for_each(|(first, rows)| {
            let switched: Vec<_> = (first..first + rows.len())
                .map(|index| {
                    let (body, mask) = inputs.row(index).split_last().expect("a row holds its body");
                    let wide = |word: u32| u64::from(word) << 32;
                    self.switch_modulus(|bit| wide(mask[bit]), wide(*body))
                })
                .collect();
            let fill = |index: usize, out: &mut [u64]| out.copy_from_slice(table(first + index));
            let accumulators = self.rotate(&switched, fill, zeros.map(|zeros| (zeros, first)));
            for (accumulator, row) in accumulators.chunks(glwe_words).zip(rows) {
                for (polynomial, mask) in accumulator.chunks(size).zip(row[..dimension * size].chunks_mut(size)) {
                    extract_constant(polynomial, mask, narrow);
                }
                row[dimension * size] = narrow(accumulator[dimension * size]);
            }
        });
        out
    }

    /// Ciphertexts that one thread takes through the key at once: as many as share the work evenly while their
    /// accumulators fit into half of a core's second-level cache.
    fn batch(&self, ciphertexts: usize) -> usize {
        const CACHE_BYTES: usize = 1 << 20;
        let accumulator = (self.params.output.dimension + 1) * self.params.output.size * 8;
        let most = (CACHE_BYTES / accumulator).max(1);
        let threads = rayon::current_num_threads();
        let rounds = ciphertexts.div_ceil(threads * most).max(1);
        ciphertexts.div_ceil(threads * rounds).max(1)
    }

    /// The centred modulus switch to `2N`, of the key's bits in the blind rotation's order.
    fn switch_modulus(&self, mask: impl Fn(usize) -> u64, body: u64) -> Switched {
        let words: Vec<u64> = self.order.iter().map(|bit| mask(*bit)).chain([body]).collect();
        let lwe = LweCiphertext::from_container(words.as_slice(), CiphertextModulus::new_native());
        let log_modulus = PolynomialSize(self.params.output.size).to_blind_rotation_input_modulus_log();
        let switched = lwe_ciphertext_centered_binary_modulus_switch::<u64, usize, _>(lwe, log_modulus);
        Switched { mask: switched.mask().collect(), body: switched.body() }
    }

    /// Blind rotations of the tables that `fill` writes, in one pass over the key (TFHE, algorithm 9), each begun with a
    /// zero of its own: from the given index on. Returns the accumulators, `k + 1` polynomials each, the body last.
    fn rotate(
        &self,
        switched: &[Switched],
        fill: impl Fn(usize, &mut [u64]),
        zeros: Option<(&Zeros<'_>, usize)>,
    ) -> Vec<u64> {
        let GlweShape { dimension, size } = self.params.output;
        let glwe_words = (dimension + 1) * size;
        let mut accumulators = vec![0; switched.len() * glwe_words];
        let (mut table, nothing) = (vec![0; size], vec![0; size]);
        for (index, accumulator) in accumulators.chunks_mut(glwe_words).enumerate() {
            fill(index, &mut table);
            // Times X^-body.
            let body = &mut accumulator[dimension * size..];
            rotate(&table, 2 * size - switched[index].body, &nothing, body);
            if let Some((zeros, first)) = zeros {
                zeros.add(first + index, accumulator);
            }
        }
        let mut workspace = self.bits.workspace();
        let mut differences = vec![0; TOGETHER * glwe_words];
        for bit in 0..self.order.len() {
            for (group, accumulators) in switched.chunks(TOGETHER).zip(accumulators.chunks_mut(TOGETHER * glwe_words)) {
                for ((lwe, accumulator), difference) in
                    group.iter().zip(accumulators.chunks(glwe_words)).zip(differences.chunks_mut(glwe_words))
                {
                    for (polynomial, out) in accumulator.chunks(size).zip(difference.chunks_mut(size)) {
                        difference_to_rotation(polynomial, lwe.mask[bit], out);
                    }
                }
                let factors = &differences[..group.len() * glwe_words];
                self.bits.add_products(bit, factors, accumulators, &mut workspace);
            }
        }
        accumulators
    }
}

/// `polynomial * (X^degree - 1)` modulo `X^N + 1`, for degrees up to `2N`.
pub(super) fn difference_to_rotation(polynomial: &[u64], degree: usize, out: &mut [u64]) {
    rotate(polynomial, degree, polynomial, out);
}

/// `polynomial * X^degree - minus` modulo `X^N + 1`, for degrees up to `2N`.
fn rotate(polynomial: &[u64], degree: usize, minus: &[u64], out: &mut [u64]) {
    let size = polynomial.len();
    let shift = degree % size;
    let (wrapped, straight) = out.split_at_mut(shift);
    let (minus_wrapped, minus_straight) = minus.split_at(shift);
    let (head, tail) = polynomial.split_at(size - shift);
    let part = |out: &mut [u64], words: &[u64], minus: &[u64], negated: bool| {
        let triples = out.iter_mut().zip(words).zip(minus);
        if negated {
            triples.for_each(|((out, word), minus)| *out = word.wrapping_add(*minus).wrapping_neg());
        } else {
            triples.for_each(|((out, word), minus)| *out = word.wrapping_sub(*minus));
        }
    };
    let negated = degree / size % 2 == 1;
    part(straight, head, minus_straight, negated);
    part(wrapped, tail, minus_wrapped, !negated);
}

/// An LWE ciphertext modulo `2N`.
struct Switched {
    mask: Vec<usize>,
    body: usize,
}

/// A GLWE ciphertext's constant coefficient as an LWE ciphertext.
pub(super) fn extract(glwe: &[u64], shape: GlweShape) -> Lwe {
    let mut lwe = Lwe::zero(shape.lwe_dimension());
    for (polynomial, mask) in glwe.chunks(shape.size).zip(lwe.mask.chunks_mut(shape.size)) {
        extract_constant(polynomial, mask, |word| word);
    }
    lwe.body = glwe[shape.lwe_dimension()];
    lwe
}

/// The mask of a GLWE ciphertext's constant coefficient (TFHE, section 4.2): `a_0`, then `-a_{N-j}`.
fn extract_constant<T>(polynomial: &[u64], mask: &mut [T], convert: impl Fn(u64) -> T) {
    mask[0] = convert(polynomial[0]);
    for (out, word) in mask[1..].iter_mut().zip(polynomial[1..].iter().rev()) {
        *out = convert(word.wrapping_neg());
    }
}

fn into_chunks<T>(items: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let mut items = items.into_iter();
    std::iter::from_fn(|| Some(items.by_ref().take(size).collect()).filter(|chunk: &Vec<T>| !chunk.is_empty()))
        .collect()
}
