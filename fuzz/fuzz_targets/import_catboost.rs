//! CatBoost's JSON from strangers. What is read can be used.
#![no_main]

use fhectl_fuzz::imports::used;
use fhectl_train::import::catboost;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(imported) = catboost::read(bytes) {
        used(imported);
    }
});
