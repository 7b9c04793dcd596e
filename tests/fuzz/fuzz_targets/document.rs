//! CVs as PDF and DOCX: `cargo +nightly fuzz run --fuzz-dir tests/fuzz document`.
//!
//! Run it with `-- -rss_limit_mb=1024 -timeout=10`: these are the bounds of the process that reads
//! such files. The PDF reader is not ours and may give up by a panic, which ends that process only
//! and is told as 422; here it is passed over, so that what lies behind it is found too.

#![no_main]

use std::panic::{catch_unwind, set_hook};

use greenroom::domain::limit;
use greenroom::jobs::document::{Kind, text_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: set_hook(Box::new(|_| {})),
    |bytes: &[u8]| {
        let Some(kind) = Kind::of(bytes) else { return };
        let read = match kind {
            Kind::Pdf => match catch_unwind(|| text_of(kind, bytes)) {
                Ok(read) => read,
                Err(_) => return,
            },
            Kind::Docx => text_of(kind, bytes),
        };
        match read {
            Ok(extract) => {
                assert!((1..=limit::CV_BYTES_MAX).contains(&extract.text.len()));
                let typed = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
                assert!(extract.text.chars().all(typed), "{:?}", extract.text);
            }
            Err(why) => assert!(!why.is_empty(), "a reason"),
        }
    }
);
