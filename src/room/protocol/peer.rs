//! What two nodes say to each other around the frames of a client whose socket one of them holds
//! while the other one leads.
//!
//! A tunnel says the client's `hello` and hears first who got the seat. If the leader changes it
//! says `rehello` to the next one, which needs no ticket: it was redeemed, and the word of a node
//! of the same cluster is believed, on its own port only.
//!
//! **Invariant:** neither frame is taken from a client or shown to one.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{BadFrame, Hello, read};
use crate::domain::id::{PersonId, SessionId};
use crate::domain::limit;
use crate::domain::text;
use crate::domain::time::Time;

/// Who sits at the far end of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "seated", tag = "type")]
pub struct Seated {
    /// Who.
    pub person_id: PersonId,
    /// By which login.
    pub session_id: Option<SessionId>,
    /// When what was shown in place of a login ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// The first frame of a tunnel that goes on at another leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "rehello", tag = "type")]
pub struct Rehello {
    /// Who sits at the far end.
    pub person_id: PersonId,
    /// By which login; it must still hold.
    pub session_id: Option<SessionId>,
    /// When what was shown in place of a login ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The last event that was passed on.
    pub after: u64,
}

/// The first frame of a tunnel.
#[derive(Debug)]
pub enum Opening {
    /// Of a client that is new.
    Hello(Hello),
    /// Of a client that was let in before.
    Rehello(Rehello),
}

/// A frame of the leader, as far as a tunnel has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passing {
    /// Who got the seat.
    Seated(Seated),
    /// The room greets.
    Welcome {
        /// The last durable event.
        seq: u64,
        /// The history that `seq` counts in.
        epoch: String,
        /// Whether the events that were asked for could not be given.
        missed: bool,
    },
    /// The event with this place.
    Event(u64),
    /// The answer to the frame with this id.
    Answer(String),
    /// The leader sends its clients away because it leads no longer.
    Moved,
    /// Anything else.
    Other,
}

/// What a tunnel has to keep of a client's frame, in case the leader changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// All of it, until it is answered under this id.
    Act(String),
    /// All of it, until there is a newer one.
    Setting,
    /// Nothing: what is told at once may be lost.
    Nothing,
}

/// Reads the first frame of a tunnel.
pub fn opening(text: &str) -> Result<Opening, BadFrame> {
    match read::kind(text)?.as_str() {
        "rehello" => Ok(Opening::Rehello(read::fields(text)?)),
        _ => Ok(Opening::Hello(read::hello(text)?)),
    }
}

/// `seated` or `rehello` as a frame.
pub fn frame(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("invariant: ids and numbers have a JSON form")
}

/// Reads a frame of the leader.
pub fn passing(text: &str) -> Passing {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
        #[serde(default)]
        seq: Option<u64>,
        #[serde(default, borrow)]
        id: Option<Cow<'a, str>>,
        #[serde(default, borrow)]
        code: Option<Cow<'a, str>>,
        #[serde(default, borrow)]
        epoch: Option<Cow<'a, str>>,
        #[serde(default)]
        missed: bool,
    }
    let Ok(head) = serde_json::from_str::<Head<'_>>(text) else { return Passing::Other };
    match (head.kind.as_ref(), head.seq, head.id) {
        ("event", Some(seq), _) => Passing::Event(seq),
        ("ack" | "refused", _, Some(id)) => Passing::Answer(id.into_owned()),
        ("welcome", Some(seq), _) => {
            let epoch = head.epoch.unwrap_or_default().into_owned();
            Passing::Welcome { seq, epoch, missed: head.missed }
        }
        ("bye", ..) if matches!(head.code.as_deref(), Some("leader_changed" | "draining")) => {
            Passing::Moved
        }
        ("seated", ..) => serde_json::from_str(text).map_or(Passing::Other, Passing::Seated),
        _ => Passing::Other,
    }
}

/// Reads a client's frame. Whether it is a good one is for the leader to say.
pub fn keeping(text: &str) -> Keeping {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
        #[serde(default, borrow)]
        id: Option<Cow<'a, str>>,
    }
    let Ok(head) = serde_json::from_str::<Head<'_>>(text) else { return Keeping::Nothing };
    match (head.kind.as_ref(), head.id) {
        ("set", _) => Keeping::Setting,
        ("start" | "finish" | "ask" | "say" | "answer" | "note", Some(id))
            if text::key("id", &id, limit::CLIENT_ID_CHARS_MAX).is_ok() =>
        {
            Keeping::Act(id.into_owned())
        }
        _ => Keeping::Nothing,
    }
}
