//! The shapes of the committed models' keys, and clients that have such keys.

use crate::mode::Mode;
use fhectl_core::error::Result;
use fhectl_core::fhe::backend::Backend;
use fhectl_core::fhe::bootstrap::BootstrapParams;
use fhectl_core::fhe::keyswitch::KeyswitchParams;
use fhectl_core::fhe::layer::{Layer, LookUp};
use fhectl_core::fhe::list::Term;
use fhectl_core::fhe::part::PartParams;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::fhe::rerandomize::Rerandomizer;
use fhectl_core::fhe::{GlweList, GlweSecret, GlweShape, Random, SeededLayout, encrypt};
use std::sync::Arc;

/// A bootstrap, and the keyswitch before it.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The model that has it.
    pub name: &'static str,
    pub bootstrap: BootstrapParams,
    pub keyswitch: Option<KeyswitchParams>,
}

/// The shapes of all committed models.
pub fn shapes(mode: Mode) -> Vec<Shape> {
    let bootstrap = |n, k, base_log, key_bits| BootstrapParams {
        lwe_dimension: if mode == Mode::Sanitize { 32 } else { n },
        output: GlweShape::new(k, 512),
        base_log,
        levels: 1,
        key_bits,
    };
    let inner = bootstrap(800, 4, 22, 46);
    let to = GlweShape::small(inner.lwe_dimension);
    let keyswitch = KeyswitchParams { from: 2048, to, base_log: 3, levels: 5, key_bits: 18 };
    vec![
        Shape { name: "mlp-mnist", bootstrap: bootstrap(640, 4, 21, 44), keyswitch: None },
        Shape { name: "cnn-digits", bootstrap: bootstrap(608, 4, 22, 46), keyswitch: None },
        Shape { name: "cnn-mnist, second layer", bootstrap: inner, keyswitch: Some(keyswitch) },
        Shape { name: "tree-spam-leaf-sum", bootstrap: bootstrap(576, 3, 16, 34), keyswitch: None },
    ]
}

/// A client's secrets and its key on the wire.
pub struct Client {
    /// The key of inputs: the small one, or with a keyswitch the big one.
    pub input: GlweSecret,
    pub big: GlweSecret,
    pub parts: Vec<PartParams>,
    pub wire: Vec<u8>,
    /// Where on the wire the public key begins.
    at: usize,
}

impl Client {
    pub fn new(shape: &Shape) -> Self {
        let params = &shape.bootstrap;
        let small = GlweSecret::generate(GlweShape::small(params.lwe_dimension), &mut OsEntropy);
        let big = GlweSecret::generate(params.output, &mut OsEntropy);
        let mut parts = vec![PartParams::Bootstrap(*params)];
        let mut wire = encrypt::bootstrap_key(params, &small, &big, &mut OsEntropy);
        let mut input = small;
        if let Some(keyswitch) = &shape.keyswitch {
            parts.push(PartParams::Keyswitch(*keyswitch));
            wire.extend(encrypt::keyswitch_key(keyswitch, &big, &input, &mut OsEntropy));
            let mut stored = Vec::new();
            big.write(&mut stored);
            input = GlweSecret::read(big.shape(), &stored).expect("a key that was written just now");
        }
        let at = wire.len();
        wire.extend(encrypt::public_key(&big, &mut OsEntropy));
        Self { input, big, parts, wire, at }
    }

    /// Its key on a backend, with the bits in an order of the server's.
    pub fn load<B: Backend>(&self, backend: &B) -> Result<B::Key> {
        let public = Some(self.big.shape());
        backend.load_key(&self.parts, public, &self.wire, Some(&mut Random::fresh(&mut OsEntropy)))
    }

    /// The public key on the processor.
    pub fn rerandomizer(&self) -> Result<Rerandomizer> {
        Rerandomizer::unpack(self.big.shape(), &self.wire[self.at..])
    }

    /// Rows of ciphertexts of uniform words: any phases, all alike likely.
    pub fn uniform_rows(&self, rows: usize, inputs: usize) -> Vec<GlweList> {
        let shape = GlweShape::small(self.input.shape().lwe_dimension());
        let layout = SeededLayout { shape, bodies: inputs, bits: 64 };
        let mut random = Random::fresh(&mut OsEntropy);
        let row = |_| {
            let words = (0..layout.wire_len().div_ceil(8)).flat_map(|_| random.word().to_le_bytes());
            let bytes: Vec<u8> = words.take(layout.wire_len()).collect();
            layout.expand(&bytes).expect("any bytes are ciphertexts")
        };
        (0..rows).map(row).collect()
    }
}

/// Each of `count` values through a bootstrap, and nothing else.
pub fn bootstraps(count: usize, shape: &Shape) -> Arc<[Layer]> {
    let look_up = LookUp { tables: crate::expected::tables(), keyswitch: shape.keyswitch.map(|_| 1), bootstrap: 0 };
    let sums: Vec<Vec<Term>> = (0..count as u32).map(|input| vec![Term { input, weight: 1 }]).collect();
    let constants = vec![0; count];
    Arc::new([
        Layer { sums: sums.clone(), constants: constants.clone(), look_up: Some(look_up) },
        Layer { sums, constants, look_up: None },
    ])
}
