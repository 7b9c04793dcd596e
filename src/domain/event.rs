//! Events: what happened in a room, in order, for ever.
//!
//! **Invariant:** `seq` starts at 1 and has no gap; an event never changes after it was written.
//! **Invariant:** the JSON of every kind is a wire and a storage format: `tests/golden/events.json`
//! holds it.

use serde::{Deserialize, Serialize};

use super::analysis::{Analysis, TimedWord};
use super::id::{AnswerId, PersonId, QuestionId};
use super::interview::{Because, Part};
use super::time::Time;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum Happening {
    /// The owner began.
    #[serde(rename = "interview.started")]
    Started {},
    /// A question was put.
    #[serde(rename = "question.asked")]
    Asked {
        /// Which.
        question_id: QuestionId,
        /// Its words.
        text: String,
        /// Whether the room asked it by itself.
        auto: bool,
        /// Why it was chosen, in a practice that asked for its next question.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Because>,
    },
    /// A question was left without an answer.
    #[serde(rename = "question.skipped")]
    Skipped {
        /// Which.
        question_id: QuestionId,
    },
    /// Somebody said something.
    #[serde(rename = "transcript.final")]
    Said {
        /// On which question.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        question_id: Option<QuestionId>,
        /// The words.
        text: String,
        /// When each was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<Vec<TimedWord>>,
    },
    /// An answer was closed and analysed.
    #[serde(rename = "answer.analysed")]
    Answered {
        /// Which.
        answer_id: AnswerId,
        /// To which question.
        question_id: QuestionId,
        /// The whole answer.
        text: String,
        /// What the engine says; `None` in a live interview, for ever.
        analysis: Option<Box<Analysis>>,
    },
    /// Somebody became a member.
    #[serde(rename = "member.added")]
    MemberAdded {
        /// Who.
        person_id: PersonId,
        /// As what.
        part: Part,
    },
    /// Somebody is a member no longer.
    #[serde(rename = "member.removed")]
    MemberRemoved {
        /// Who.
        person_id: PersonId,
    },
    /// The owner ended it.
    #[serde(rename = "interview.finished")]
    Finished {},
    /// The owner called it off.
    #[serde(rename = "interview.cancelled")]
    Cancelled {},
    /// The report can be read.
    #[serde(rename = "report.ready")]
    ReportReady {},
}

impl Happening {
    /// The kind as it stands on the wire, for counting.
    pub const fn kind(&self) -> &'static str {
        match self {
            Happening::Started {} => "interview.started",
            Happening::Asked { .. } => "question.asked",
            Happening::Skipped { .. } => "question.skipped",
            Happening::Said { .. } => "transcript.final",
            Happening::Answered { .. } => "answer.analysed",
            Happening::MemberAdded { .. } => "member.added",
            Happening::MemberRemoved { .. } => "member.removed",
            Happening::Finished {} => "interview.finished",
            Happening::Cancelled {} => "interview.cancelled",
            Happening::ReportReady {} => "report.ready",
        }
    }
}

/// Something that happened in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the room.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// By whom; `None` where the room did it by itself.
    pub by: Option<PersonId>,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}
