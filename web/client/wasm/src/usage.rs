//! How long a stored key is used.

use fhectl_core::client::policy::{self, NETWORK_KEY_BITS, RETIRE_AFTER};
use wasm_bindgen::prelude::*;

/// Why another key must take the place of one: `failures`, `told` or `age`; `undefined` where it may be used.
///
/// `told` and `failures` are what is counted against it, `age` is in seconds, and so is `max_age`.
#[wasm_bindgen]
pub fn renewal(told: u32, failures: u32, age: f64, max_age: Option<f64>) -> Option<String> {
    let why = match max_age {
        _ if failures >= RETIRE_AFTER => "failures",
        _ if told >= NETWORK_KEY_BITS => "told",
        Some(most) if age > most => "age",
        _ => return None,
    };
    Some(why.to_owned())
}

/// Takes rows of `bits` bits each from what may be told under a key: how many, and what is told then. See
/// [`policy::take_rows`].
#[wasm_bindgen(js_name = takeRows)]
pub fn take_rows(told: u32, bits: u32, wanted: u32) -> Vec<u32> {
    let (rows, told) = policy::take_rows(told, bits, wanted as usize);
    vec![rows, told]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_used_until_it_failed_told_enough_or_is_too_old() {
        let why = |told, failures, age, most| renewal(told, failures, age, most);
        assert_eq!(why(NETWORK_KEY_BITS - 1, RETIRE_AFTER - 1, 1e9, None), None);
        assert_eq!(why(0, 0, 10.0, Some(10.0)), None);
        assert_eq!(why(0, 0, 10.5, Some(10.0)).as_deref(), Some("age"));
        assert_eq!(why(NETWORK_KEY_BITS, 0, 0.0, None).as_deref(), Some("told"));
        assert_eq!(why(NETWORK_KEY_BITS, RETIRE_AFTER, 0.0, None).as_deref(), Some("failures"));
    }
}
