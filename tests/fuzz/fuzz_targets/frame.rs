//! Frames for as long as one likes: `cargo +nightly fuzz run --fuzz-dir tests/fuzz frame`.
//!
//! What has to hold of a frame that is taken is asked in `tests/it/rooms/hostile.rs`, which reads
//! the same corpus. A find goes into the corpus as `good-…` or `bad-…`.

#![no_main]

use greenroom::domain::limit;
use greenroom::room::protocol::{self, BadFrame, ClientFrame, peer};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (peer::passing(text), peer::keeping(text));
    if let Err(bad) = peer::opening(text) {
        check(&bad);
    }
    if let Err(bad) = protocol::hello(text) {
        check(&bad);
    }
    match protocol::read(text) {
        Ok((ClientFrame::Ping { at }, _)) => {
            let pong: Result<Value, _> = serde_json::from_str(&protocol::pong(&at));
            assert!(pong.is_ok(), "what comes back can be read");
        }
        Ok(_) => {}
        Err(bad) => check(&bad),
    }
});

fn check(bad: &BadFrame) {
    assert!(!bad.refusal.detail.trim().is_empty(), "a reason");
    assert!(bad.refusal.detail.chars().count() <= limit::REFUSAL_CHARS_MAX, "a short one");
}
