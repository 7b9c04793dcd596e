//! The corpus of the fuzzer and thousands of frames bent from it, against the parser itself: it
//! reads a frame whole or refuses it in words, and nothing stops it.

use std::path::Path;

use greenroom::domain::id::PersonId;
use greenroom::domain::limit;
use greenroom::domain::refusal::Code;
use greenroom::room::protocol::{self, BadFrame, ClientFrame, Wish, peer};
use serde_json::{Value, json};

use crate::durability::Chance;

/// Bent frames in one run.
const FRAMES: usize = 6_000;

/// Larger files of the corpus are bent more seldom: it takes long and finds little.
const SMALL_BYTES: usize = 4_096;

/// What a frame may be bent with.
const PIECES: [&[u8]; 22] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b":",
    b"\0",
    b"null",
    b"-1",
    b"1e999",
    b"1.5",
    b"\\ud800",
    b"\\udc00",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\"id\":\"1\"",
    b"\"type\":\"say\"",
    b"\"text\":\"x\"",
    b"\"at\":",
    b"18446744073709551616",
];

/// The files of the corpus by their names, in order.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/frame");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let files = files
        .map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()));
    let mut files: Vec<(String, Vec<u8>)> = files.collect();
    files.sort();
    files
}

/// One or two changes, most of them small, so that some of what comes out is still a frame.
fn bend(chance: &mut Chance, frame: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bent = frame.to_vec();
    for _ in 0..=chance.below(2) {
        let mut place = |bytes: &[u8]| chance.below(bytes.len() as u64 + 1) as usize;
        let (a, b) = (place(&bent), place(&bent));
        let (from, to) = (a.min(b), a.max(b));
        let tail = other[place(other)..].to_vec();
        let to = if chance.below(4) == 0 { to } else { to.min(from + 3) };
        match chance.below(7) {
            0 if from < bent.len() => bent[from] ^= 1 << chance.below(8),
            1 if from < bent.len() => bent[from] = chance.below(256) as u8,
            2 => bent.truncate(to),
            3 => drop(bent.drain(from..to)),
            4 => {
                let twice = bent[from..to].to_vec();
                drop(bent.splice(from..from, twice));
            }
            5 => drop(bent.splice(from.., tail)),
            _ => {
                let piece = PIECES[chance.below(PIECES.len() as u64) as usize];
                drop(bent.splice(from..from, piece.iter().copied()));
            }
        }
    }
    bent
}

/// Reads it in every way in which a text from outside is read; says whether a client's socket would
/// take it, as a first frame or a later one.
fn feed(text: &str) -> bool {
    let _ = (peer::passing(text), peer::keeping(text));
    if let Err(bad) = peer::opening(text) {
        check_refusal(&bad, text);
    }
    let first = protocol::hello(text);
    let later = protocol::read(text);
    match &first {
        Ok(hello) => {
            let again = json!({"type": "hello", "ticket": hello.ticket, "after": hello.after});
            let again = protocol::hello(&again.to_string()).unwrap();
            assert_eq!(format!("{again:?}"), format!("{hello:?}"), "{text:.200}");
        }
        Err(bad) => check_refusal(bad, text),
    }
    match &later {
        Ok((frame, kind)) => {
            check_bounds(frame, text);
            let written = write(frame);
            let (again, kind_again) = protocol::read(&written)
                .unwrap_or_else(|bad| panic!("{written:.200}: {}", bad.refusal));
            assert_eq!(*kind, kind_again);
            assert_eq!(format!("{again:?}"), format!("{frame:?}"), "{text:.200}");
        }
        Err(bad) => check_refusal(bad, text),
    }
    assert!(first.is_err() || later.is_err(), "two meanings: {text:.200}");
    first.is_ok() || later.is_ok()
}

fn check_refusal(bad: &BadFrame, text: &str) {
    let refusal = &bad.refusal;
    assert!(matches!(refusal.code, Code::FrameBad | Code::InputInvalid), "{refusal}: {text:.200}");
    assert!(!refusal.detail.trim().is_empty(), "a reason: {text:.200}");
    let chars = refusal.detail.chars().count();
    assert!(chars <= limit::REFUSAL_CHARS_MAX, "{chars} characters about {text:.200}");
    if let Some(id) = &bad.id {
        assert!((1..=64).contains(&id.chars().count()), "an id that could be used: {text:.200}");
    }
    let told = protocol::refused(bad.id.as_deref(), refusal);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["code"], refusal.code.as_str());
}

