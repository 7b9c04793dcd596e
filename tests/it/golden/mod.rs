//! Forms that are kept for ever: commands and events on disks, frames and the document on wires.
//!
//! A golden file holds the text. The text is read back to the value, and the value prints the text.
//! `BLESS=1` writes the files anew; whether the change may be is for a person to say.

mod backups;
mod commands;
mod events;
mod frames;

use std::path::Path;

use greenroom::domain::analysis::{
    Analysis, Answered, AnsweredLabel, CalibrationId, Conflict, ConflictState, Driver, Evidence,
    Hint, Quote, Sentence, Severity, Signal, Star, Status,
};
use greenroom::domain::number::Milli;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Compares a text with the file of this name.
pub(crate) fn same_as_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let line = kept.lines().zip(text.lines()).position(|(kept, is)| kept != is);
    let line = line.map_or_else(|| "at its end".to_owned(), |n| format!("from line {}", n + 1));
    assert!(kept == text, "{name} differs {line}; BLESS=1 writes it anew");
}

/// Compares values with their stored texts, in both directions.
fn kept_for_ever<T>(name: &str, values: &[T])
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let lines: Vec<Value> = values.iter().map(|v| serde_json::to_value(v).unwrap()).collect();
    same_as_golden(name, &(serde_json::to_string_pretty(&lines).unwrap() + "\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let stored: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (stored, value) in stored.into_iter().zip(values) {
        let read: T = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(&read, value, "{stored} is read as what it was written from");
    }
}

/// An id that ends in this number.
fn id<T: std::str::FromStr>(n: u8) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a{n:02x}").parse().unwrap()
}

/// An analysis in which nothing is left out.
fn analysis() -> Analysis {
    let (from, to) = (0, 4);
    let quote = |source: &str, index| Quote {
        source: source.to_owned(),
        index,
        text: "2019".to_owned(),
        from,
        to,
    };
    let evidence = vec![Evidence { from, to, rule: "ownership.first_person_action".to_owned() }];
    let signal = Signal {
        value: Some(Milli(62_500)),
        evidence,
        anchor: Some("names own acts".to_owned()),
        next: Some("say what you decided".to_owned()),
    };
    Analysis {
        status: Status::Scored,
        score: Some(Milli(53_250)),
        baseline: Milli::whole(50),
        calibration: CalibrationId { version: "core-1".to_owned(), sha256: "0f".repeat(32) },
        signals: [("ownership".to_owned(), signal), ("causal".to_owned(), Signal::default())]
            .into(),
        sentences: vec![Sentence { from, to, star: Star::Action, weak: vec!["vague".to_owned()] }],
        drivers: vec![Driver { signal: "ownership".to_owned(), points: Milli(3_250) }],
        answered: Answered {
            label: Some(AnsweredLabel::Partial),
            met: vec!["shift".to_owned()],
            missed: vec!["night".to_owned()],
        },
        conflicts: vec![Conflict {
            a: quote("earlier", Some(2)),
            b: quote("answer", None),
            rule: "conflict.year".to_owned(),
            severity: Severity::Material,
            state: ConflictState::Explained,
            probe: Some("Who was counted each time?".to_owned()),
        }],
        hints: vec![Hint {
            code: "result".to_owned(),
            text: "Say what came of it.".to_owned(),
            from: Some(from),
            to: Some(to),
        }],
        insufficient_because: None,
    }
}

/// An analysis that gives no score.
fn insufficient() -> Analysis {
    Analysis {
        status: Status::Insufficient,
        score: None,
        drivers: Vec::new(),
        insufficient_because: Some("Words of the answer: 3; at least 20 are needed.".to_owned()),
        ..analysis()
    }
}
