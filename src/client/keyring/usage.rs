//! How many rows a key was asked about.

use super::file::Header;
use super::{Keyring, disk};
use crate::bundle::ClientBundle;
use crate::circuit::CircuitSpec;
use crate::error::Result;
use std::path::PathBuf;

/// The rows that a network's key answers before another takes its place.
///
/// A network's answers carry noise that follows from the key's bits and from what the server knows. Who sees many of
/// them, beside the rows or a good guess at them, can solve for the key (`SECURITY.md` has the figures). So few tell
/// next to nothing, and a new key costs less than the rows do.
pub const NETWORK_KEY_ROWS: u32 = 256;

impl Keyring {
    /// Takes up to `wanted` of the rows that a model's key may still be asked about; 0 where there are none, and
    /// [`Keyring::keys_for`] makes a new key. Exact circuits have no limit.
    ///
    /// They are counted on the disk before they are asked: a run that is cut short has used them up.
    ///
    /// # Errors
    /// Those of the key's file, and `keys_unwritable`.
    pub fn take_rows(&self, bundle: &ClientBundle, wanted: usize) -> Result<usize> {
        let Some(most) = most_rows(bundle) else { return Ok(wanted) };
        let _turn = disk::lock(&self.folder)?;
        let Some(header) = self.header(&bundle.id)? else { return Ok(0) };
        let used = self.rows(&header)?;
        let taken = most.saturating_sub(used).min(u32::try_from(wanted).unwrap_or(u32::MAX));
        if taken > 0 {
            disk::replace(&self.rows_file(&header), (used + taken).to_string().as_bytes())?;
        }
        Ok(taken as usize)
    }

    /// Whether a key was asked about as many rows as it may be.
    pub(super) fn is_used_up(&self, bundle: &ClientBundle, header: &Header) -> Result<bool> {
        most_rows(bundle).map_or(Ok(false), |most| Ok(self.rows(header)? >= most))
    }

    fn rows_file(&self, header: &Header) -> PathBuf {
        self.path(&header.model, &format!("{}.rows", header.serial()))
    }

    fn rows(&self, header: &Header) -> Result<u32> {
        let Some(bytes) = disk::read(&self.rows_file(header), 64)? else { return Ok(0) };
        let count = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
        // One that cannot be read must not give a key its life back.
        Ok(count.unwrap_or(NETWORK_KEY_ROWS))
    }
}

fn most_rows(bundle: &ClientBundle) -> Option<u32> {
    matches!(bundle.spec.circuit, CircuitSpec::Network(_)).then_some(NETWORK_KEY_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::folder;
    use std::path::Path;

    fn bundle(name: &str) -> ClientBundle {
        folder::read_client(&Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model").join(name)).unwrap()
    }

    #[test]
    fn a_networks_key_answers_so_many_rows_and_then_another_takes_its_place() {
        let home = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(Some(&home.path().join("keys"))).unwrap();
        let network = bundle("cnn-digits");
        assert_eq!(keyring.take_rows(&network, 3).unwrap(), 0, "there is no key yet");
        let first = keyring.keys_for(&network).unwrap();
        assert_eq!(keyring.take_rows(&network, 250).unwrap(), 250);
        assert_eq!(keyring.keys_for(&network).unwrap().key_id, first.key_id);
        assert_eq!(keyring.take_rows(&network, 250).unwrap(), 6);
        assert_eq!(keyring.take_rows(&network, 1).unwrap(), 0);
        let second = keyring.keys_for(&network).unwrap();
        assert!(second.key_id != first.key_id && second.fresh && second.renewed.is_some());
        assert_eq!(keyring.take_rows(&network, 1000).unwrap(), NETWORK_KEY_ROWS as usize);
        // Exact circuits answer what they are asked.
        let tree = bundle("tree-spam");
        let own = keyring.keys_for(&tree).unwrap();
        assert_eq!(keyring.take_rows(&tree, 100_000).unwrap(), 100_000);
        assert_eq!(keyring.keys_for(&tree).unwrap().key_id, own.key_id);
    }

    #[test]
    fn a_count_that_cannot_be_read_ends_a_key() {
        let home = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(Some(&home.path().join("keys"))).unwrap();
        let network = bundle("cnn-digits");
        keyring.keys_for(&network).unwrap();
        let header = keyring.header(&network.id).unwrap().unwrap();
        std::fs::write(keyring.rows_file(&header), "many").unwrap();
        assert_eq!(keyring.take_rows(&network, 1).unwrap(), 0);
    }
}
