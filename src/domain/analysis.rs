//! What the engine says about one answer: the nouns of section 5 of the contract.
//!
//! The engine (`insight`) fills these, commands carry them, events and reports show them. A stored
//! analysis is never recomputed: it names the calibration that made it.
//!
//! **Invariant:** every offset counts Unicode code points into the answer, `from < to <= length`.
//! **Invariant:** `baseline + sum(points) == score`, exactly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::number::Milli;

/// The names that every result carries, in the order in which people read them.
pub const SIGNAL_NAMES: [&str; 11] = [
    "structure",
    "ownership",
    "quantified_evidence",
    "specificity",
    "trade_off",
    "causal",
    "relevance",
    "filler_rate",
    "words_per_minute",
    "pause_share",
    "length_words",
];

/// Which weights made a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibrationId {
    /// The version's name, for instance `core-1`.
    pub version: String,
    /// SHA-256 of the calibration's canonical form, as 64 hexadecimal digits.
    pub sha256: String,
}

/// Whether there was enough to say a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A score was given.
    Scored,
    /// Too short, gibberish or broken: signals are given, a score is not.
    Insufficient,
}

/// Words of the answer that a rule points at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// First code point.
    pub from: u32,
    /// One past the last code point.
    pub to: u32,
    /// The rule's stable id, for instance `ownership.first_person_action`.
    pub rule: String,
}

/// One measured property of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The value on the signal's own scale; `None` where there was too little to say.
    pub value: Option<Milli>,
    /// The words behind it.
    pub evidence: Vec<Evidence>,
    /// The anchor that the value meets, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
    /// What would reach the next anchor, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The part that a sentence plays in a told story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Star {
    /// Where and when it happened.
    Situation,
    /// What had to be done.
    Task,
    /// What was done.
    Action,
    /// What came of it.
    Result,
    /// What was learned.
    Reflection,
    /// None of these.
    Other,
}

/// One sentence of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// First code point.
    pub from: u32,
    /// One past the last code point.
    pub to: u32,
    /// Its part in the story.
    pub star: Star,
    /// Codes of what makes it weak, for instance `vague`.
    pub weak: Vec<String>,
}

/// How much one signal adds to or takes from the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driver {
    /// The signal's name.
    pub signal: String,
    /// Points, positive or negative.
    pub points: Milli,
}

/// Whether the question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredLabel {
    /// The question was answered.
    Clear,
    /// A part of it was, or it was talked around.
    Partial,
    /// The speaker declined to answer.
    Declined,
}

/// The judgement on whether the question was answered, with the words it rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// `None` without a question.
    pub label: Option<AnsweredLabel>,
    /// Focus terms of the question that the answer takes up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub met: Vec<String>,
    /// Focus terms that it leaves out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<String>,
}

/// How much a conflict matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a question.
    Minor,
    /// Worth clearing up before anything rests on it.
    Material,
}

/// One side of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// `answer`, `cv`, or `earlier` with `index`.
    pub source: String,
    /// Which of the earlier answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// The words.
    pub text: String,
    /// First code point in its source.
    pub from: u32,
    /// One past the last code point in its source.
    pub to: u32,
}

/// What became of a conflict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictState {
    /// Nothing was said about it.
    #[default]
    Open,
    /// The speaker said how both can be.
    Explained,
    /// The speaker took one side back.
    Resolved,
}

/// Two statements that do not fit together; the wording is always "please reconcile".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The earlier statement.
    pub a: Quote,
    /// The later one.
    pub b: Quote,
    /// The rule's stable id.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// What became of it.
    #[serde(default)]
    pub state: ConflictState,
    /// What to ask about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
}

/// Something that the speaker could do better, tied to words where possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// Stable code.
    pub code: String,
    /// The advice.
    pub text: String,
    /// First code point, where the hint is about certain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// One past the last code point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
}

/// Everything that the engine says about one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    /// Whether a score was given.
    pub status: Status,
    /// 0 to 100, or `None` with [`Status::Insufficient`].
    pub score: Option<Milli>,
    /// The score of an answer whose every signal stands at its reference value.
    pub baseline: Milli,
    /// The weights that were used.
    pub calibration: CalibrationId,
    /// By name; the fixed names are always there.
    pub signals: BTreeMap<String, Signal>,
    /// In reading order.
    pub sentences: Vec<Sentence>,
    /// What moved the score; empty with [`Status::Insufficient`].
    pub drivers: Vec<Driver>,
    /// Whether the question was answered.
    pub answered: Answered,
    /// Statements that do not fit together.
    pub conflicts: Vec<Conflict>,
    /// What to do better.
    pub hints: Vec<Hint>,
    /// Why there is no score, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insufficient_because: Option<String>,
}

/// Word with its start and end in seconds: `["word", 0.12, 0.40]` on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedWord(pub String, pub Milli, pub Milli);
