//! An interview: its kind, its life, its members, its questions.
//!
//! ```text
//! scheduled ──┐
//!             ├─ start ─▶ live ── finish, lapse ─▶ finished
//! lobby ──────┘            │
//!    └── cancel, lapse ────┴──── cancel ────────▶ cancelled
//! ```
//!
//! Nothing leads out of `finished` and `cancelled`. `lapse` is the product's own move, for an
//! interview that everybody has forgotten: see `crate::jobs::lapse`. Every other move is refused by
//! its name in `super::room`.

use serde::{Deserialize, Serialize};

use super::id::{AnswerId, InterviewId, PersonId, QuestionId};
use super::time::Time;

/// Practice and hiring are separate domains of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody alone with the engine; nobody else can see it.
    Practice,
    /// People with people; the engine keeps silent until the scorecards are in.
    Live,
}

impl Kind {
    /// As it stands in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Practice => "practice",
            Kind::Live => "live",
        }
    }
}

/// Where an interview stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Planned for a moment.
    Scheduled,
    /// Open, not begun.
    Lobby,
    /// Begun.
    Live,
    /// Ended by its owner.
    Finished,
    /// Called off.
    Cancelled,
}

impl State {
    /// As it stands in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Scheduled => "scheduled",
            State::Lobby => "lobby",
            State::Live => "live",
            State::Finished => "finished",
            State::Cancelled => "cancelled",
        }
    }

    /// Whether nothing can happen any more.
    pub const fn is_over(self) -> bool {
        matches!(self, State::Finished | State::Cancelled)
    }
}

/// What a member does in an interview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Answers.
    Candidate,
    /// Asks and notes.
    Interviewer,
    /// Reads.
    Observer,
}

impl Part {
    /// As it stands in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Part::Candidate => "candidate",
            Part::Interviewer => "interviewer",
            Part::Observer => "observer",
        }
    }
}

/// A question of an interview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Which.
    pub id: QuestionId,
    /// What is asked.
    pub text: String,
    /// The kit's competency behind it.
    pub competency: Option<String>,
    /// Words that an answer is about, from the kit.
    pub focus: Vec<String>,
    /// The event that asked it.
    pub asked_seq: Option<u64>,
    /// The answer that closed it.
    pub answer_id: Option<AnswerId>,
    /// The event that left it without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped_seq: Option<u64>,
}

/// Why a question of a practice was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// The rule that chose it.
    pub rule: String,
    /// The reason in words.
    pub text: String,
    /// The question whose answer it follows up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<QuestionId>,
}

/// Where a question stands.
///
/// ```text
/// planned ── ask ─▶ asked ── first words ─▶ answering ── answer ─▶ analysed
///                     └───────── skip ──────────┴─────▶ skipped
/// ```
///
/// `answering` is seen by those who are there and is not stored: no rule hangs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Not asked yet.
    Planned,
    /// Asked; nobody has said anything.
    Asked,
    /// Somebody has begun to answer.
    Answering,
    /// Answered; in a practice the engine has said what it sees.
    Analysed,
    /// Left without an answer.
    Skipped,
}

impl Question {
    /// Where it stands; `begun` says whether somebody has said something to it.
    pub fn turn(&self, begun: bool) -> Turn {
        match (self.asked_seq, self.answer_id, self.skipped_seq) {
            (None, ..) => Turn::Planned,
            (_, Some(_), _) => Turn::Analysed,
            (_, _, Some(_)) => Turn::Skipped,
            _ if begun => Turn::Answering,
            _ => Turn::Asked,
        }
    }
}

/// A member of an interview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub person: PersonId,
    /// As what.
    pub part: Part,
}

/// What never changes about an interview once it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Which.
    pub id: InterviewId,
    /// Whose.
    pub owner: PersonId,
    /// Practice or live.
    pub kind: Kind,
    /// What people call it.
    pub title: String,
    /// The role that it is about.
    pub role: Option<String>,
    /// The calibration mode.
    pub mode: Option<String>,
    /// The kit that the questions came from.
    pub kit_id: Option<String>,
    /// Whether the next question is asked by itself.
    pub auto_ask: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it is planned for.
    pub scheduled_at: Option<Time>,
}
