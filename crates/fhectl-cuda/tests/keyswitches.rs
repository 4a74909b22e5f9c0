//! Keyswitches on a device are the processor's, word for word.

mod support;

use fhectl_core::fhe::backend::Backend;
use fhectl_core::fhe::keyswitch::KeyswitchParams;
use fhectl_core::fhe::list::LweList;
use fhectl_core::fhe::part::PartParams;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::switch::KeyswitchKey;
use fhectl_core::fhe::{GlweSecret, GlweShape, encrypt};
use rayon::prelude::*;
use support::{device, random};

#[test]
fn keyswitches_are_the_processors_word_for_word() {
    let Some(device) = device() else { return };
    let mut random = random(1);
    let shapes = [
        (2048, GlweShape::new(25, 32), 3, 5, 18, 3),
        (1536, GlweShape::new(19, 32), 8, 2, 64, 66),
        (512, GlweShape::new(1, 64), 1, 7, 33, 1),
    ];
    for (from, to, base_log, levels, key_bits, count) in shapes {
        let params = KeyswitchParams { from, to, base_log, levels, key_bits };
        let big = GlweSecret::generate(GlweShape::new(from / 512, 512), &mut OsEntropy);
        let small = GlweSecret::generate(to, &mut OsEntropy);
        let wire = encrypt::keyswitch_key(&params, &big, &small, &mut OsEntropy);
        let mut list = LweList::zero(count, from);
        for row in list.rows_mut().collect::<Vec<_>>().into_iter() {
            row.iter_mut().for_each(|word| *word = random.word() as u32);
        }
        let want = KeyswitchKey::unpack(&params, &wire).unwrap().switch(&list);
        let key = device.load_key(&[PartParams::Keyswitch(params)], None, &wire, None).unwrap();
        assert_eq!(device.keyswitch(&key, 0, &list).unwrap(), want, "{params:?}");
    }
}
