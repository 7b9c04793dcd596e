//! The frames of `greenroom.v1`: text to frame, frame to text.
//!
//! **Invariant:** a frame is read whole or refused with a reason; nothing in it is guessed.
//! **Invariant:** `tests/golden/frames.json` holds every frame in both directions.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::json;
use serde_json::value::RawValue;

use crate::domain::analysis::TimedWord;
use crate::domain::id::{ConnectionId, PersonId, QuestionId};
use crate::domain::limit;
use crate::domain::number::Milli;
use crate::domain::refusal::{Code, FieldError, Refusal};
use crate::domain::text;

/// The subprotocol's name.
pub const SUBPROTOCOL: &str = "greenroom.v1";

/// What a client sends after its `hello`.
#[derive(Debug)]
pub enum ClientFrame {
    /// A durable act under a client-chosen id.
    Act {
        /// The id; the same one again writes nothing twice.
        id: String,
        /// What.
        wish: Wish,
    },
    /// Text that is still being typed or spoken.
    Partial {
        /// On which question.
        question_id: Option<QuestionId>,
        /// All of it so far.
        text: String,
    },
    /// WebRTC signalling to one member.
    Signal {
        /// To whom.
        to: PersonId,
        /// Whatever the two browsers agree on.
        data: Box<RawValue>,
    },
    /// How much help this connection wants: 1 to 3.
    Set {
        /// How much.
        assist_intensity: u8,
    },
    /// Asks for a `pong` with the same content.
    Ping {
        /// The content.
        at: Box<RawValue>,
    },
}

/// What a durable frame asks for, before ids and an analysis are added to it.
#[derive(Debug)]
pub enum Wish {
    /// Begin.
    Start,
    /// End.
    Finish,
    /// Put a question.
    Ask {
        /// Its words.
        text: String,
    },
    /// Say something.
    Say {
        /// On which question.
        question_id: Option<QuestionId>,
        /// The words.
        text: String,
        /// When each was said.
        words: Option<Vec<TimedWord>>,
    },
    /// Close an answer.
    Answer {
        /// To which question.
        question_id: QuestionId,
        /// The answer; `None`: what was said since the question.
        text: Option<String>,
        /// When each word was said.
        words: Option<Vec<TimedWord>>,
        /// How long it took.
        duration_s: Option<Milli>,
    },
    /// Keep a note.
    Note {
        /// The note.
        text: String,
        /// On which question.
        question_id: Option<QuestionId>,
    },
}

/// The first frame of a connection.
#[derive(Debug)]
pub struct Hello {
    /// The single-use ticket.
    pub ticket: String,
    /// The last event that the client has; `None`: only new ones are wanted.
    pub after: Option<u64>,
}

/// A frame that was refused, with its id where it had a usable one.
#[derive(Debug)]
pub struct BadFrame {
    /// The frame's id.
    pub id: Option<String>,
    /// Why.
    pub refusal: Refusal,
}

/// How a connection ends: `bye` and a close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bye {
    /// The node stops.
    Draining,
    /// Another node leads, or nobody.
    LeaderChanged,
    /// The reader takes too little.
    SlowReader,
    /// Too many sockets of one person in one room.
    TooManySockets,
    /// The ticket is used, expired or invented.
    TicketInvalid,
    /// No longer a member.
    Removed,
    /// The login ended.
    SessionEnded,
    /// The interview is over.
    RoomFinished,
}

impl Bye {
    /// The code in the `bye` frame.
    pub const fn code(self) -> &'static str {
        match self {
            Bye::Draining => "draining",
            Bye::LeaderChanged => "leader_changed",
            Bye::SlowReader => "slow_reader",
            Bye::TooManySockets => "too_many_sockets",
            Bye::TicketInvalid => "ticket_invalid",
            Bye::Removed => "removed",
            Bye::SessionEnded => "session_ended",
            Bye::RoomFinished => "room_finished",
        }
    }

    /// The WebSocket close code.
    pub const fn close_code(self) -> u16 {
        match self {
            Bye::Draining | Bye::LeaderChanged => 1012,
            Bye::SlowReader | Bye::TooManySockets => 1013,
            Bye::TicketInvalid | Bye::Removed | Bye::SessionEnded => 1008,
            Bye::RoomFinished => 1000,
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Bye::Draining => "this node is stopping; come back with your last seq",
            Bye::LeaderChanged => "another node leads now; come back with your last seq",
            Bye::SlowReader => "this connection took too little; come back with your last seq",
            Bye::TooManySockets => "you have this room open too often; close another tab",
            Bye::TicketInvalid => "the ticket was used, has expired or never was; get a new one",
            Bye::Removed => "you are no longer a member of this interview",
            Bye::SessionEnded => "your login has ended; sign in again",
            Bye::RoomFinished => "the interview is over",
        }
    }
}

