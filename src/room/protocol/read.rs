//! Text to frame: each type has its fields and no others.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{BadFrame, ClientFrame, Hello, Wish};
use crate::domain::analysis::TimedWord;
use crate::domain::id::{PersonId, QuestionId};
use crate::domain::limit;
use crate::domain::number::Milli;
use crate::domain::refusal::{Code, FieldError, Refusal};
use crate::domain::text;

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
        "skip" => {
            (act(text, |skip: Skip| Ok(Wish::Skip { question_id: skip.question_id }))?, "skip")
        }
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
            can_be_passed_on(text)?;
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
            can_be_passed_on(text)?;
            (ClientFrame::Ping { at }, "ping")
        }
        "hello" => return Err(bad(None, "`hello` was said before".to_owned())),
        other => {
            let known =
                "ask, skip, say, answer, partial, note, start, finish, signal, set and ping";
            let shown: String = other.chars().take(40).collect();
            return Err(bad(None, format!("unknown type `{shown}`; there are {known}")));
        }
    };
    Ok(frame)
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
struct Skip {
    #[serde(rename = "type")]
    _type: IgnoredAny,
    id: String,
    question_id: QuestionId,
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

has_id!(Nothing, Skip, Ask, Say, Answer, Note);

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

pub(super) fn kind(text: &str) -> Result<String, BadFrame> {
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

pub(super) fn fields<T: DeserializeOwned>(text: &str) -> Result<T, BadFrame> {
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

/// Raw values are only skimmed, and are then sent to somebody else: a lone surrogate, a number out
/// of range or nesting without end must not get to a reader that is stricter than the skimming.
fn can_be_passed_on(text: &str) -> Result<(), BadFrame> {
    fields::<Value>(text).map(|_| ())
}

fn prose_or_empty(field: &str, text: &str, bytes_max: usize) -> Result<String, FieldError> {
    text::optional_prose(field, text, bytes_max)
}

fn bad(id: Option<String>, detail: String) -> BadFrame {
    // An error quotes names from the frame; a refusal is not to be as long as what it refuses.
    let detail: String = detail.chars().take(limit::REFUSAL_CHARS_MAX).collect();
    BadFrame { id, refusal: Refusal::new(Code::FrameBad, detail) }
}

fn invalid(error: FieldError) -> BadFrame {
    BadFrame { id: None, refusal: Refusal::fields(vec![error]) }
}
