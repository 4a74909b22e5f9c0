//! Where the time of an inference went, for clients that may know.

use crate::server::inference::EncryptedAnswers;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use fhectl_core::protocol::api::{COMPUTE_HEADER, QUEUE_HEADER};

/// The reply headers that say where the time went, in microseconds, where the operator wants them. Without jitter of a
/// network, computing tells how large a model is.
pub(super) fn timings(wanted: bool, answers: &EncryptedAnswers) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if wanted {
        for (name, time) in [(QUEUE_HEADER, answers.queued), (COMPUTE_HEADER, answers.computed)] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(time.as_micros() as u64));
        }
    }
    headers
}
