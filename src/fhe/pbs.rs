//! Programmable bootstraps in batches: one pass over the key serves many ciphertexts.

use super::GlweShape;
use super::bootstrap::BootstrapParams;
use super::lwe::Lwe;
use super::random::Random;
use crate::error::Result;
use rayon::prelude::*;
use tfhe::core_crypto::fft_impl::fft64::crypto::bootstrap::{
    FourierLweBootstrapKeyOwned, batch_bootstrap_scratch, fill_with_forward_fourier_scratch,
};
use tfhe::core_crypto::prelude::{
    CiphertextCount, CiphertextModulus, ComputationBuffers, DecompositionBaseLog, DecompositionLevelCount, Fft,
    GgswCiphertext, GlweCiphertextCount, GlweCiphertextList, GlweSize, LweCiphertext, LweDimension, MonomialDegree,
    PolynomialSize, extract_lwe_sample_from_glwe_ciphertext, lwe_ciphertext_centered_binary_modulus_switch,
};

/// A client's bootstrap key, in the Fourier domain.
pub struct BootstrapKey {
    params: BootstrapParams,
    fourier: FourierLweBootstrapKeyOwned,
    /// The key's bits in the order in which the blind rotation takes them.
    order: Vec<usize>,
}

impl BootstrapKey {
    /// Reads the wire form, expands the masks and transforms the key, on all threads of the current pool.
    ///
    /// With `shuffle` the blind rotation takes the key's bits in a random order that the client does not know. The
    /// result is the same, its noise another: a client, which could otherwise repeat the computation for every model
    /// it can think of, no longer knows the noise that one of them would have left.
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the key's layout.
    pub fn unpack(params: &BootstrapParams, bytes: &[u8], shuffle: Option<&mut Random>) -> Result<Self> {
        let (seed, bodies) = params.layout().parse(bytes)?;
        let mut order: Vec<usize> = (0..params.lwe_dimension).collect();
        if let Some(random) = shuffle {
            random.shuffle(&mut order);
        }
        let GlweShape { dimension, size } = params.output;
        let base_log = DecompositionBaseLog(params.base_log as usize);
        let levels = DecompositionLevelCount(params.levels as usize);
        let glwe_size = GlweSize(dimension + 1);
        let mut fourier = FourierLweBootstrapKeyOwned::new(
            LweDimension(params.lwe_dimension),
            glwe_size,
            PolynomialSize(size),
            base_log,
            levels,
        );

        let fft = Fft::new(PolynomialSize(size));
        let fft = fft.as_view();
        let rows = levels.0 * glwe_size.0;
        let ggsws: Vec<_> = fourier.as_mut_view().into_ggsw_iter().collect();
        ggsws.into_par_iter().zip(&order).for_each_init(
            || {
                let mut buffers = ComputationBuffers::new();
                buffers.resize(fill_with_forward_fourier_scratch(fft).unaligned_bytes_required());
                (buffers, vec![0u64; rows * glwe_size.0 * size], vec![0u64; rows * dimension * size])
            },
            |(buffers, ggsw, masks), (target, index)| {
                let bodies = &bodies[index * rows * size..][..rows * size];
                Random::at_word(seed, (index * masks.len()) as u64).fill_uniform(masks);
                let glwes = ggsw.chunks_mut(glwe_size.0 * size);
                for ((glwe, mask), body) in glwes.zip(masks.chunks(dimension * size)).zip(bodies.chunks(size)) {
                    glwe[..dimension * size].copy_from_slice(mask);
                    glwe[dimension * size..].copy_from_slice(body);
                }
                let standard = GgswCiphertext::from_container(
                    ggsw.as_slice(),
                    glwe_size,
                    PolynomialSize(size),
                    base_log,
                    CiphertextModulus::new_native(),
                );
                target.fill_with_forward_fourier(standard, fft, buffers.stack());
            },
        );
        Ok(Self { params: *params, fourier, order })
    }

    /// The sum over all inputs (under the small key) of `sign(phase) * height`, under the big key.
    ///
    /// `sign` is `+1` for a phase in `[0, 1/2)` and `-1` for one in `[-1/2, 0)`.
    ///
    /// Centred modulus switch, blind rotation of the constant polynomial `height`, sum, sample extraction. Inputs
    /// are spread over the pool's threads and each thread's share passes the key once. Noise: the sum of
    /// [`super::noise::bootstrap_variance`] over the inputs.
    pub fn sum_of_signs(&self, inputs: &[Lwe], heights: &[u64]) -> Lwe {
        let share = inputs.len().div_ceil(rayon::current_num_threads()).max(1);
        inputs
            .par_chunks(share)
            .zip(heights.par_chunks(share))
            .map(|(inputs, heights)| self.share(inputs, heights))
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

    fn share(&self, inputs: &[Lwe], heights: &[u64]) -> Lwe {
        let GlweShape { dimension, size } = self.params.output;
        let polynomial_size = PolynomialSize(size);
        let glwe_size = GlweSize(dimension + 1);
        let glwe_words = glwe_size.0 * size;
        let native = CiphertextModulus::new_native();
        let fft = Fft::new(polynomial_size);
        let fft = fft.as_view();
        let mut buffers = ComputationBuffers::new();
        let requirement =
            batch_bootstrap_scratch::<u64>(glwe_size, polynomial_size, CiphertextCount(inputs.len()), fft);
        buffers.resize(requirement.unaligned_bytes_required());

        let mut accumulators =
            GlweCiphertextList::new(0u64, glwe_size, polynomial_size, GlweCiphertextCount(inputs.len()), native);
        for (accumulator, height) in accumulators.as_mut().chunks_mut(glwe_words).zip(heights) {
            accumulator[dimension * size..].fill(*height);
        }
        let log_modulus = polynomial_size.to_blind_rotation_input_modulus_log();
        let words: Vec<Vec<u64>> =
            inputs.iter().map(|lwe| self.order.iter().map(|bit| lwe.mask[*bit]).chain([lwe.body]).collect()).collect();
        let switched: Vec<_> = words
            .iter()
            .map(|words| {
                let lwe = LweCiphertext::from_container(words.as_slice(), native);
                lwe_ciphertext_centered_binary_modulus_switch::<u64, usize, _>(lwe, log_modulus)
            })
            .collect();
        self.fourier.as_view().batch_blind_rotate_assign(accumulators.as_mut_view(), &switched, fft, buffers.stack());

        let (first, others) = accumulators.as_mut().split_at_mut(glwe_words);
        for other in others.chunks(glwe_words) {
            for (sum, word) in first.iter_mut().zip(other) {
                *sum = sum.wrapping_add(*word);
            }
        }
        let sum = tfhe::core_crypto::prelude::GlweCiphertext::from_container(&*first, polynomial_size, native);
        let mut extracted =
            LweCiphertext::new(0u64, LweDimension(self.params.output.lwe_dimension()).to_lwe_size(), native);
        extract_lwe_sample_from_glwe_ciphertext(&sum, &mut extracted, MonomialDegree(0));
        let mut mask = extracted.into_container();
        let body = mask.pop().unwrap_or_default();
        Lwe { mask, body }
    }
}
