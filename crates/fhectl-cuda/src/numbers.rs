//! What a piece's launches read beside rows: where keys are, and which ciphertext has which key and table.

use crate::device::Device;
use crate::driver::DeviceBuffer;
use crate::kernels::KEYSWITCH_SLOTS;
use crate::key::Key;
use crate::plan::{Piece, Plan, StageLookUp};
use crate::slots::slots;
use crate::variant::BlockShape;
use crate::zeros;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::backend::Group;

/// A piece's numbers, layer by layer.
pub(crate) struct Numbers {
    /// Nothing for a layer without look-ups.
    pub layers: Vec<Option<LookUpNumbers>>,
}

/// Of a layer's look-ups. Addresses on the device; as they are made, places in what will be uploaded.
#[derive(Clone, Copy)]
pub(crate) struct LookUpNumbers {
    pub shape: BlockShape,
    pub key_of: u64,
    pub table_of: u64,
    pub slots: u64,
    /// Blocks of slots.
    pub blocks: usize,
    pub keyswitch_slots: u64,
    pub keyswitch_blocks: usize,
    pub bootstrap_keys: u64,
    pub orders: u64,
    pub keyswitch_keys: u64,
    /// Where there are encryptions of zero.
    pub zeros: Option<ZeroNumbers>,
}

/// Of a layer's encryptions of zero, as [`LookUpNumbers`].
#[derive(Clone, Copy)]
pub(crate) struct ZeroNumbers {
    /// Public keys; null of a group that has no zeros.
    pub keys: u64,
    /// The number of the seed and the index, of each look-up.
    pub numbers: u64,
}

impl Numbers {
    /// The numbers, the words that they are places in, and the addresses of keys.
    ///
    /// # Errors
    /// `key_missing`; `device_failed` where the device has no kernel of the variant that was asked for.
    pub fn new(
        device: &Device,
        plan: &Plan<'_>,
        groups: &[Group<'_, Key>],
        piece: &Piece,
    ) -> Result<(Self, Vec<u32>, Vec<u64>)> {
        let (mut words, mut pointers) = (Vec::new(), Vec::new());
        let keys: Vec<&Key> = piece.groups().iter().map(|(group, _)| groups[*group].key).collect();
        let mut layers = Vec::with_capacity(plan.stages.len());
        for (layer, stage) in plan.stages.iter().enumerate() {
            let of_keys: Vec<usize> = piece.groups().iter().map(|(_, rows)| rows * stage.layer.outputs).collect();
            let (words, pointers) = (&mut words, &mut pointers);
            let of_layer = stage.look_up.as_ref().map(|look_up| {
                let builder = Builder { device, look_up, of_keys: &of_keys, each: stage.layer.outputs, keys: &keys };
                let of_zeros = zeros::numbers(layer, groups, piece, stage.layer.outputs)?;
                let mut numbers = builder.build(words, pointers)?;
                if !of_zeros.is_empty() {
                    numbers.zeros = Some(ZeroNumbers { keys: pointers.len() as u64, numbers: words.len() as u64 });
                    words.extend(of_zeros);
                    for (group, _) in piece.groups() {
                        let group = &groups[group];
                        let has_zeros = group.zeros.len() > layer;
                        let key = has_zeros.then(|| group.key.public(look_up.bootstrap.output)).transpose()?;
                        pointers.push(key.map_or(0, DeviceBuffer::pointer));
                    }
                }
                Ok::<_, Error>(numbers)
            });
            layers.push(of_layer.transpose()?);
        }
        Ok((Self { layers }, words, pointers))
    }

    /// The same with addresses, once words and pointers are on the device.
    pub fn at(mut self, words: u64, pointers: u64) -> Self {
        for layer in self.layers.iter_mut().flatten() {
            for place in [&mut layer.key_of, &mut layer.table_of, &mut layer.slots, &mut layer.keyswitch_slots] {
                *place = words + 4 * *place;
            }
            for place in [&mut layer.bootstrap_keys, &mut layer.orders, &mut layer.keyswitch_keys] {
                *place = pointers + 8 * *place;
            }
            if let Some(zeros) = &mut layer.zeros {
                zeros.keys = pointers + 8 * zeros.keys;
                zeros.numbers = words + 4 * zeros.numbers;
            }
        }
        self
    }
}

/// What a layer's numbers are made of.
struct Builder<'a> {
    device: &'a Device,
    look_up: &'a StageLookUp<'a>,
    /// Look-ups of each key.
    of_keys: &'a [usize],
    /// Look-ups of each row.
    each: usize,
    keys: &'a [&'a Key],
}

impl Builder<'_> {
    fn build(&self, words: &mut Vec<u32>, pointers: &mut Vec<u64>) -> Result<LookUpNumbers> {
        let params = &self.look_up.bootstrap;
        let sizes = [params.output.dimension + 1, params.levels as usize];
        let shape =
            self.device.limits.choose(sizes, self.of_keys, self.device.forced).ok_or_else(|| {
                Error::new(ErrorCode::DeviceFailed, format!("there is no such kernel for {params:?}"))
            })?;
        let count: usize = self.of_keys.iter().sum();

        let key_of = words.len();
        let keys = self.of_keys.iter().zip(0..);
        words.extend(keys.flat_map(|(count, key)| std::iter::repeat_n(key, *count)));
        let table_of = words.len();
        words.extend((0..count).map(|number| (number % self.each % self.look_up.loaded.count) as u32));
        let of_bootstraps = words.len();
        slots(self.of_keys, shape.ciphertexts, words);
        let of_keyswitches = words.len();
        if self.look_up.keyswitch.is_some() {
            slots(self.of_keys, KEYSWITCH_SLOTS, words);
        }

        let bootstrap_keys = pointers.len();
        for key in self.keys {
            pointers.push(key.bootstrap(self.look_up.loaded.bootstrap)?.fourier.pointer());
        }
        let orders = pointers.len();
        for key in self.keys {
            pointers.push(key.bootstrap(self.look_up.loaded.bootstrap)?.order.pointer());
        }
        let keyswitch_keys = pointers.len();
        if let Some(part) = self.look_up.loaded.keyswitch {
            for key in self.keys {
                pointers.push(key.keyswitch(part)?.rows.pointer());
            }
        }
        Ok(LookUpNumbers {
            shape,
            key_of: key_of as u64,
            table_of: table_of as u64,
            slots: of_bootstraps as u64,
            blocks: (of_keyswitches - of_bootstraps) / shape.ciphertexts,
            keyswitch_slots: of_keyswitches as u64,
            keyswitch_blocks: (words.len() - of_keyswitches) / KEYSWITCH_SLOTS,
            bootstrap_keys: bootstrap_keys as u64,
            orders: orders as u64,
            keyswitch_keys: keyswitch_keys as u64,
            zeros: None,
        })
    }
}
