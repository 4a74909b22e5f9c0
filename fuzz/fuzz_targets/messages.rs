//! JSON of either side: the endpoint form's requests, what a server says to a client, `versions.json`.
//!
//! Promises: no panic; a message that is read is read again from what is written of it; what a server refuses with
//! reaches a terminal without control characters.
#![no_main]

use fhectl_core::error::ErrorCode;
use fhectl_core::bundle::folder::Versions;
use fhectl_core::client::conversation::refusal;
use fhectl_core::protocol::api::{ErrorReply, KeyStatus, ModelInfo, ModelList, PartStatus, Sizes, UploadState};
use fhectl_core::protocol::endpoint::{EndpointRequest, SavedKey};
use fhectl_server::server::endpoint_json::{bytes_of, parse};
use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

fuzz_target!(|bytes: &[u8]| {
    match parse(bytes) {
        Ok(request) => {
            assert_eq!(parse(&serde_json::to_vec(&request).unwrap()).as_ref(), Ok(&request));
            let (EndpointRequest::SaveKey { evaluation_keys: inner }
            | EndpointRequest::AppendKey { evaluation_keys: inner, .. }
            | EndpointRequest::Inference { encrypted_inputs: inner, .. }) = request;
            match bytes_of(inner) {
                Ok((inner, _)) => assert!(inner.len() <= bytes.len()),
                Err(error) => assert_eq!(error.code, ErrorCode::JsonInvalid),
            }
        }
        Err(error) => assert_eq!(error.code, ErrorCode::JsonInvalid),
    }
    comes_back::<ModelInfo>(bytes);
    comes_back::<ModelList>(bytes);
    comes_back::<KeyStatus>(bytes);
    comes_back::<PartStatus>(bytes);
    comes_back::<Sizes>(bytes);
    comes_back::<UploadState>(bytes);
    comes_back::<ErrorReply>(bytes);
    comes_back::<SavedKey>(bytes);
    comes_back::<Versions>(bytes);
    let error = refusal("http://server", 400, bytes);
    assert!(
        ![Some(&error.message), error.hint.as_ref()].into_iter().flatten().any(|text| text.contains(char::is_control))
    );
});

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<T>(bytes) {
        assert_eq!(serde_json::from_slice::<T>(&serde_json::to_vec(&message).unwrap()).unwrap(), message);
    }
}
