//! A client's secret keys.

use crate::fhe::GlweSecret;

/// A client's secret keys for one model. Has no `Debug`; wiped when dropped.
pub struct ClientKey {
    /// In the order of [`super::Circuit::keys`].
    secrets: Vec<GlweSecret>,
}

impl ClientKey {
    /// At least one key, in the order of [`super::Circuit::keys`].
    pub(super) fn of(secrets: Vec<GlweSecret>) -> Self {
        debug_assert!(!secrets.is_empty());
        Self { secrets }
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
