//! Over sockets: practices, resuming, repeating, refusing, leaving, live interviews.

mod admission;
mod bad_frames;
mod endings;
mod faults;
mod hostile;
mod lifecycle;
mod live;
mod model;
mod practice;
mod repeats;
mod resume;
mod rights;
mod stress;

use serde_json::{Value, json};

/// Something said, under this id.
fn say(id: &str, text: &str) -> Value {
    json!({"type": "say", "id": id, "text": text})
}

/// An answer to a question, under this id.
fn answer(id: &str, question: &str, text: &str) -> Value {
    json!({"type": "answer", "id": id, "question_id": question, "text": text})
}

/// A frame with an id only.
fn bare(kind: &str, id: &str) -> Value {
    json!({"type": kind, "id": id})
}
