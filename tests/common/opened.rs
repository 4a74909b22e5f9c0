//! A secret key's bits, to look at ciphertexts with: phases are computed here from what a key file holds.

use fhectl_core::circuit::{CircuitSpec, ClientKey};
use fhectl_core::fhe::{GlweSecret, GlweShape, Lwe, PartialGlwe, wire};

/// A secret key laid open bit by bit, for measuring noise: the library itself decrypts to rounded scores only.
pub struct Opened {
    shape: GlweShape,
    /// One bit a word.
    pub bits: Vec<u64>,
}

impl Opened {
    pub fn of(secret: &GlweSecret) -> Self {
        let mut bytes = Vec::new();
        secret.write(&mut bytes);
        Self::read(secret.shape(), &bytes)
    }

    /// All keys of a client, in the order of [`CircuitSpec::keys`].
    pub fn all(spec: &CircuitSpec, key: &ClientKey) -> Vec<Self> {
        let mut bytes = Vec::new();
        key.write(&mut bytes);
        let mut rest = bytes.as_slice();
        let keys = spec.keys().into_iter().map(|key| {
            let (own, after) = rest.split_at(GlweSecret::stored_len(key.shape));
            rest = after;
            Self::read(key.shape, own)
        });
        keys.collect()
    }

    /// The key that answers come back under.
    pub fn answer(spec: &CircuitSpec, key: &ClientKey) -> Self {
        Self::all(spec, key).pop().unwrap()
    }

    fn read(shape: GlweShape, bytes: &[u8]) -> Self {
        let bits = wire::unpack(bytes, shape.lwe_dimension(), 1).unwrap();
        Self { shape, bits: bits.into_iter().map(|bit| bit >> 63).collect() }
    }

    /// `body - <mask, key>`.
    pub fn phase(&self, lwe: &Lwe) -> u64 {
        let product = lwe.mask.iter().zip(&self.bits).fold(0u64, |sum, (a, s)| sum.wrapping_add(a.wrapping_mul(*s)));
        lwe.body.wrapping_sub(product)
    }

    /// The same of every coefficient that a partial ciphertext holds.
    pub fn phases(&self, glwe: &PartialGlwe) -> Vec<u64> {
        let size = self.shape.size;
        let coefficient = |at: usize| {
            let polynomials = glwe.mask.chunks(size).zip(self.bits.chunks(size));
            polynomials.fold(0u64, |sum, (mask, key)| {
                let terms = key.iter().enumerate().filter(|(_, bit)| **bit == 1);
                terms.fold(sum, |sum, (i, _)| match at >= i {
                    true => sum.wrapping_add(mask[at - i]),
                    false => sum.wrapping_sub(mask[size + at - i]),
                })
            })
        };
        glwe.bodies.iter().enumerate().map(|(at, body)| body.wrapping_sub(coefficient(at))).collect()
    }
}
