//! A secret key's bits, to look at ciphertexts with: phases are computed here from what a key file holds.

use fhectl::fhe::{GlweSecret, Lwe, PartialGlwe, wire};

/// A secret key, flattened.
pub struct Opened {
    size: usize,
    bits: Vec<u64>,
}

impl Opened {
    pub fn new(secret: &GlweSecret) -> Self {
        let shape = secret.shape();
        let mut bytes = Vec::new();
        secret.write(&mut bytes);
        let words = wire::unpack(&bytes, shape.lwe_dimension(), 1).unwrap();
        Self { size: shape.size, bits: words.into_iter().map(|word| word >> 63).collect() }
    }

    /// The message with its noise.
    pub fn phase(&self, lwe: &Lwe) -> u64 {
        assert_eq!(lwe.mask.len(), self.bits.len());
        let terms = lwe.mask.iter().zip(&self.bits);
        terms.fold(lwe.body, |phase, (mask, bit)| phase.wrapping_sub(mask.wrapping_mul(*bit)))
    }

    /// The messages with their noise, a coefficient each.
    pub fn phases(&self, glwe: &PartialGlwe) -> Vec<u64> {
        (0..glwe.bodies.len()).map(|at| self.coefficient(glwe, at)).collect()
    }

    fn coefficient(&self, glwe: &PartialGlwe, at: usize) -> u64 {
        let mut phase = glwe.bodies[at];
        for (mask, bits) in glwe.mask.chunks(self.size).zip(self.bits.chunks(self.size)) {
            for (degree, bit) in bits.iter().enumerate() {
                let term = mask[(at + self.size - degree) % self.size].wrapping_mul(*bit);
                phase = if degree <= at { phase.wrapping_sub(term) } else { phase.wrapping_add(term) };
            }
        }
        phase
    }
}
