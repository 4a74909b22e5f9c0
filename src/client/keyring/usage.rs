//! How much was told of the answers under a key.

use super::{Keyring, OpenedKeys, disk};
use fhectl_core::client::key_file::KeyFileHeader;
use fhectl_core::client::policy::{NETWORK_KEY_BITS, rows_left, take_rows};
use fhectl_core::client::{ClientModel, Detail};
use fhectl_core::error::Result;
use std::path::PathBuf;

impl Keyring {
    /// Takes up to `wanted` of the rows that may still be asked under these keys; 0 where there are none, and
    /// [`Keyring::keys_for`] gives others. Exact circuits have no limit: what they give does not depend on the key.
    ///
    /// They are counted on the disk before they are asked: a run that is cut short has used them up.
    ///
    /// # Errors
    /// Those of the key's file, and `keys_unwritable`.
    pub fn take_rows(&self, model: &ClientModel, keys: &OpenedKeys, wanted: usize, detail: Detail) -> Result<usize> {
        let Some(bits) = model.disclosed_bits(detail)? else { return Ok(wanted) };
        let _turn = disk::lock(&self.folder)?;
        let Some((header, used)) = self.used(model, keys)? else { return Ok(0) };
        let (rows, used) = take_rows(used, bits, wanted);
        disk::replace(&self.counter_of_told(&header), used.to_string().as_bytes())?;
        Ok(rows as usize)
    }

    /// As [`Keyring::take_rows`], all of them or none, and says which. For clients that cannot go on under another key.
    ///
    /// # Errors
    /// As [`Keyring::take_rows`].
    pub fn take_all_rows(&self, model: &ClientModel, keys: &OpenedKeys, rows: usize, detail: Detail) -> Result<bool> {
        let Some(bits) = model.disclosed_bits(detail)? else { return Ok(true) };
        let _turn = disk::lock(&self.folder)?;
        let Some((header, used)) = self.used(model, keys)? else { return Ok(false) };
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        if rows > rows_left(used, bits) {
            return Ok(false);
        }
        let used = used.saturating_add(rows.saturating_mul(bits));
        disk::replace(&self.counter_of_told(&header), used.to_string().as_bytes())?;
        Ok(true)
    }

    /// The rows that may still be asked under these keys. Takes none.
    ///
    /// # Errors
    /// Those of the key's file.
    pub fn rows_left(&self, model: &ClientModel, keys: &OpenedKeys, detail: Detail) -> Result<usize> {
        let Some(bits) = model.disclosed_bits(detail)? else { return Ok(usize::MAX) };
        Ok(self.used(model, keys)?.map_or(0, |(_, used)| rows_left(used, bits) as usize))
    }

    /// What was told of answers under these keys; `None` where others have taken their place since they were read.
    fn used(&self, model: &ClientModel, keys: &OpenedKeys) -> Result<Option<(KeyFileHeader, u32)>> {
        let header = self.header(model.id())?.filter(|header| header.serial == keys.serial);
        let Some(header) = header else { return Ok(None) };
        let told = self.told(&header)?;
        Ok(Some((header, told)))
    }

    /// Whether nothing more may be told of answers under a key.
    pub(super) fn is_used_up(&self, header: &KeyFileHeader) -> Result<bool> {
        Ok(self.told(header)? >= NETWORK_KEY_BITS)
    }

    fn counter_of_told(&self, header: &KeyFileHeader) -> PathBuf {
        self.path(&header.model, &format!("{}.told", header.serial_hex()))
    }

