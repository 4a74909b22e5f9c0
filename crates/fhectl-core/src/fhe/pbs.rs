//! Programmable bootstraps in batches: many ciphertexts share one pass over the bootstrap key.

use super::GlweShape;
use super::bootstrap::BootstrapParams;
use super::external_product::{ROTATED_BORDER, rotated_len, rotated_polynomials};
use super::fourier_ggsws::FourierGgsws;
use super::kernel::aligned::Aligned;
use super::kernel::digits::Word;
use super::list::{LweList, narrow};
use super::lwe::Lwe;
use super::polynomial::{extract_constant_mask, rotate};
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
    /// The indices of the key's bits, in the order of the blind rotation.
    order: Vec<usize>,
}

impl BootstrapKey {
    /// Reads the wire form, expands the masks and transforms the key, on all threads of the current rayon pool.
    ///
    /// With `shuffle`, the blind rotation takes the bits of the key in a random order that the client does not know. That
    /// changes the noise, not the result. It is a second line of defense only: the order stays while the key is in memory.
    /// [`Zeros`] make the noise of each bootstrap new.
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

    /// The sum over all inputs (under the small key) of `sign(phase) * height`, under the big key. `sign` is `+1` for a phase
    /// in `[0, 1/2)` and `-1` for one in `[-1/2, 0)`.
    ///
    /// Centered modulus switch, blind rotation of the constant polynomial `height`, sum, sample extraction. The inputs are
    /// divided among the threads of the current rayon pool; each thread passes over the key once. Noise: for each input
    /// [`super::noise::bootstrap_variance`], and with `zeros` also [`super::public_key::zero_variance`]. Without `zeros`,
    /// equal inputs give equal noise.
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

    /// [`BootstrapKey::sum_of_signs`] on one thread.
    fn share(&self, inputs: &[Lwe], heights: &[u64], zeros: Option<(&Zeros<'_>, usize)>) -> Lwe {
        let GlweShape { dimension, size } = self.params.output;
        let switched: Vec<_> = inputs.iter().map(|lwe| self.switch_modulus(|bit| lwe.mask[bit], lwe.body)).collect();
        let mut accumulators = self.blind_rotate(&switched, |index, table| table.fill(heights[index]), zeros);
        let (sum, others) = accumulators.split_at_mut(rotated_len(self.params.output));
        for other in others.chunks(sum.len()) {
            for (sum, word) in sum.iter_mut().zip(other) {
                *sum = sum.wrapping_add(*word);
            }
        }
        let mut lwe = Lwe::zero(dimension * size);
        let mut masks = lwe.mask.chunks_mut(size);
        for polynomial in rotated_polynomials(sum, size) {
            match masks.next() {
                Some(mask) => extract_constant_mask(polynomial, mask, |out, word| *out = word.wide()),
                None => lwe.body = polynomial[0].wide(),
            }
        }
        lwe
    }

    /// Looks up, for each row of `inputs` (under the small key), the entry of `table(row)` at its phase. The results are
    /// under the big key.
    ///
    /// A table has `N` torus words. Entry `p` is the result for phases in `[p, p + 1) / 2N`, a fraction of the torus; half a
    /// turn further the result is negated. The rows are divided among the threads of the current rayon pool, in batches
    /// whose accumulators stay in a core's cache. Noise and `zeros`: for each row as in [`BootstrapKey::sum_of_signs`].
    pub fn look_up<'t>(
        &self,
        inputs: &LweList,
        table: impl Fn(usize) -> &'t [u64] + Sync,
        zeros: Option<&Zeros<'_>>,
    ) -> LweList {
        let GlweShape { dimension, size } = self.params.output;
        let mut out = LweList::zero(inputs.len(), dimension * size);
        let batch = self.batch_len(inputs.len());
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
            let accumulators = self.blind_rotate(&switched, fill, zeros.map(|zeros| (zeros, first)));
            for (accumulator, row) in accumulators.chunks(rotated_len(self.params.output)).zip(rows) {
                // The last part of a row is its body alone.
                for (polynomial, out) in rotated_polynomials(accumulator, size).zip(row.chunks_mut(size)) {
                    extract_constant_mask(polynomial, out, |out, word| *out = word);
                }
            }
        });
        out
    }

    /// The number of ciphertexts that one thread takes through the key together. It divides the work evenly, with accumulators
    /// that leave half of a core's L2 cache to the key.
    fn batch_len(&self, ciphertexts: usize) -> usize {
        const CACHE_BYTES: usize = 1 << 19;
        let accumulator = rotated_len(self.params.output) * size_of::<u32>();
        let most = (CACHE_BYTES / accumulator).max(1);
        let threads = rayon::current_num_threads();
        let rounds = ciphertexts.div_ceil(threads * most).max(1);
        ciphertexts.div_ceil(threads * rounds).max(1)
    }

    /// The centered modulus switch to `2N`, with the mask in the order of the blind rotation.
    fn switch_modulus(&self, mask: impl Fn(usize) -> u64, body: u64) -> ModulusSwitched {
        let words: Vec<u64> = self.order.iter().map(|bit| mask(*bit)).chain([body]).collect();
        let lwe = LweCiphertext::from_container(words.as_slice(), CiphertextModulus::new_native());
        let log_modulus = PolynomialSize(self.params.output.size).to_blind_rotation_input_modulus_log();
        let switched = lwe_ciphertext_centered_binary_modulus_switch::<u64, usize, _>(lwe, log_modulus);
        ModulusSwitched { mask: switched.mask().collect(), body: switched.body() }
    }

    /// Blind rotations of the tables that `fill` writes, in one pass over the key (TFHE, algorithm 9). The encryptions of zero
    /// from the given index on are added to the tables, one each. Returns accumulators as [`FourierGgsws::rotate`] has them.
    fn blind_rotate(
        &self,
        switched: &[ModulusSwitched],
        fill: impl Fn(usize, &mut [u64]),
        zeros: Option<(&Zeros<'_>, usize)>,
    ) -> Aligned<u32> {
        let GlweShape { dimension, size } = self.params.output;
        let mut accumulators = Aligned::new(switched.len() * rotated_len(self.params.output));
        let (mut table, mut wide) = (vec![0; size], vec![0; (dimension + 1) * size]);
        for (index, accumulator) in accumulators.chunks_mut(rotated_len(self.params.output)).enumerate() {
            fill(index, &mut table);
            wide.fill(0);
            // Times X^-body.
            rotate(&table, 2 * size - switched[index].body, &mut wide[dimension * size..]);
            if let Some((zeros, first)) = zeros {
                zeros.add(first + index, &mut wide);
            }
            for (polynomial, words) in accumulator.chunks_mut(size + ROTATED_BORDER).zip(wide.chunks(size)) {
                polynomial[ROTATED_BORDER..].iter_mut().zip(words).for_each(|(out, word)| *out = narrow(*word));
            }
        }
        let degrees: Vec<&[usize]> = switched.iter().map(|lwe| lwe.mask.as_slice()).collect();
        self.bits.rotate(&degrees, &mut accumulators);
        accumulators
    }
}

