//! Encryption of rows, evaluation keys and public keys, all as lists of seeded GLWE ciphertexts.
//!
//! Messages are written one ciphertext at a time into a buffer that is wiped. The messages of an evaluation key contain
//! bits of the secret key, and a whole list of them would take tens of megabytes.

use super::bootstrap::BootstrapParams;
use super::ggsw::GgswLayout;
use super::keyswitch::KeyswitchParams;
use super::random::{Entropy, Random};
use super::secret::GlweSecret;
use super::seeded::SeededLayout;
use super::{noise, public_key, wire};
use zeroize::Zeroize;

impl SeededLayout {
    /// Encrypts `messages`, one torus word per coefficient (`bodies` of them), with fresh masks and noise. Returns the list
    /// in its wire form, exactly [`SeededLayout::wire_len`] bytes.
    ///
    /// `body = <mask, key> + message + TUniform noise`, rounded to `bits` bits. Masks and noise have independent seeds: the
    /// first is sent, the second is not.
    ///
    /// ```
    /// # #[cfg(feature = "os")] {
    /// use fhectl_core::fhe::random::OsEntropy;
    /// use fhectl_core::fhe::{GlweSecret, GlweShape, SeededLayout};
    /// let layout = SeededLayout { shape: GlweShape::new(1, 1024), bodies: 2, bits: 24 };
    /// let secret = GlweSecret::generate(layout.shape, &mut OsEntropy);
    /// let wire = layout.encrypt(&secret, &[0, 1 << 63], &mut OsEntropy);
    /// assert_eq!(wire.len(), 16 + 2 * 24 / 8);
    /// # }
    /// ```
    ///
    /// # Panics
    /// Where `messages` or the key do not have this layout's shape.
    pub fn encrypt(&self, secret: &GlweSecret, messages: &[u64], entropy: &mut dyn Entropy) -> Vec<u8> {
        assert_eq!(messages.len(), self.bodies);
        self.encrypt_with(secret, |first, out| out.copy_from_slice(&messages[first..][..out.len()]), entropy)
    }

    /// As [`SeededLayout::encrypt`], with messages that `write` puts into a zeroed buffer, given the index of the first
    /// coefficient. It is called once for each ciphertext, in any order.
    fn encrypt_with(
        &self,
        secret: &GlweSecret,
        write: impl Fn(usize, &mut [u64]) + Sync,
        entropy: &mut dyn Entropy,
    ) -> Vec<u8> {
        assert_eq!(secret.shape(), self.shape);
        let (seed, noise_seed) = (entropy.seed(), entropy.seed());
        let bound = noise::t_uniform_bound(self.shape.lwe_dimension());
        let size = self.shape.size;
        let buffers = || (vec![0; self.shape.lwe_dimension()], vec![0; size], Vec::new());
        // Each ciphertext has its own offset in both random streams, so that threads can take them in any order. Polynomials
        // have at least 16 coefficients, which fill whole bytes: each ciphertext has its own offset on the wire, too.
        let encrypt = |(masks, body, packed): &mut (Vec<u64>, Vec<u64>, Vec<u8>), (index, out): (usize, &mut [u8])| {
            let first = index * size;
            let used = size.min(self.bodies - first);
            Random::at_word(&seed, (index * masks.len()) as u64).fill_uniform(masks);
            write(first, &mut body[..used]);
            secret.add_mask_product(masks, body);
            Random::at_word(&noise_seed, first as u64).add_t_uniform(&mut body[..used], bound);
            packed.clear();
            wire::pack(&body[..used], self.bits, packed);
            out.copy_from_slice(packed);
            // What is not sent would give the key away: low bits of bodies, and products of mask and key without noise in
            // coefficients past the end of a partial ciphertext.
            body.as_mut_slice().zeroize();
        };
        let mut wire = vec![0; self.wire_len()];
        let (head, packed) = wire.split_at_mut(16);
        head.copy_from_slice(&seed.0);
        let each = wire::packed_len(size, self.bits);
        #[cfg(feature = "evaluate")]
        {
            use rayon::prelude::*;
            packed.par_chunks_mut(each).enumerate().with_min_len(4).for_each_init(buffers, encrypt);
        }
        #[cfg(not(feature = "evaluate"))]
        {
            let mut buffers = buffers();
            packed.chunks_mut(each).enumerate().for_each(|chunk| encrypt(&mut buffers, chunk));
        }
        wire
    }
}

/// Encrypts each bit as a GGSW ciphertext under `secret`. Returns the list in its wire form.
///
/// Row `r < k` of level `l` encrypts `-bit * s_r * 2^(64 - base_log * l)`, row `k` encrypts `bit * 2^(64 - base_log * l)`
/// (TFHE, definition 3.8, with tfhe's order of rows and levels).
///
/// # Panics
/// Where the bits or the key do not have the shape of the layout.
pub fn ggsw_list(layout: &GgswLayout, bits: &[u64], secret: &GlweSecret, entropy: &mut dyn Entropy) -> Vec<u8> {
    assert_eq!(bits.len(), layout.count);
    let (size, glwe_size) = (layout.shape.size, layout.shape.dimension + 1);
    let write = |first: usize, out: &mut [u64]| {
        let row = first / size;
        let level = layout.levels - (row % layout.rows() / glwe_size) as u32;
        let factor = bits[row / layout.rows()] << (64 - layout.base_log * level);
        match secret.bits().chunks(size).nth(row % glwe_size) {
            Some(key) => out.iter_mut().zip(key).for_each(|(out, s)| *out = factor.wrapping_neg().wrapping_mul(*s)),
            None => out[0] = factor,
        }
    };
    layout.layout().encrypt_with(secret, write, entropy)
}

/// Generates a bootstrap key: a GGSW encryption of each bit of `small` under `big`, in its wire form.
///
/// # Panics
/// Where the keys do not have the shapes of the parameters.
pub fn bootstrap_key(
    params: &BootstrapParams,
    small: &GlweSecret,
    big: &GlweSecret,
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    ggsw_list(&params.ggsws(), small.bits(), big, entropy)
}

/// Generates a keyswitching key: for each bit of `big` and each level from 1 on, an encryption of
/// `bit * 2^(64 - base_log * level)` under `small`. In its wire form.
///
/// # Panics
/// Where the keys do not have the shapes of the parameters.
pub fn keyswitch_key(
    params: &KeyswitchParams,
    big: &GlweSecret,
    small: &GlweSecret,
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    assert_eq!(big.shape().lwe_dimension(), params.from);
    let levels = params.levels as usize;
    let write = |first: usize, out: &mut [u64]| {
        for (index, out) in (first..).zip(out) {
            *out = big.bits()[index / levels] << (64 - params.base_log * (index % levels + 1) as u32);
        }
    };
    params.layout().encrypt_with(small, write, entropy)
}

/// Generates a public key of `secret`: encryptions of zero, see [`super::public_key`]. In its wire form.
pub fn public_key(secret: &GlweSecret, entropy: &mut dyn Entropy) -> Vec<u8> {
    public_key::layout(secret.shape()).encrypt_with(secret, |_, _| {}, entropy)
}
