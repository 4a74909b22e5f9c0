//! Waiting for what another thread or process does.

use std::thread::sleep;
use std::time::Duration;

/// Waits until a condition holds. How long that takes is nobody's promise: the bound of minutes only keeps a server that
/// is broken from hanging the tests.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if condition() {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("this did not happen: {what}");
}