/// An LWE ciphertext with words modulo `2N`.
struct ModulusSwitched {
    mask: Vec<usize>,
    body: usize,
}

fn into_chunks<T>(items: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let mut items = items.into_iter();
    std::iter::from_fn(|| Some(items.by_ref().take(size).collect()).filter(|chunk: &Vec<T>| !chunk.is_empty()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhe::kernel::unit::Unit;
    use crate::fhe::random::OsEntropy;
    use crate::fhe::{GlweSecret, encrypt, noise};

    /// Signs of uniform phases, far enough from where they change, on every vector unit.
    #[test]
    fn bootstraps_find_signs_with_the_noise_of_the_formula() {
        let height = 1 << 61;
        // One digit; two; and thirty bits of digits, beside which the rounding of words shows.
        for (dimension, size, base_log, levels) in [(3, 512, 17, 1), (6, 256, 8, 2), (1, 2048, 10, 3)] {
            let output = GlweShape::new(dimension, size);
            let params = BootstrapParams { lwe_dimension: 512, output, base_log, levels, key_bits: 64 };
            let small = GlweSecret::generate(GlweShape::new(8, 64), &mut OsEntropy);
            let big = GlweSecret::generate(output, &mut OsEntropy);
            let wire = encrypt::bootstrap_key(&params, &small, &big, &mut OsEntropy);
            let order: Vec<usize> = (0..512).collect();
            let mut random = Random::fresh(&mut OsEntropy);
            let mut inputs = LweList::zero(128, 512);
            for row in inputs.rows_mut().collect::<Vec<_>>() {
                row.iter_mut().for_each(|word| *word = random.word() as u32);
            }
            for unit in Unit::all() {
                let bits = FourierGgsws::unpack_for(unit, Default::default(), &params.ggsws(), &wire, &order).unwrap();
                let key = BootstrapKey { params, bits, order: order.clone() };
                let table = vec![height; size];
                let answers = key.look_up(&inputs, |_| &table, None);
                let mut squares = 0.0;
                for index in 0..inputs.len() {
                    let phase = small.phase(&inputs.lwe(index)).word() as i64 as f64 / 2f64.powi(64);
                    let answer = big.phase(&answers.lwe(index)).word() as i64;
                    let off = (phase.abs().min(0.5 - phase.abs()) * 2.0 * size as f64) as u64;
                    assert!(off < 20 || (answer > 0) == (phase > 0.0), "{}: the sign of {phase}", unit.name());
                    let error = (answer - answer.signum() * height as i64) as f64 / 2f64.powi(64);
                    squares += error * error;
                }
                let count = inputs.len() as f64;
                let ratio = squares / count / noise::bootstrap_variance(512, output, params.gadget());
                let near = (ratio - 1.0).abs() < 5.0 * (2.0 / count).sqrt();
                assert!(near, "{} {output:?}: measured/predicted variance {ratio}", unit.name());
            }
        }
    }
}
