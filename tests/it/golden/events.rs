//! Every kind of event.

use std::collections::BTreeSet;

use greenroom::domain::analysis::TimedWord;
use greenroom::domain::event::{Event, Happening};
use greenroom::domain::interview::{Because, Part};
use greenroom::domain::number::Milli;
use greenroom::domain::time::Time;

use super::{analysis, id, insufficient, kept_for_ever};

fn happenings() -> Vec<Happening> {
    let words = vec![TimedWord("caf\u{e9}".to_owned(), Milli(120), Milli::whole(1))];
    let answered = |analysis| Happening::Answered {
        answer_id: id(3),
        question_id: id(2),
        text: "I asked.\nThen I chose \u{1f35e}.".to_owned(),
        analysis,
    };
    vec![
        Happening::Started {},
        Happening::Asked {
            question_id: id(2),
            text: "Why \"nights\"?".to_owned(),
            auto: true,
            because: None,
        },
        Happening::Said { question_id: None, text: "Because.".to_owned(), words: None },
        Happening::Said {
            question_id: Some(id(2)),
            text: "caf\u{e9}".to_owned(),
            words: Some(words),
        },
        answered(Some(Box::new(analysis()))),
        answered(Some(Box::new(insufficient()))),
        answered(None),
        Happening::MemberAdded { person_id: id(1), part: Part::Observer },
        Happening::MemberRemoved { person_id: id(1) },
        Happening::Finished {},
        Happening::Cancelled {},
        Happening::ReportReady {},
        Happening::Skipped { question_id: id(2) },
        Happening::Asked {
            question_id: id(4),
            text: "What came of it?".to_owned(),
            auto: false,
            because: Some(Because {
                rule: "probe.result".to_owned(),
                text: "No result.".to_owned(),
                about: Some(id(2)),
            }),
        },
    ]
}

/// The place of a kind. A new kind does not compile here until it has a place, and then lacks a
/// sample.
fn place(what: &Happening) -> usize {
    match what {
        Happening::Started {} => 0,
        Happening::Asked { .. } => 1,
        Happening::Said { .. } => 2,
        Happening::Answered { .. } => 3,
        Happening::MemberAdded { .. } => 4,
        Happening::MemberRemoved { .. } => 5,
        Happening::Finished {} => 6,
        Happening::Cancelled {} => 7,
        Happening::ReportReady {} => 8,
        Happening::Skipped { .. } => 9,
    }
}

#[test]
fn every_event_is_read_as_it_was_written() {
    let happenings = happenings();
    let places: BTreeSet<usize> = happenings.iter().map(place).collect();
    assert!(places.into_iter().eq(0..=9), "one of each kind at least");
    let event = |(n, what): (usize, Happening)| {
        let by = if n % 2 == 0 { Some(id(1)) } else { None };
        Event { seq: n as u64 + 1, at: Time(1_795_000_000_120 + n as i64), by, what }
    };
    let events: Vec<Event> = happenings.into_iter().enumerate().map(event).collect();
    kept_for_ever("events.json", &events);
}
