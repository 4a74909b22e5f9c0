//! Layers on this machine's processor.

use super::GlweShape;
use super::backend::{Backend, Group};
use super::layer::{Layer, LookUp};
use super::list::LweList;
use super::part::{PartParams, split_parts};
use super::pbs::BootstrapKey;
use super::random::Random;
use super::seeded::GlweList;
use super::switch::KeyswitchKey;
use super::zeros::Zeros;
use crate::error::{Error, ErrorCode, Result};
use std::sync::Arc;

/// The threads of the current rayon pool.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu;

/// The parts of an evaluation key, unpacked for the processor.
pub struct CpuKey(Vec<CpuPart>);

enum CpuPart {
    Bootstrap(Box<BootstrapKey>),
    Keyswitch(KeyswitchKey),
}

impl CpuKey {
    /// As [`Backend::load_key`].
    ///
    /// # Errors
    /// `ciphertext_invalid` where the bytes do not have the layouts.
    pub fn unpack(parts: &[PartParams], wire: &[u8], mut shuffle: Option<&mut Random>) -> Result<Self> {
        let unpacked = split_parts(parts, wire).map(|(part, bytes)| match part {
            PartParams::Bootstrap(params) => {
                Ok(CpuPart::Bootstrap(Box::new(BootstrapKey::unpack(params, bytes, shuffle.as_deref_mut())?)))
            }
            PartParams::Keyswitch(params) => Ok(CpuPart::Keyswitch(KeyswitchKey::unpack(params, bytes)?)),
        });
        Ok(Self(unpacked.collect::<Result<_>>()?))
    }

    /// Whether rows go through no part.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bootstrap key that is part `index`.
    ///
    /// # Errors
    /// `key_missing` where it is none: the key is another circuit's.
    pub fn bootstrap(&self, index: usize) -> Result<&BootstrapKey> {
        match self.0.get(index) {
            Some(CpuPart::Bootstrap(key)) => Ok(key),
            _ => Err(Error::new(ErrorCode::KeyMissing, format!("part {index} of the key is no bootstrap key"))),
        }
    }

    /// The keyswitching key that is part `index`.
    ///
    /// # Errors
    /// `key_missing` where it is none: the key is another circuit's.
    pub fn keyswitch(&self, index: usize) -> Result<&KeyswitchKey> {
        match self.0.get(index) {
            Some(CpuPart::Keyswitch(key)) => Ok(key),
            _ => Err(Error::new(ErrorCode::KeyMissing, format!("part {index} of the key is no keyswitching key"))),
        }
    }

    /// A layer's look-ups of its sums, those of one row after those of another. Their noise is new each time with `zeros`.
    /// Sums of a wide layer are hundreds of megabytes: they go as soon as they were switched.
    ///
    /// # Errors
    /// `key_missing` where the key is another circuit's.
    pub fn look_up(&self, look_up: &LookUp, sums: LweList, each: usize, zeros: Option<&Zeros<'_>>) -> Result<LweList> {
        let table = |index: usize| look_up.table(index % each);
        let bootstrap = self.bootstrap(look_up.bootstrap)?;
        let inputs = match look_up.keyswitch {
            Some(part) => {
                let switched = self.keyswitch(part)?.switch(&sums);
                drop(sums);
                switched
            }
            None => sums,
        };
        Ok(bootstrap.look_up(&inputs, table, zeros))
    }

    /// Fresh inputs through every part, each bootstrap with the same table and with zeros that `zeros` makes for it.
    pub fn look_up_through_all<'z>(
        &self,
        inputs: LweList,
        table: &[u64],
        mut zeros: impl FnMut() -> Option<Zeros<'z>>,
    ) -> LweList {
        self.0.iter().fold(inputs, |values, part| match part {
            CpuPart::Keyswitch(key) => key.switch(&values),
            CpuPart::Bootstrap(key) => key.look_up(&values, |_| table, zeros().as_ref()),
        })
    }
}

impl Backend for Cpu {
    type Program = Arc<[Layer]>;
    type Key = CpuKey;

    fn supports(&self, _: &[PartParams], _: &[Layer]) -> bool {
        true
    }

    fn load_program(&self, layers: &Arc<[Layer]>) -> Result<Self::Program> {
        Ok(layers.clone())
    }

    fn key_bytes(&self, parts: &[PartParams], _: Option<GlweShape>) -> usize {
        parts.iter().map(PartParams::unpacked_bytes).fold(0, usize::saturating_add)
    }

    /// Encryptions of zero bring their public key along: none is read here.
    fn load_key(
        &self,
        parts: &[PartParams],
        _: Option<GlweShape>,
        wire: &[u8],
        shuffle: Option<&mut Random>,
    ) -> Result<CpuKey> {
        CpuKey::unpack(parts, wire, shuffle)
    }

    fn evaluate(&self, layers: &Arc<[Layer]>, groups: &[Group<'_, CpuKey>]) -> Result<Vec<LweList>> {
        groups.iter().map(|group| evaluate(layers, group.key, &group.rows, &group.zeros)).collect()
    }
}

/// The last layer's sums of rows under one key, which share every pass over it.
///
/// # Errors
/// As [`Backend::evaluate`].
pub fn evaluate(layers: &[Layer], key: &CpuKey, rows: &[GlweList], zeros: &[Zeros<'_>]) -> Result<LweList> {
    let mut values = LweList::concat(rows.iter().map(GlweList::to_list));
    for (index, layer) in layers.iter().enumerate() {
        values = layer.sum(&values, rows.len());
        if let Some(look_up) = &layer.look_up {
            values = key.look_up(look_up, values, layer.sums.len(), zeros.get(index))?;
        }
    }
    Ok(values)
}
