//! `client.zip` and `server.zip` from anywhere, as raw bytes. What gets past the checksums is for `bundle_documents`.
//!
//! Promises: no panic, no more memory than an archive may inflate to, and a refusal by its code.
#![no_main]

use fhectl_core::error::ErrorCode;
use fhectl_core::bundle::{ClientBundle, ServerBundle};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let codes = [ClientBundle::read(bytes).err(), ServerBundle::read(bytes).err()];
    for error in codes.into_iter().flatten() {
        let known = [ErrorCode::BundleInvalid, ErrorCode::BundleFormat, ErrorCode::ModelInvalid, ErrorCode::ParametersInvalid, ErrorCode::NameInvalid];
        assert!(known.contains(&error.code), "{error:?}");
    }
});
