//! Live hints: which one, if any, is given now.

use serde::Serialize;

use super::rules::{RULES, View};
use crate::domain::analysis::Conflict;
use crate::insight::{AnswerInput, Engine};

/// An answer that is still being typed or said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Partial<'a> {
    /// What was asked.
    pub question: Option<&'a str>,
    /// All of the answer so far.
    pub text: &'a str,
    /// The speaker's earlier answers of this practice, oldest first.
    pub earlier: &'a [String],
}

/// A hint that was given on this question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// By which rule.
    pub rule: &'static str,
    /// When, in milliseconds of the caller's clock.
    pub at_ms: u64,
}

/// How much a hint matters to the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Polish.
    Low,
    /// A part of a good answer is missing.
    Medium,
    /// The answer misses its point, or does not fit what was said before.
    High,
}

/// A hint with the rule that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Stable code of the advice, the same as in the hints after an answer where both exist.
    pub code: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// The advice.
    pub text: String,
    /// How much it matters.
    pub severity: Severity,
    /// The lowest of those that apply is given.
    pub priority: u8,
    /// First code point and one past the last of the words that it is about.
    pub place: Option<(u32, u32)>,
}

/// Milliseconds between any two hints, by intensity: somebody who wants little help is left to
/// think, and even much help must not outrun a reader.
const PAUSES_MS: [u64; 3] = [20_000, 12_000, 6_000];

/// How often one rule speaks on one question: a third time it would only nag.
const REPEATS_MAX: usize = 2;

/// The least time between two hints at this intensity, 1 to 3.
pub fn pause_ms(intensity: u8) -> u64 {
    PAUSES_MS[usize::from(intensity.clamp(1, 3)) - 1]
}

/// The hint for this text at this moment, or none. `shown` is what was given on this question.
pub fn next_hint(
    engine: &Engine,
    partial: &Partial<'_>,
    shown: &[Shown],
    intensity: u8,
    now_ms: u64,
) -> Option<Prompt> {
    let since = |at_ms: u64| now_ms.saturating_sub(at_ms);
    let pause = pause_ms(intensity);
    if shown.iter().any(|hint| since(hint.at_ms) < pause) {
        return None;
    }
    let level = usize::from(intensity.clamp(1, 3)) - 1;
    let rests = |rule: &str, cooldown_s: u64| {
        let mut before = shown.iter().filter(|hint| hint.rule == rule);
        before.clone().count() >= REPEATS_MAX
            || before.any(|hint| since(hint.at_ms) < cooldown_s * 1_000)
    };
    let awake: Vec<_> = RULES
        .iter()
        .filter(|rule| rule.words[level].is_some() && !rests(rule.id, rule.cooldown_s))
        .collect();
    // Reading the text is what costs, and mostly nothing is due.
    if awake.is_empty() {
        return None;
    }
    let view = View::new(engine, partial);
    let due = awake.into_iter().filter_map(|rule| {
        let words_min = rule.words[level]?;
        let found = if view.words() < words_min { None } else { (rule.finds)(&view) };
        found.map(|found| (rule, found))
    });
    let (rule, found) = due.min_by_key(|(rule, _)| rule.priority)?;
    Some(Prompt {
        code: rule.code,
        rule: rule.id,
        text: found.text,
        severity: rule.severity,
        priority: rule.priority,
        place: found.place,
    })
}

/// What does not fit the earlier answers.
pub(super) fn conflicts(engine: &Engine, partial: &Partial<'_>) -> Vec<Conflict> {
    if partial.earlier.is_empty() {
        return Vec::new();
    }
    engine.conflicts(&AnswerInput {
        answer: partial.text.to_owned(),
        earlier: Some(partial.earlier.to_vec()),
        ..AnswerInput::default()
    })
}

#[cfg(test)]
mod tests;
