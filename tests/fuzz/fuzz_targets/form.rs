//! Uploads: forms with a file, and text files:
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz form`.
//!
//! The first line of an input is the content type, the rest is the body.

#![no_main]

use bytes::Bytes;
use futures_util::FutureExt;
use greenroom::http::cv;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (head, body) = bytes.split_at(end);
    let Ok(content_type) = std::str::from_utf8(head) else { return };
    let body = Bytes::copy_from_slice(body.get(1..).unwrap_or_default());
    match cv::sort(content_type, body).now_or_never().expect("the whole body is there") {
        Ok((disposition, _)) => {
            let harmless = disposition.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            assert!(harmless, "a header: {disposition:?}");
        }
        Err(status) => assert!(matches!(status, 400 | 413 | 415 | 422), "{status}"),
    }
});
