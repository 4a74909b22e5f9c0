//! How much was told of the answers under a key.

use super::file::Header;
use super::{ClientKeys, Keyring, disk};
use fhectl_core::bundle::ClientBundle;
use fhectl_core::error::Result;
use std::path::PathBuf;

/// The bits that may be written down of a network's answers before another key takes the place of the one they are under.
///
/// A network's answers carry noise that follows from the key's bits and from what the server knows, so what is written of
/// them says something of the key: of an honest network a hundredth of the bits (`SECURITY.md` has the figures), of one that
/// was made for it nearly all. A key has 640 bits or so and more; what is left of them has to be enough. A new key costs less
/// than the rows do.
pub const NETWORK_KEY_BITS: u32 = 256;

/// What is written down of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The class, or the number where the output is one.
    Prediction,
    /// All scores.
    Scores,
}

impl Keyring {
    /// Takes up to `wanted` of the rows that may still be asked under these keys; 0 where there are none, and
    /// [`Keyring::keys_for`] gives others. Exact circuits have no limit: what they give does not depend on the key.
    ///
    /// They are counted on the disk before they are asked: a run that is cut short has used them up.
    ///
    /// # Errors
    /// Those of the key's file, and `keys_unwritable`.
    pub fn take_rows(&self, bundle: &ClientBundle, keys: &ClientKeys, wanted: usize, told: Told) -> Result<usize> {
        let Some(bits) = bits_a_row(bundle, told)? else { return Ok(wanted) };
        let _turn = disk::lock(&self.folder)?;
        // Others may have taken their place since they were read.
        let header = self.header(&bundle.id)?.filter(|header| header.serial() == keys.serial);
        let Some(header) = header else { return Ok(0) };
        let used = self.told(&header)?;
        let left = NETWORK_KEY_BITS.saturating_sub(used);
        // A row that tells more than a key may has a key of its own.
        let most = if used == 0 { (left / bits).max(1) } else { left / bits };
        let rows = most.min(u32::try_from(wanted).unwrap_or(u32::MAX));
        // What is left and not enough for a row is given up.
        let used = if rows == 0 { NETWORK_KEY_BITS } else { used.saturating_add(rows.saturating_mul(bits)) };
        disk::replace(&self.counter_of_told(&header), used.to_string().as_bytes())?;
        Ok(rows as usize)
    }

    /// Whether nothing more may be told of answers under a key.
    pub(super) fn is_used_up(&self, header: &Header) -> Result<bool> {
        Ok(self.told(header)? >= NETWORK_KEY_BITS)
    }

    fn counter_of_told(&self, header: &Header) -> PathBuf {
        self.path(&header.model, &format!("{}.told", header.serial()))
    }

    fn told(&self, header: &Header) -> Result<u32> {
        let Some(bytes) = disk::read(&self.counter_of_told(header), 64)? else { return Ok(0) };
        let count = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
        // One that cannot be read must not give a key its life back.
        Ok(count.unwrap_or(NETWORK_KEY_BITS))
    }
}

/// The bits that are written down of a row of a network, at most; `None` for exact circuits.
fn bits_a_row(bundle: &ClientBundle, told: Told) -> Result<Option<u32>> {
    let circuit = &bundle.spec.circuit;
    let Some(levels) = circuit.noisy_score_levels()? else { return Ok(None) };
    let bits_of = |choices: u64| choices.next_power_of_two().ilog2().max(1);
    let of_score = bits_of(levels);
    let classes = bundle.spec.classes.len() as u64;
    Ok(Some(match told {
        Told::Prediction if classes > 0 => bits_of(classes),
        Told::Prediction => of_score,
        Told::Scores => of_score.saturating_mul(u32::try_from(circuit.reading().messages).unwrap_or(u32::MAX)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::bundle::folder;
    use std::path::Path;

    fn bundle(name: &str) -> ClientBundle {
        folder::read_client(&Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model").join(name)).unwrap()
    }

    #[test]
    fn so_much_is_told_under_a_networks_key_and_then_another_takes_its_place() {
        let home = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(Some(&home.path().join("keys"))).unwrap();
        let network = bundle("cnn-digits");
        let first = keyring.keys_for(&network).unwrap();
        // One of ten classes is four bits.
        assert_eq!(keyring.take_rows(&network, &first, 60, Told::Prediction).unwrap(), 60);
        assert_eq!(keyring.keys_for(&network).unwrap().key_id, first.key_id);
        assert_eq!(keyring.take_rows(&network, &first, 250, Told::Prediction).unwrap(), 4);
        assert_eq!(keyring.take_rows(&network, &first, 1, Told::Prediction).unwrap(), 0);
        let second = keyring.keys_for(&network).unwrap();
        assert!(second.key_id != first.key_id && second.fresh && second.renewed.is_some());
        // Ten scores of nine bits: two rows, and what is left is given up.
        assert_eq!(keyring.take_rows(&network, &second, 100, Told::Scores).unwrap(), 2);
        assert_eq!(keyring.take_rows(&network, &second, 100, Told::Scores).unwrap(), 0);
        let third = keyring.keys_for(&network).unwrap();
        assert_ne!(third.key_id, second.key_id);
        // A process that still has the one before gets nothing more for it.
        assert_eq!(keyring.take_rows(&network, &second, 1, Told::Prediction).unwrap(), 0);
        assert_eq!(keyring.take_rows(&network, &third, 1, Told::Prediction).unwrap(), 1);
        // Exact circuits answer what they are asked.
        let tree = bundle("tree-spam");
        let own = keyring.keys_for(&tree).unwrap();
        assert_eq!(keyring.take_rows(&tree, &own, 100_000, Told::Scores).unwrap(), 100_000);
        assert_eq!(keyring.keys_for(&tree).unwrap().key_id, own.key_id);
    }

    #[test]
    fn a_count_that_cannot_be_read_ends_a_key() {
        let home = tempfile::tempdir().unwrap();
        let keyring = Keyring::open(Some(&home.path().join("keys"))).unwrap();
        let network = bundle("cnn-digits");
        let keys = keyring.keys_for(&network).unwrap();
        let header = keyring.header(&network.id).unwrap().unwrap();
        std::fs::write(keyring.counter_of_told(&header), "many").unwrap();
        assert_eq!(keyring.take_rows(&network, &keys, 1, Told::Prediction).unwrap(), 0);
    }
}
