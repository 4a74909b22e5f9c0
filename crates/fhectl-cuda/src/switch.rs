//! A keyswitch by itself, to be compared with the processor's.

use crate::arguments::{Keyswitch, Rows};
use crate::device::Device;
use crate::kernels::KEYSWITCH_SLOTS;
use crate::key::Key;
use crate::slots::slots;
use fhectl_core::error::Result;
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::stride::stride;
use rayon::prelude::*;

impl Device {
    /// Switches ciphertexts to the small key of part `part`: the words of
    /// [`KeyswitchKey::switch`](fhectl_core::fhe::switch::KeyswitchKey::switch). For checks; evaluations do it by themselves.
    ///
    /// # Errors
    /// `key_missing` where the part is no keyswitching key, `device_failed`.
    ///
    /// # Panics
    /// Where the ciphertexts are not under the big key.
    pub fn keyswitch(&self, key: &Key, part: usize, list: &LweList) -> Result<LweList> {
        let key = key.keyswitch(part)?;
        assert_eq!(list.dimension(), key.params.from);
        let to = key.params.to.lwe_dimension();
        let (in_stride, out_stride, count) = (stride(key.params.from), stride(to), list.len());
        let mut out = LweList::zero(count, to);
        if count == 0 {
            return Ok(out);
        }
        let mut rows = vec![0; count * in_stride];
        rows.chunks_mut(in_stride).enumerate().for_each(|(index, row)| {
            row[..=key.params.from].copy_from_slice(list.row(index));
        });
        let mut words = vec![0; count];
        slots(&[count], KEYSWITCH_SLOTS, &mut words);
        let rows = self.resident(&rows)?;
        let words = self.resident(&words)?;
        let keys = self.resident(&[key.rows.pointer()])?;

        let mut lane = self.lane()?;
        let lane = &mut *lane;
        let digits = lane.digits.reserve(count * key.params.from * key.params.levels as usize, &lane.stream)?;
        let small = Rows { pointer: lane.small.reserve(count * out_stride, &lane.stream)?, stride: out_stride };
        let keyswitch = Keyswitch {
            params: &key.params,
            count,
            rows: Rows { pointer: rows.pointer(), stride: in_stride },
            digits,
            out: small,
            keys: keys.pointer(),
            key_stride: out_stride,
            key_of: words.pointer(),
            slots: words.pointer() + 4 * count as u64,
            blocks: count.div_ceil(KEYSWITCH_SLOTS),
        };
        self.kernels.keyswitch(&lane.stream, &keyswitch, &self.limits)?;
        if let Some(buffer) = lane.small.buffer() {
            lane.answers.receive(buffer, count * out_stride, &lane.stream)?;
        }
        // Also waits for what reads the buffers that end here.
        let words = lane.answers.wait(count * out_stride)?;
        out.rows_mut().zip(words.par_chunks(out_stride)).for_each(|(out, row)| out.copy_from_slice(&row[..out.len()]));
        Ok(out)
    }
}
