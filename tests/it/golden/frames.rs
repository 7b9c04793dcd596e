//! Every frame of the subprotocol: what a client's text means, and the text that a server sends.

use greenroom::domain::id::PersonId;
use greenroom::domain::interview::Part;
use greenroom::domain::refusal::{Code, Refusal};
use greenroom::insight::coach::{Prompt, Severity};
use greenroom::room::protocol::{self, Bye, Welcome, peer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{id, same_as_golden};

const QUESTION: &str = "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a02";
const PERSON: &str = "019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a01";

/// Client frames, good and bad, as texts. `Q` and `P` stand for a question and a person.
const CLIENT: [&str; 23] = [
    r#"{"type":"start","id":"1"}"#,
    r#"{"type":"finish","id":"1"}"#,
    r#"{"type":"ask","id":"1","text":"Why?"}"#,
    r#"{"type":"say","id":"1","text":"So."}"#,
    r#"{"type":"say","id":"1","text":"So.","question_id":"Q","words":[["So.",0,0.25]]}"#,
    r#"{"type":"answer","id":"1","question_id":"Q"}"#,
    r#"{"type":"answer","id":"1","question_id":"Q","text":"So.","words":[],"duration_s":1.5}"#,
    r#"{"type":"note","id":"1","text":"Calm."}"#,
    r#"{"type":"note","id":"1","text":"Calm.","question_id":"Q"}"#,
    r#"{"type":"partial","text":""}"#,
    r#"{"type":"partial","text":"I me","question_id":"Q"}"#,
    r#"{"type":"signal","to":"P","data":{"sdp":"v=0"}}"#,
    r#"{"type":"set","assist_intensity":3}"#,
    r#"{"type":"ping","at":1795000000120}"#,
    r#"{ "id" : "1" , "type" : "start" }"#,
    r#"{"type":"start"}"#,
    r#"{"type":"start","id":"1","force":true}"#,
    r#"{"type":"ask","id":"1","text":" "}"#,
    r#"{"type":"set","assist_intensity":0}"#,
    r#"{"type":"hello","ticket":"t"}"#,
    r#"{"type":"jump","id":"1"}"#,
    r#"["start"]"#,
    r#"{"type":"say","id":"1","text":"\ud800"}"#,
];

/// First frames.
const FIRST: [&str; 5] = [
    r#"{"type":"hello","ticket":"t"}"#,
    r#"{"type":"hello","ticket":"t","after":0}"#,
    r#"{"type":"hello","ticket":"t","after":-1}"#,
    r#"{"type":"hello"}"#,
    r#"{"type":"ping","at":1}"#,
];

/// First frames of a tunnel from another node.
const FROM_NODES: [&str; 5] = [
    r#"{"type":"rehello","person_id":"P","session_id":"Q","after":7}"#,
    r#"{"type":"rehello","person_id":"P","session_id":null,"after":0}"#,
    r#"{"type":"rehello","person_id":"P","session_id":null}"#,
    r#"{"type":"hello","ticket":"t","after":7}"#,
    r#"{"type":"seated","person_id":"P","session_id":null}"#,
];

/// Frames of a leader as a tunnel reads them.
const TO_TUNNELS: [&str; 9] = [
    r#"{"type":"seated","person_id":"P","session_id":"Q"}"#,
    r#"{"type":"seated","person_id":"P","session_id":null}"#,
    r#"{"type":"welcome","seq":7,"epoch":"e","missed":false,"you":{"person_id":"P"}}"#,
    r#"{"type":"event","seq":7,"kind":"transcript.final","data":{"text":"\"type\":\"ack\""}}"#,
    r#"{"type":"ack","id":"1","seq":null,"note_id":"Q"}"#,
    r#"{"type":"refused","code":"frame.bad","detail":"no"}"#,
    r#"{"type":"bye","code":"leader_changed","detail":"","retry_after_ms":750}"#,
    r#"{"type":"bye","code":"removed","detail":""}"#,
    r#"{"type":"partial","by":"P","text":"I me"}"#,
];

fn filled(text: &str) -> String {
    text.replace("\"Q\"", &format!("\"{QUESTION}\"")).replace("\"P\"", &format!("\"{PERSON}\""))
}

fn meaning(text: &str) -> String {
    match protocol::read(text) {
        Ok((frame, kind)) => format!("{kind}: {frame:?}"),
        Err(bad) => format!("refused, id {:?}: {}", bad.id, bad.refusal),
    }
}

fn first_meaning(text: &str) -> String {
    match protocol::hello(text) {
        Ok(hello) => format!("{hello:?}"),
        Err(bad) => format!("refused, id {:?}: {}", bad.id, bad.refusal),
    }
}

fn opening_meaning(text: &str) -> String {
    match peer::opening(text) {
        Ok(opening) => format!("{opening:?}"),
        Err(bad) => format!("refused, id {:?}: {}", bad.id, bad.refusal),
    }
}

fn passing_meaning(text: &str) -> String {
    format!("{:?}", peer::passing(text))
}

fn keeping_meaning(text: &str) -> String {
    format!("{:?}", peer::keeping(text))
}

fn between_nodes() -> [String; 2] {
    let person_id: PersonId = PERSON.parse().unwrap();
    let session_id = Some(QUESTION.parse().unwrap());
    [
        peer::frame(&peer::Seated { person_id, session_id: None, until: None }),
        peer::frame(&peer::Rehello { person_id, session_id, until: None, after: 7 }),
    ]
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn prompt(place: Option<(u32, u32)>) -> Prompt {
    Prompt {
        code: "ownership.own_part",
        rule: "coach.no_own_action",
        text: "Say which part of this you did yourself.".to_owned(),
        severity: Severity::Medium,
        priority: 3,
        place,
    }
}

fn server() -> Vec<String> {
    let made = |noun| Some((noun, QUESTION.to_owned()));
    let person: PersonId = PERSON.parse().unwrap();
    let plain = Refusal::new(Code::ConflictState, "the interview has not begun");
    let field = Refusal::field("text", "must not be empty");
    let interview = json!({"id": QUESTION, "members": []});
    let mut frames = vec![
        protocol::ack("1", Some(7), None),
        protocol::ack("1", Some(7), made("question_id")),
        protocol::ack("1", Some(7), made("answer_id")),
        protocol::ack("1", None, made("note_id")),
        protocol::refused(Some("1"), &plain),
        protocol::refused(None, &field),
        protocol::partial(person, None, "I me"),
        protocol::partial(person, Some(QUESTION.parse().unwrap()), "I me"),
        protocol::signal(person, &raw(r#"{"sdp": "v=0"}"#)),
        protocol::pong(&raw("1795000000120")),
        protocol::hint(Some(QUESTION.parse().unwrap()), &prompt(Some((3, 9)))),
        protocol::hint(None, &prompt(None)),
        protocol::welcome(&Welcome {
            connection: id(9),
            person,
            part: Part::Candidate,
            interview: &interview,
            seq: 7,
            epoch: PERSON,
            frames_per_second: 50,
            missed: false,
        }),
        protocol::bye(Bye::Draining, Some(750)),
    ];
    frames.extend(byes().map(|bye| protocol::bye(bye, None)));
    frames
}

fn byes() -> impl Iterator<Item = Bye> {
    [
        Bye::Draining,
        Bye::LeaderChanged,
        Bye::SlowReader,
        Bye::TooManySockets,
        Bye::TicketInvalid,
        Bye::Removed,
        Bye::SessionEnded,
        Bye::RoomFinished,
    ]
    .into_iter()
}

#[test]
fn every_frame_means_and_reads_what_it_did_before() {
    let told = |texts: &[&str], meaning: fn(&str) -> String| -> Vec<Value> {
        let texts = texts.iter().map(|text| filled(text));
        texts.map(|text| json!({"means": meaning(&text), "text": text})).collect()
    };
    let closes: Vec<Value> = byes().map(|bye| json!([bye.code(), bye.close_code()])).collect();
    let page = json!({
        "client": told(&CLIENT, meaning),
        "first": told(&FIRST, first_meaning),
        "tunnel": {
            "first": told(&FROM_NODES, opening_meaning),
            "keeps": told(&CLIENT, keeping_meaning),
            "passes": told(&TO_TUNNELS, passing_meaning),
            "says": between_nodes(),
        },
        "server": server(),
        "closes": closes,
    });
    same_as_golden("frames.json", &(serde_json::to_string_pretty(&page).unwrap() + "\n"));
}
