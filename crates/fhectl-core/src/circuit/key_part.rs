//! The parts of an evaluation key beside the public key.

use crate::fhe::bootstrap::BootstrapParams;
use crate::fhe::keyswitch::KeyswitchParams;

/// One part of a circuit's evaluation key, from one of the client's secret keys to another. Both are indices into
/// [`super::Circuit::keys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPart {
    Bootstrap { params: BootstrapParams, from: usize, to: usize },
    Keyswitch { params: KeyswitchParams, from: usize, to: usize },
}

impl KeyPart {
    /// Exact bytes in the key's wire form.
    pub fn wire_len(&self) -> usize {
        match self {
            Self::Bootstrap { params, .. } => params.layout().wire_len(),
            Self::Keyswitch { params, .. } => params.layout().wire_len(),
        }
    }

    /// Bytes in a server's memory once it is unpacked.
    pub fn unpacked_bytes(&self) -> usize {
        match self {
            Self::Bootstrap { params, .. } => params.fourier_bytes(),
            Self::Keyswitch { params, .. } => params.unpacked_bytes(),
        }
    }
}