/// Close codes of our own, beside those of RFC 6455.
pub mod close {
    /// Three bad frames.
    pub const BAD_FRAMES: u16 = 4400;
    /// No `hello` in time.
    pub const NO_HELLO: u16 = 4408;
    /// Too fast for too long.
    pub const TOO_FAST: u16 = 4429;
    /// The first frame was not a `hello`.
    pub const POLICY: u16 = 1008;
    /// Not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// Over the frame limit.
    pub const TOO_BIG: u16 = 1009;
}

/// Reads the first frame.
pub fn hello(text: &str) -> Result<Hello, BadFrame> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fields {
        #[serde(rename = "type")]
        _type: IgnoredAny,
        ticket: String,
        #[serde(default)]
        after: Option<u64>,
    }
    match kind(text)?.as_str() {
        "hello" => {
            let Fields { ticket, after, .. } = fields(text)?;
            Ok(Hello { ticket, after })
        }
        other => Err(bad(None, format!("the first frame must be `hello`, not `{other}`"))),
    }
}

/// Reads a frame after `hello`; the second part is the frame's type for counting.
pub fn read(text: &str) -> Result<(ClientFrame, &'static str), BadFrame> {
    let kind = kind(text)?;
    let frame = match kind.as_str() {
        "start" => (act(text, |_: Nothing| Ok(Wish::Start))?, "start"),
        "finish" => (act(text, |_: Nothing| Ok(Wish::Finish))?, "finish"),
        "ask" => (act(text, Ask::wish)?, "ask"),
        "say" => (act(text, Say::wish)?, "say"),
        "answer" => (act(text, Answer::wish)?, "answer"),
        "note" => (act(text, Note::wish)?, "note"),
        "partial" => {
            let Partial { question_id, text, .. } = fields(text)?;
            let text = prose_or_empty("text", &text, limit::ANSWER_BYTES_MAX).map_err(invalid)?;
            (ClientFrame::Partial { question_id, text }, "partial")
        }
        "signal" => {
            let Signal { to, data, .. } = fields(text)?;
            (ClientFrame::Signal { to, data }, "signal")
        }
        "set" => {
            let Set { assist_intensity, .. } = fields(text)?;
            if !(1..=3).contains(&assist_intensity) {
                return Err(invalid(text::wrong("assist_intensity", "must be 1, 2 or 3")));
            }
            (ClientFrame::Set { assist_intensity }, "set")
        }
        "ping" => {
            let Ping { at, .. } = fields(text)?;
            (ClientFrame::Ping { at }, "ping")
        }
        "hello" => return Err(bad(None, "`hello` was said before".to_owned())),
        other => {
            let known = "ask, say, answer, partial, note, start, finish, signal, set and ping";
            let shown: String = other.chars().take(40).collect();
            return Err(bad(None, format!("unknown type `{shown}`; there are {known}")));
        }
    };
    Ok(frame)
}

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
pub fn limits() -> serde_json::Value {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {
    #[serde(rename = "type")]
    _type: IgnoredAny,
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    #[serde(rename = "type")]
    _type: IgnoredAny,
    id: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Say {
    #[serde(rename = "type")]
    _type: IgnoredAny,
    id: String,
    #[serde(default)]
    question_id: Option<QuestionId>,
    text: String,
    #[serde(default)]
    words: Option<Vec<TimedWord>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    #[serde(rename = "type")]
    _type: IgnoredAny,
    id: String,
    question_id: QuestionId,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    words: Option<Vec<TimedWord>>,
    #[serde(default)]
    duration_s: Option<Milli>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    #[serde(rename = "type")]
    _type: IgnoredAny,
    id: String,
    text: String,
    #[serde(default)]
    question_id: Option<QuestionId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Partial {
    #[serde(rename = "type")]
    _type: IgnoredAny,
    text: String,
    #[serde(default)]
    question_id: Option<QuestionId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signal {
    #[serde(rename = "type")]
    _type: IgnoredAny,
    to: PersonId,
    data: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    #[serde(rename = "type")]
    _type: IgnoredAny,
    assist_intensity: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ping {
    #[serde(rename = "type")]
    _type: IgnoredAny,
    at: Box<RawValue>,
}

trait HasId {
    fn id(&self) -> &str;
}

macro_rules! has_id {
    ($($name:ident),*) => {$(impl HasId for $name {
        fn id(&self) -> &str {
            &self.id
        }
    })*};
}

has_id!(Nothing, Ask, Say, Answer, Note);

impl Ask {
    fn wish(self) -> Result<Wish, FieldError> {
        Ok(Wish::Ask { text: text::prose("text", &self.text, limit::QUESTION_BYTES_MAX)? })
    }
}

impl Say {
    fn wish(self) -> Result<Wish, FieldError> {
        let text = text::prose("text", &self.text, limit::ANSWER_BYTES_MAX)?;
        let words = check_words(self.words)?;
        Ok(Wish::Say { question_id: self.question_id, text, words })
    }
}

impl Answer {
    fn wish(self) -> Result<Wish, FieldError> {
        let text = self
            .text
            .map(|text| text::prose("text", &text, limit::ANSWER_BYTES_MAX))
            .transpose()?;
        let words = check_words(self.words)?;
        let duration_s = check_duration(self.duration_s)?;
        Ok(Wish::Answer { question_id: self.question_id, text, words, duration_s })
    }
}

impl Note {
    fn wish(self) -> Result<Wish, FieldError> {
        let text = text::prose("text", &self.text, limit::NOTE_BYTES_MAX)?;
        Ok(Wish::Note { text, question_id: self.question_id })
    }
}

/// Word timings in order and within reason.
pub fn check_words(words: Option<Vec<TimedWord>>) -> Result<Option<Vec<TimedWord>>, FieldError> {
    let Some(list) = &words else { return Ok(None) };
    if list.len() > limit::WORDS_MAX {
        return Err(text::wrong("words", format!("at most {} words", limit::WORDS_MAX)));
    }
    for (n, TimedWord(_, start, end)) in list.iter().enumerate() {
        if *start < Milli::ZERO || end < start {
            let detail = "each word needs a start of at least 0 and an end not before it";
            return Err(text::wrong(&format!("words[{n}]"), detail));
        }
    }
    Ok(words)
}

/// A duration that an answer can have: up to a day.
pub fn check_duration(duration_s: Option<Milli>) -> Result<Option<Milli>, FieldError> {
    match duration_s {
        Some(d) if d < Milli::ZERO || d > Milli::whole(86_400) => {
            Err(text::wrong("duration_s", "must be between 0 and 86400 seconds"))
        }
        duration_s => Ok(duration_s),
    }
}

fn act<T: DeserializeOwned + HasId>(
    text: &str,
    wish: impl FnOnce(T) -> Result<Wish, FieldError>,
) -> Result<ClientFrame, BadFrame> {
    let fields: T = fields(text)?;
    let id = text::key("id", fields.id(), limit::CLIENT_ID_CHARS_MAX).map_err(invalid)?;
    match wish(fields) {
        Ok(wish) => Ok(ClientFrame::Act { id, wish }),
        Err(error) => Err(BadFrame { id: Some(id), refusal: Refusal::fields(vec![error]) }),
    }
}

fn kind(text: &str) -> Result<String, BadFrame> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    if !text.trim_start().starts_with('{') {
        return Err(bad(None, "a frame is one JSON object".to_owned()));
    }
    let kind: Kind = fields(text)?;
    Ok(kind.kind)
}

fn fields<T: DeserializeOwned>(text: &str) -> Result<T, BadFrame> {
    #[derive(Deserialize)]
    struct Id {
        id: Option<String>,
    }
    serde_json::from_str(text).map_err(|error| {
        let id = serde_json::from_str::<Id>(text).ok().and_then(|frame| frame.id);
        let id = id.filter(|id| text::key("id", id, limit::CLIENT_ID_CHARS_MAX).is_ok());
        bad(id, error.to_string())
    })
}

fn prose_or_empty(field: &str, text: &str, bytes_max: usize) -> Result<String, FieldError> {
    text::optional_prose(field, text, bytes_max)
}

fn bad(id: Option<String>, detail: String) -> BadFrame {
    BadFrame { id, refusal: Refusal::new(Code::FrameBad, detail) }
}

fn invalid(error: FieldError) -> BadFrame {
    BadFrame { id: None, refusal: Refusal::fields(vec![error]) }
}
