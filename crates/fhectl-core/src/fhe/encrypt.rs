//! Encryption: rows, evaluation keys and public keys, all as lists of seeded GLWE ciphertexts.
//!
//! Messages are made a ciphertext at a time and wiped with their buffer: the message of an evaluation key is made of
//! secret bits, and a whole list of them would be tens of megabytes.

use super::bootstrap::BootstrapParams;
use super::ggsw::GgswLayout;
use super::keyswitch::KeyswitchParams;
use super::random::{Entropy, Random};
use super::secret::GlweSecret;
use super::seeded::SeededLayout;
use super::{noise, public_key, wire};
use zeroize::Zeroize;

impl SeededLayout {
    /// Encrypts `messages` (`bodies` torus words, one a coefficient) with fresh masks and noise, and returns the list in its
    /// wire form, exactly [`SeededLayout::wire_len`] bytes.
    ///
    /// `body = <mask, key> + message + TUniform`, then rounded to `bits`. Mask seed and noise seed are drawn
    /// separately: the first becomes public, the second never leaves.
    ///
    /// # Panics
    /// Where `messages` or the key do not have this layout's shape.
    pub fn encrypt(&self, secret: &GlweSecret, messages: &[u64], entropy: &mut dyn Entropy) -> Vec<u8> {
        assert_eq!(messages.len(), self.bodies);
        self.encrypt_made(secret, |first, out| out.copy_from_slice(&messages[first..][..out.len()]), entropy)
    }

    /// As [`SeededLayout::encrypt`], with messages that `make` writes: given the index of the first, for one ciphertext at a
    /// time, in any order. The words that it is given are zero.
    fn encrypt_made(
        &self,
        secret: &GlweSecret,
        make: impl Fn(usize, &mut [u64]) + Sync,
        entropy: &mut dyn Entropy,
    ) -> Vec<u8> {
        assert_eq!(secret.shape(), self.shape);
        let (seed, noise_seed) = (entropy.seed(), entropy.seed());
        let bound = noise::t_uniform_bound(self.shape.lwe_dimension());
        let size = self.shape.size;
        let buffers = || (vec![0; self.shape.lwe_dimension()], vec![0; size], Vec::new());
        // Ciphertext by ciphertext, each from its own place of both streams: they can be made in any order. Sixteen
        // coefficients or more fill whole bytes, so each has its own place on the wire, too.
        let encrypt = |(masks, body, packed): &mut (Vec<u64>, Vec<u64>, Vec<u8>), (index, out): (usize, &mut [u8])| {
            let first = index * size;
            let used = size.min(self.bodies - first);
            Random::at_word(&seed, (index * masks.len()) as u64).fill_uniform(masks);
            make(first, &mut body[..used]);
            secret.add_mask_product(masks, body);
            Random::at_word(&noise_seed, first as u64).add_t_uniform(&mut body[..used], bound);
            packed.clear();
            wire::pack(body[..used].iter().copied(), self.bits, packed);
            out.copy_from_slice(packed);
            // Beyond a partial ciphertext stand products with the key that no noise covers; below, bits that are not sent.
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

/// Encrypts every bit as a GGSW under `big` and returns the list in its wire form.
///
/// Row `r < k` of level `l` encrypts `-bit * s_r * 2^(64 - base_log * l)`, row `k` `bit * 2^(64 - base_log * l)`
/// (TFHE, definition 3.8, in tfhe's order of rows and levels).
///
/// # Panics
/// Where bits or key do not have the layout's shape.
pub fn ggsw_list(layout: &GgswLayout, bits: &[u64], big: &GlweSecret, entropy: &mut dyn Entropy) -> Vec<u8> {
    assert_eq!(bits.len(), layout.count);
    let (size, glwe_size) = (layout.shape.size, layout.shape.dimension + 1);
    let make = |first: usize, out: &mut [u64]| {
        let row = first / size;
        let level = layout.levels - (row % layout.rows() / glwe_size) as u32;
        let factor = bits[row / layout.rows()] << (64 - layout.base_log * level);
        match big.bits().chunks(size).nth(row % glwe_size) {
            Some(key) => out.iter_mut().zip(key).for_each(|(out, s)| *out = factor.wrapping_neg().wrapping_mul(*s)),
            None => out[0] = factor,
        }
    };
    layout.layout().encrypt_made(big, make, entropy)
}

/// Makes a bootstrap key: every bit of `small` under `big`, in its wire form.
///
/// # Panics
/// Where the keys do not have the parameters' shape.
pub fn bootstrap_key(
    params: &BootstrapParams,
    small: &GlweSecret,
    big: &GlweSecret,
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    ggsw_list(&params.ggsws(), small.bits(), big, entropy)
}

/// Makes a keyswitching key: every bit of `big` under `small`, once a level, `bit * 2^(64 - base_log * level)` for levels 1,
/// 2, ..., in its wire form.
///
/// # Panics
/// Where the keys do not have the parameters' shape.
pub fn keyswitch_key(
    params: &KeyswitchParams,
    big: &GlweSecret,
    small: &GlweSecret,
    entropy: &mut dyn Entropy,
) -> Vec<u8> {
    assert_eq!(big.shape().lwe_dimension(), params.from);
    let levels = params.levels as usize;
    let make = |first: usize, out: &mut [u64]| {
        for (index, out) in (first..).zip(out) {
            *out = big.bits()[index / levels] << (64 - params.base_log * (index % levels + 1) as u32);
        }
    };
    params.layout().encrypt_made(small, make, entropy)
}

/// Makes a public key of `secret`: encryptions of zero, in their wire form.
pub fn public_key(secret: &GlweSecret, entropy: &mut dyn Entropy) -> Vec<u8> {
    public_key::layout(secret.shape()).encrypt_made(secret, |_, _| {}, entropy)
}
