//! XGBoost's files from strangers, as JSON or UBJSON by their first byte after the brace. What is read can be used.
#![no_main]

use fhectl_fuzz::imports::used;
use fhectl_train::import::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if bytes.first() != Some(&b'{') {
        return;
    }
    if let Ok(imported) = read(bytes, "fuzz") {
        used(imported);
    }
});
