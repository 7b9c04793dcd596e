//! The corpora of the fuzzers under `tests/fuzz`, again: what is named `good-` is taken, what is
//! named `bad-` is refused in words, `any-` may be either, and nothing stops the reader.

use std::path::Path;

use bytes::Bytes;
use futures_util::FutureExt;
use greenroom::auth::outside::{Expected, Keys, peek};
use greenroom::config::settings::Settings;
use greenroom::domain::time::Time;
use greenroom::http::cv;
use greenroom::jobs::document::{self, Kind};
use serde_json::Value;

use crate::durability::Chance;
use crate::node::{greenroom, run};

/// Bent files of each corpus in one run.
const BENT: usize = 3_000;

/// The files of a corpus by their names, in order.
pub(crate) fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let files = files
        .map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()));
    let mut files: Vec<(String, Vec<u8>)> = files.collect();
    files.sort();
    for begin in ["good-", "bad-"] {
        assert!(files.iter().any(|(name, _)| name.starts_with(begin)), "{target}: {begin}");
    }
    files
}

#[track_caller]
fn as_named(name: &str, taken: bool) {
    let fits = match name.split('-').next() {
        Some("good") => taken,
        Some("bad") => !taken,
        Some("any") => true,
        _ => panic!("{name}: a name begins with good-, bad- or any-"),
    };
    assert!(fits, "{name} was {}", if taken { "taken" } else { "refused" });
}

#[test]
fn settings_are_read_whole_or_refused_with_a_line() {
    for (name, bytes) in corpus("settings") {
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        let read = Settings::of_text("f.toml", text);
        if let Err(error) = &read {
            let lines = text.matches('\n').count() + 1;
            assert!(!error.problems.is_empty(), "{name}");
            for problem in &error.problems {
                assert!(!problem.detail.is_empty(), "{name}");
                assert!(problem.line.is_none_or(|line| line <= lines), "{name}: {problem:?}");
            }
        }
        as_named(&name, read.is_ok());
    }
}

#[test]
fn tokens_are_taken_by_the_keys_that_signed_them_only() {
    let all = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 EdDSA HS256 HS384 HS512";
    let all: Vec<String> = all.split(' ').map(str::to_owned).collect();
    let expected = Expected { issuer: "https://id.example.org", audience: "greenroom" };
    let now = Time(1_795_000_000_120);
    for (name, bytes) in corpus("token") {
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        let (set, token) = text.split_once('\n').unwrap_or((text, text));
        let _ = peek(token);
        let taken = match Keys::parse(set, &all) {
            Ok(keys) => keys.verify(token, &expected, now).is_ok(),
            Err(why) => {
                assert!(!why.is_empty(), "{name}: a reason");
                false
            }
        };
        as_named(&name, taken);
    }
}

#[tokio::test]
async fn uploads_are_sorted_or_refused_with_a_status_of_the_callers() {
    for (name, bytes) in corpus("form") {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let Ok(content_type) = std::str::from_utf8(&bytes[..end]) else { continue };
        let body = bytes.get(end + 1..).unwrap_or_default();
        let sorted = cv::sort(content_type, Bytes::copy_from_slice(body)).await;
        if let Err(status) = &sorted {
            assert!(matches!(status, 400 | 413 | 415 | 422), "{name}: {status}");
        }
        as_named(&name, sorted.is_ok());
    }
}

/// By the process that reads strangers' files, with its bounds: whatever a file does to a reader,
/// the process ends, and either says what it read or is told from one that did.
#[test]
fn documents_are_read_refused_or_end_their_own_process() {
    for (name, bytes) in corpus("document") {
        let Some(kind) = Kind::of(&bytes) else {
            as_named(&name, false);
            continue;
        };
        let output = run(greenroom().args([document::COMMAND, kind.as_str()]), &bytes);
        let said: Option<Value> = serde_json::from_slice(&output.stdout).ok();
        let said = said.filter(|_| output.status.success()).unwrap_or_default();
        if let Some(why) = said.get("Err") {
            assert!(!why.as_str().unwrap().is_empty(), "{name}: a reason");
        }
        as_named(&name, said.get("Ok").is_some());
    }
}

/// A file with one to three small changes, or with the end of another one.
fn bend(chance: &mut Chance, file: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bent = file.to_vec();
    for _ in 0..=chance.below(2) {
        let at = chance.below(bent.len() as u64 + 1) as usize;
        let to = bent.len().min(at + chance.below(8) as usize);
        match chance.below(6) {
            0 if at < bent.len() => bent[at] ^= 1 << chance.below(8),
            1 if at < bent.len() => bent[at] = chance.below(256) as u8,
            2 => drop(bent.drain(at..to)),
            3 => drop(bent.splice(at..at, bent[at..to].to_vec())),
            4 => bent.truncate(at),
            _ => {
                let from = chance.below(other.len() as u64 + 1) as usize;
                drop(bent.splice(at.., other[from..].iter().copied()));
            }
        }
    }
    bent
}

/// Gives bent files of a corpus to a reader; says how many it took.
fn bent(target: &str, reader: impl Fn(&[u8]) -> bool) -> usize {
    let mut chance = Chance::new();
    let files: Vec<Vec<u8>> = corpus(target)
        .into_iter()
        .map(|(_, bytes)| bytes)
        .filter(|bytes| bytes.len() < 8_192)
        .collect();
    let mut some = || chance.below(files.len() as u64) as usize;
    let pairs: Vec<(usize, usize)> = (0..BENT).map(|_| (some(), some())).collect();
    let mut taken = 0;
    for (file, other) in pairs {
        taken += usize::from(reader(&bend(&mut chance, &files[file], &files[other])));
    }
    taken
}

#[test]
fn bent_files_stop_no_reader() {
    let taken = bent("settings", |bytes| {
        Settings::of_text("f.toml", &String::from_utf8_lossy(bytes)).is_ok()
    });
    assert!((BENT / 50..BENT / 2).contains(&taken), "settings: {taken}");
    let hs256 = ["HS256".to_owned(), "RS256".to_owned(), "ES256".to_owned(), "EdDSA".to_owned()];
    let expected = Expected { issuer: "https://id.example.org", audience: "greenroom" };
    let taken = bent("token", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (set, token) = text.split_once('\n').unwrap_or((&text, &text));
        let now = Time(1_795_000_000_120);
        Keys::parse(set, &hs256).is_ok_and(|keys| keys.verify(token, &expected, now).is_ok())
    });
    assert!(taken < BENT / 4, "a bent token is seldom taken: {taken}");
    let taken = bent("form", |bytes| {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let Ok(content_type) = std::str::from_utf8(&bytes[..end]) else { return false };
        let body = Bytes::copy_from_slice(bytes.get(end + 1..).unwrap_or_default());
        let sorted = cv::sort(content_type, body).now_or_never().expect("the whole body is there");
        assert!(sorted.is_ok() || matches!(sorted, Err(400 | 413 | 415 | 422)), "{sorted:?}");
        sorted.is_ok()
    });
    assert!((BENT / 50..BENT).contains(&taken), "forms: {taken}");
    let taken = bent("document", |bytes| {
        // The PDF reader is not ours; it is asked in a process of its own, above.
        Kind::of(bytes) == Some(Kind::Docx) && document::text_of(Kind::Docx, bytes).is_ok()
    });
    assert!((1..BENT / 2).contains(&taken), "documents: {taken}");
}
