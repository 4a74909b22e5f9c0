//! Randomness of the browser, of Node and of Deno.

use fhectl_core::fhe::{Entropy, Seed};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    // The same name in a page, in a worker, in Node and in Deno, also without https. It fills this module's own memory.
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn get_random_values(bytes: &mut [u8]) -> Result<JsValue, JsValue>;
}

/// `crypto.getRandomValues`: every key, mask and noise begins with a seed of it.
pub struct WebEntropy;

impl Entropy for WebEntropy {
    /// # Panics
    /// Where there is no randomness. There is no safe way to go on.
    fn seed(&mut self) -> Seed {
        let mut seed = Seed([0; 16]);
        let filled = get_random_values(&mut seed.0).is_ok();
        assert!(filled && seed.0 != [0; 16], "crypto.getRandomValues gives no randomness; nothing can be encrypted");
        seed
    }
}
