//! What the parts of an evaluation key are.

use super::bootstrap::BootstrapParams;
use super::keyswitch::KeyswitchParams;
use super::seeded::SeededLayout;

/// One part of an evaluation key: its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartParams {
    Bootstrap(BootstrapParams),
    Keyswitch(KeyswitchParams),
}

impl PartParams {
    /// The part on the wire.
    pub fn layout(&self) -> SeededLayout {
        match self {
            Self::Bootstrap(params) => params.layout(),
            Self::Keyswitch(params) => params.layout(),
        }
    }

    /// Exact bytes in the key's wire form.
    pub fn wire_len(&self) -> usize {
        self.layout().wire_len()
    }

    /// Bytes in a server's memory once it is unpacked.
    pub const fn unpacked_bytes(&self) -> usize {
        match self {
            Self::Bootstrap(params) => params.fourier_bytes(),
            Self::Keyswitch(params) => params.unpacked_bytes(),
        }
    }

    /// The parameters of a bootstrap, where it is one.
    pub const fn bootstrap(&self) -> Option<&BootstrapParams> {
        match self {
            Self::Bootstrap(params) => Some(params),
            Self::Keyswitch(_) => None,
        }
    }
}

/// The parts at the beginning of a key's wire form, each with its bytes. Where bytes are missing the last parts have fewer
/// than their [`PartParams::wire_len`].
pub fn split_parts<'a>(parts: &'a [PartParams], wire: &'a [u8]) -> impl Iterator<Item = (&'a PartParams, &'a [u8])> {
    parts.iter().scan(wire, |rest, part| {
        let (own, after) = rest.split_at(part.wire_len().min(rest.len()));
        *rest = after;
        Some((part, own))
    })
}