/// Nothing over a limit is taken, and what is passed on can be read by whoever gets it.
fn check_bounds(frame: &ClientFrame, text: &str) {
    let (words, bytes_max) = match frame {
        ClientFrame::Act { wish: Wish::Ask { text }, .. } => (text.as_str(), 2_000),
        ClientFrame::Act { wish: Wish::Say { text, .. }, .. } => (text.as_str(), 32_768),
        ClientFrame::Act { wish: Wish::Answer { text, .. }, .. } => {
            (text.as_deref().unwrap_or_default(), 32_768)
        }
        ClientFrame::Act { wish: Wish::Note { text, .. }, .. } => (text.as_str(), 8_192),
        ClientFrame::Partial { text, .. } => (text.as_str(), 32_768),
        _ => ("", 0),
    };
    assert!(words.len() <= bytes_max, "{} bytes: {text:.200}", words.len());
    assert!(!words.contains('\0'), "{text:.200}");
    let by: PersonId = "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a01".parse().unwrap();
    let passed_on = match frame {
        ClientFrame::Act { id, .. } => {
            assert!((1..=64).contains(&id.chars().count()), "{text:.200}");
            assert!(!id.chars().any(char::is_control), "{text:.200}");
            protocol::ack(id, Some(1), None)
        }
        ClientFrame::Partial { question_id, text } => protocol::partial(by, *question_id, text),
        ClientFrame::Signal { data, .. } => protocol::signal(by, data),
        ClientFrame::Ping { at } => protocol::pong(at),
        ClientFrame::Set { assist_intensity } => {
            assert!((1..=3).contains(assist_intensity), "{text:.200}");
            return;
        }
    };
    let read: Result<Value, _> = serde_json::from_str(&passed_on);
    assert!(read.is_ok(), "{read:?} in {passed_on:.200}");
}

/// The text that means this frame.
fn write(frame: &ClientFrame) -> String {
    let value = match frame {
        // What the browsers agree on is kept as its text, so these are not made from a value.
        ClientFrame::Signal { to, data } => {
            return format!(r#"{{"type":"signal","to":"{to}","data":{data}}}"#);
        }
        ClientFrame::Ping { at } => return format!(r#"{{"type":"ping","at":{at}}}"#),
        ClientFrame::Set { assist_intensity } => {
            json!({"type": "set", "assist_intensity": assist_intensity})
        }
        ClientFrame::Partial { question_id, text } => {
            json!({"type": "partial", "question_id": question_id, "text": text})
        }
        ClientFrame::Act { id, wish } => match wish {
            Wish::Start => json!({"type": "start", "id": id}),
            Wish::Finish => json!({"type": "finish", "id": id}),
            Wish::Skip { question_id } => {
                json!({"type": "skip", "id": id, "question_id": question_id})
            }
            Wish::Ask { text } => json!({"type": "ask", "id": id, "text": text}),
            Wish::Say { question_id, text, words } => json!({"type": "say", "id": id,
                "question_id": question_id, "text": text, "words": words}),
            Wish::Answer { question_id, text, words, duration_s } => json!({"type": "answer",
                "id": id, "question_id": question_id, "text": text, "words": words,
                "duration_s": duration_s}),
            Wish::Note { text, question_id } => json!({"type": "note", "id": id,
                "text": text, "question_id": question_id}),
        },
    };
    value.to_string()
}

#[test]
fn the_corpus_is_read_as_its_names_say() {
    let files = corpus();
    assert!(files.len() >= 50, "{} files", files.len());
    for (name, bytes) in &files {
        let good = name.starts_with("good-");
        // Bytes that are no text never get as far as the parser: the socket closes with 1007.
        let taken = std::str::from_utf8(bytes).is_ok_and(feed);
        assert_eq!(taken, good, "{name}");
    }
}

#[test]
fn bent_frames_are_read_whole_or_refused_in_words() {
    let mut chance = Chance::new();
    let (good, bad): (Vec<_>, Vec<_>) =
        corpus().into_iter().partition(|(name, _)| name.starts_with("good-"));
    let bytes = |files: Vec<(String, Vec<u8>)>| files.into_iter().map(|(_, bytes)| bytes);
    let good: Vec<Vec<u8>> = bytes(good).collect();
    let (small, large): (Vec<_>, Vec<_>) = bytes(bad).partition(|bytes| bytes.len() <= SMALL_BYTES);
    let mut taken = 0;
    for n in 0..FRAMES {
        let from = match n % 64 {
            0 => &large,
            n if n % 2 == 0 => &small,
            _ => &good,
        };
        let frame = &from[chance.below(from.len() as u64) as usize];
        let other = &small[chance.below(small.len() as u64) as usize];
        let bent = bend(&mut chance, frame, other);
        taken += usize::from(feed(&String::from_utf8_lossy(&bent)));
    }
    assert!(taken > FRAMES / 100, "some are still frames: {taken}");
    assert!(taken < FRAMES / 2, "most are not: {taken}");
}
