//! The settings file: `cargo +nightly fuzz run --fuzz-dir tests/fuzz settings`.

#![no_main]

use greenroom::config::settings::Settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Err(error) = Settings::of_text("f.toml", text) else { return };
    assert!(!error.problems.is_empty(), "a refusal has a reason");
    let lines = text.matches('\n').count() + 1;
    for problem in &error.problems {
        assert!(!problem.detail.is_empty() && !problem.place.is_empty());
        assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem:?}");
    }
    assert!(!error.to_string().is_empty());
});
