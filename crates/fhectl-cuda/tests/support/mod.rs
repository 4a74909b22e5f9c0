//! What the tests share: a device, keys, and layers that show what a device computed.
#![allow(dead_code, clippy::print_stdout)]

use fhectl_core::fhe::backend::{Backend, Group};
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::encrypt;
use fhectl_core::fhe::keyswitch::KeyswitchParams;
use fhectl_core::fhe::layer::{Layer, LookUp};
use fhectl_core::fhe::list::{LweList, Term};
use fhectl_core::fhe::part::PartParams;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::rerandomize::Rerandomizer;
use fhectl_core::fhe::{GlweList, GlweSecret, GlweShape, Random, Seed, SeededLayout};
use fhectl_cuda::{Device, Key};
use std::sync::Arc;

/// The first device; nothing, and why, where there is none. `scripts/check_cuda.sh` has one for every machine.
pub fn device() -> Option<Device> {
    match Device::open(0) {
        Ok(device) => Some(device),
        Err(error) => {
            println!("skipped: {error}; {}", error.hint.as_deref().unwrap_or_default());
            assert!(std::env::var_os("FHECTL_CUDA_REQUIRED").is_none(), "a device was required");
            None
        }
    }
}

pub fn random(seed: u8) -> Random {
    Random::new(Seed([seed; 16]))
}

/// A row of ciphertexts of uniform words: any phases, all alike likely.
pub fn uniform_row(dimension: usize, inputs: usize, random: &mut Random) -> GlweList {
    let layout = SeededLayout { shape: GlweShape::small(dimension), bodies: inputs, bits: 64 };
    let bytes: Vec<u8> = (0..layout.wire_len()).map(|_| random.word() as u8).collect();
    layout.expand(&bytes).unwrap()
}

/// Each of `count` values as it is.
pub fn identity(count: usize) -> Layer {
    let sums = (0..count as u32).map(|input| vec![Term { input, weight: 1 }]).collect();
    Layer { sums, constants: vec![0; count], look_up: None }
}

/// Each of `count` values through a bootstrap, and nothing else.
pub fn bootstraps(count: usize, look_up: LookUp) -> Arc<[Layer]> {
    Arc::new([Layer { look_up: Some(look_up), ..identity(count) }, identity(count)])
}

/// A client's secrets with the keys of a bootstrap, and of a keyswitch before it where `from` says so.
pub struct Client {
    pub params: BootstrapParams,
    pub small: GlweSecret,
    pub big: GlweSecret,
    pub parts: Vec<PartParams>,
    pub wire: Vec<u8>,
    /// Of the big key.
    pub public: Vec<u8>,
}

impl Client {
    pub fn new(params: BootstrapParams, keyswitch: Option<KeyswitchParams>) -> Self {
        let shape = keyswitch.map_or(GlweShape::small(params.lwe_dimension), |keyswitch| keyswitch.to);
        let small = GlweSecret::generate(shape, &mut OsEntropy);
        let big = GlweSecret::generate(params.output, &mut OsEntropy);
        let mut parts = vec![PartParams::Bootstrap(params)];
        let mut wire = encrypt::bootstrap_key(&params, &small, &big, &mut OsEntropy);
        if let Some(keyswitch) = keyswitch {
            parts.push(PartParams::Keyswitch(keyswitch));
            wire.extend(encrypt::keyswitch_key(&keyswitch, &big, &small, &mut OsEntropy));
        }
        let public = encrypt::public_key(&big, &mut OsEntropy);
        Self { params, small, big, parts, wire, public }
    }

    pub fn load(&self, device: &Device, shuffle: Option<&mut Random>) -> Key {
        device.load_key(&self.parts, None, &self.wire, shuffle).unwrap()
    }

    /// With the public key, for encryptions of zero.
    pub fn load_all(&self, device: &Device, shuffle: Option<&mut Random>) -> Key {
        let wire = [self.wire.as_slice(), &self.public].concat();
        device.load_key(&self.parts, Some(self.big.shape()), &wire, shuffle).unwrap()
    }

    /// The public key on the processor.
    pub fn rerandomizer(&self) -> Rerandomizer {
        Rerandomizer::unpack(self.big.shape(), &self.public).unwrap()
    }
}

/// A group without encryptions of zero.
pub fn group<'a, K>(key: &'a K, rows: &[GlweList]) -> Group<'a, K> {
    Group { key, rows: rows.to_vec(), zeros: Vec::new() }
}

/// All words of ciphertexts that count.
pub fn words(list: &LweList) -> Vec<&[u32]> {
    (0..list.len()).map(|index| list.row(index)).collect()
}