    fn told(&self, header: &KeyFileHeader) -> Result<u32> {
        let Some(bytes) = disk::read(&self.counter_of_told(header), 64)? else { return Ok(0) };
        let count = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
        // One that cannot be read must not give a key its life back.
        Ok(count.unwrap_or(NETWORK_KEY_BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::bundle::folder;
    use fhectl_core::client::policy::FAILURE_LOG2;
    use std::path::Path;

    fn model(name: &str) -> ClientModel {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model").join(name);
        ClientModel::accept(folder::read_client(&path).unwrap(), FAILURE_LOG2).unwrap()
    }

    #[test]
    fn so_much_is_told_under_a_networks_key_and_then_another_takes_its_place() {
        let home = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(Some(&home.path().join("keys"))).unwrap();
        let network = model("cnn-digits");
        let first = keyring.keys_for(&network).unwrap();
        // One of ten classes is four bits.
        assert_eq!(keyring.take_rows(&network, &first, 60, Detail::Prediction).unwrap(), 60);
        assert_eq!(keyring.keys_for(&network).unwrap().keys.key_id(), first.keys.key_id());
        assert_eq!(keyring.take_rows(&network, &first, 250, Detail::Prediction).unwrap(), 4);
        assert_eq!(keyring.take_rows(&network, &first, 1, Detail::Prediction).unwrap(), 0);
        let second = keyring.keys_for(&network).unwrap();
        assert!(second.keys.key_id() != first.keys.key_id() && second.fresh && second.renewed.is_some());
        // Ten scores of nine bits: two rows, and what is left is given up.
        assert_eq!(keyring.take_rows(&network, &second, 100, Detail::Scores).unwrap(), 2);
        assert_eq!(keyring.take_rows(&network, &second, 100, Detail::Scores).unwrap(), 0);
        let third = keyring.keys_for(&network).unwrap();
        assert_ne!(third.keys.key_id(), second.keys.key_id());
        // A process that still has the one before gets nothing more for it.
        assert_eq!(keyring.take_rows(&network, &second, 1, Detail::Prediction).unwrap(), 0);
        assert_eq!(keyring.take_rows(&network, &third, 1, Detail::Prediction).unwrap(), 1);
        // Exact circuits answer what they are asked.
        let tree = model("tree-spam");
        let own = keyring.keys_for(&tree).unwrap();
        assert_eq!(keyring.take_rows(&tree, &own, 100_000, Detail::Scores).unwrap(), 100_000);
        assert_eq!(keyring.keys_for(&tree).unwrap().keys.key_id(), own.keys.key_id());
    }

    #[test]
    fn all_rows_are_taken_or_none() {
        let home = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(Some(&home.path().join("keys"))).unwrap();
        let network = model("cnn-digits");
        let keys = keyring.keys_for(&network).unwrap();
        let take = |rows| keyring.take_all_rows(&network, &keys, rows, Detail::Prediction).unwrap();
        let left = || keyring.rows_left(&network, &keys, Detail::Prediction).unwrap();
        // One of ten classes is four bits.
        assert_eq!((left(), take(65), left()), (64, false, 64));
        assert_eq!((take(40), left()), (true, 24));
        assert_eq!((take(40), left()), (false, 24));
        assert!(!keyring.are_retired(network.id(), &keys).unwrap());
        assert_eq!((take(24), left(), take(1)), (true, 0, false));
        assert!(keyring.are_retired(network.id(), &keys).unwrap());
        let tree = model("tree-spam");
        let own = keyring.keys_for(&tree).unwrap();
        assert!(keyring.take_all_rows(&tree, &own, 100_000, Detail::Scores).unwrap());
        assert_eq!(keyring.rows_left(&tree, &own, Detail::Scores).unwrap(), usize::MAX);
    }

    #[test]
    fn a_count_that_cannot_be_read_ends_a_key() {
        let home = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(Some(&home.path().join("keys"))).unwrap();
        let network = model("cnn-digits");
        let keys = keyring.keys_for(&network).unwrap();
        let header = keyring.header(network.id()).unwrap().unwrap();
        std::fs::write(keyring.counter_of_told(&header), "many").unwrap();
        assert_eq!(keyring.take_rows(&network, &keys, 1, Detail::Prediction).unwrap(), 0);
    }
}
