//! A client's secret keys.

use crate::fhe::phase::Phase;
use crate::fhe::{GlweSecret, Lwe, PartialGlwe};

/// A client's secret keys for one model. Has no `Debug`; wiped when dropped.
pub struct ClientKey {
    /// In the order of [`super::Circuit::keys`].
    secrets: Vec<GlweSecret>,
    /// A digest of the circuit that they were made for.
    circuit: [u8; 32],
}

impl ClientKey {
    /// At least one key, in the order of [`super::Circuit::keys`], and the digest of the circuit.
    pub(super) fn of(circuit: [u8; 32], secrets: Vec<GlweSecret>) -> Self {
        debug_assert!(!secrets.is_empty());
        Self { secrets, circuit }
    }

    /// The digest of the circuit that the key was made for.
    pub(super) fn circuit(&self) -> &[u8; 32] {
        &self.circuit
    }

    /// The key that inputs are encrypted under.
    pub fn input(&self) -> &GlweSecret {
        &self.secrets[0]
    }

    /// The key that answers come back under.
    pub fn answer(&self) -> &GlweSecret {
        &self.secrets[self.secrets.len() - 1]
    }

    /// The key at an index of [`super::Circuit::keys`].
    pub(super) fn secret(&self, index: usize) -> &GlweSecret {
        &self.secrets[index]
    }

    /// The secret bits, for the client's own key file and nowhere else.
    pub fn write(&self, out: &mut Vec<u8>) {
        for secret in &self.secrets {
            secret.write(out);
        }
    }
}

/// What decrypts answers: a client's key, once it is known that it was made for their circuit.
///
/// Read by another circuit's rule an answer gives away its noise, which follows from the key. So nothing outside of this
/// crate makes one.
///
/// ```compile_fail
/// # use fhectl_core::circuit::{CircuitSpec, ClientKey};
/// fn made(key: &ClientKey, circuit: &CircuitSpec) -> bool { key.for_answers(circuit).is_ok() }
/// ```
pub struct AnswerKey<'a>(pub(super) &'a GlweSecret);

impl AnswerKey<'_> {
    pub(super) fn phase(&self, lwe: &Lwe) -> Phase {
        self.0.phase(lwe)
    }

    pub(super) fn phases(&self, glwe: &PartialGlwe) -> Vec<Phase> {
        self.0.phases(glwe)
    }
}
