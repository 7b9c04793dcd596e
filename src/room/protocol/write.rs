//! Frame to text.

use serde_json::json;
use serde_json::value::RawValue;

use super::Bye;
use crate::domain::id::{ConnectionId, PersonId, QuestionId};
use crate::domain::limit;
use crate::domain::refusal::Refusal;

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
fn limits() -> serde_json::Value {
    json!({
        "frame_bytes_max": limit::FRAME_BYTES_MAX,
        "messages_per_s": limit::FRAMES_PER_SECOND,
        "members_max": limit::MEMBERS_MAX,
        "sockets_per_person_max": limit::SOCKETS_PER_PERSON_MAX,
    })
}

/// `welcome`.
pub fn welcome(
    connection: ConnectionId,
    you: serde_json::Value,
    interview: &serde_json::Value,
    seq: u64,
    epoch: &str,
    missed: bool,
) -> String {
    json!({
        "type": "welcome",
        "connection_id": connection,
        "you": you,
        "interview": interview,
        "members": interview["members"],
        "seq": seq,
        "epoch": epoch,
        "limits": limits(),
        "missed": missed,
    })
    .to_string()
}
