//! Frame to text.

use serde_json::json;
use serde_json::value::RawValue;

use super::Bye;
use crate::domain::id::{ConnectionId, PersonId, QuestionId};
use crate::domain::interview::Part;
use crate::domain::limit;
use crate::domain::refusal::Refusal;
use crate::insight::coach::Prompt;

/// `ack`, with what was made.
pub fn ack(id: &str, seq: Option<u64>, made: Option<(&'static str, String)>) -> String {
    let mut frame = json!({"type": "ack", "id": id, "seq": seq});
    if let Some((noun, made)) = made {
        frame[noun] = made.into();
    }
    frame.to_string()
}

/// `refused`.
pub fn refused(id: Option<&str>, refusal: &Refusal) -> String {
    let mut frame =
        json!({"type": "refused", "code": refusal.code.as_str(), "detail": refusal.detail});
    if let Some(id) = id {
        frame["id"] = id.into();
    }
    if !refusal.fields.is_empty() {
        frame["errors"] = json!(refusal.fields);
    }
    frame.to_string()
}

/// `bye`.
pub fn bye(why: Bye, retry_after_ms: Option<u64>) -> String {
    let mut frame = json!({"type": "bye", "code": why.code(), "detail": why.detail()});
    if let Some(ms) = retry_after_ms {
        frame["retry_after_ms"] = ms.into();
    }
    frame.to_string()
}

/// `partial`, to the others.
pub fn partial(by: PersonId, question_id: Option<QuestionId>, text: &str) -> String {
    let mut frame = json!({"type": "partial", "by": by, "text": text});
    if let Some(question) = question_id {
        frame["question_id"] = json!(question);
    }
    frame.to_string()
}

/// `hint`, to the speaker alone.
pub fn hint(question_id: Option<QuestionId>, prompt: &Prompt) -> String {
    let mut frame = json!({
        "type": "hint", "code": prompt.code, "rule": prompt.rule, "text": prompt.text,
        "severity": prompt.severity, "priority": prompt.priority,
    });
    if let Some((from, to)) = prompt.place {
        frame["from"] = json!(from);
        frame["to"] = json!(to);
    }
    if let Some(question) = question_id {
        frame["question_id"] = json!(question);
    }
    frame.to_string()
}

/// `signal`, to one member.
pub fn signal(from: PersonId, data: &RawValue) -> String {
    // Put together by hand: what two browsers agree on is passed on byte for byte.
    format!("{{\"type\":\"signal\",\"from\":\"{from}\",\"data\":{}}}", data.get())
}

/// `pong`.
pub fn pong(at: &RawValue) -> String {
    format!("{{\"type\":\"pong\",\"at\":{}}}", at.get())
}

/// The limits that `welcome` tells.
fn limits(frames_per_second: u32) -> serde_json::Value {
    json!({
        "frame_bytes_max": limit::FRAME_BYTES_MAX,
        "messages_per_s": frames_per_second,
        "members_max": limit::MEMBERS_MAX,
        "sockets_per_person_max": limit::SOCKETS_PER_PERSON_MAX,
    })
}

/// What a `welcome` tells.
#[derive(Clone, Copy, Debug)]
pub struct Welcome<'a> {
    /// The connection.
    pub connection: ConnectionId,
    /// Who came in, and as what.
    pub person: PersonId,
    /// As what.
    pub part: Part,
    /// The interview as that person sees it.
    pub interview: &'a serde_json::Value,
    /// The last event.
    pub seq: u64,
    /// Which history the events belong to.
    pub epoch: &'a str,
    /// How fast the socket may send.
    pub frames_per_second: u32,
    /// Whether `after` could not be served.
    pub missed: bool,
}

/// `welcome`.
pub fn welcome(welcome: &Welcome<'_>) -> String {
    json!({
        "type": "welcome",
        "connection_id": welcome.connection,
        "you": {"person_id": welcome.person, "part": welcome.part},
        "interview": welcome.interview,
        "members": welcome.interview["members"],
        "seq": welcome.seq,
        "epoch": welcome.epoch,
        "limits": limits(welcome.frames_per_second),
        "missed": welcome.missed,
    })
    .to_string()
}
