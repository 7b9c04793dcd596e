//! Which question comes next in a practice, and why.
//!
//! First a follow-up, if the last answer lacks what its question asked for; then what was planned,
//! in the order that covers what has not been shown; then the bank, at a difficulty that follows
//! the person's last practices.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::probe;
use crate::domain::analysis::{Analysis, AnsweredLabel, Status};
use crate::domain::id::QuestionId;
use crate::domain::interview::Because;
use crate::domain::number::Milli;

/// A question of the bank.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankQuestion {
    /// Stable.
    pub id: String,
    /// What it asks for.
    pub competency: String,
    /// 1 to 3.
    pub difficulty: u8,
    /// Its words.
    pub text: String,
}

/// A question of this practice that was asked.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Which.
    pub question_id: QuestionId,
    /// Its words.
    pub text: String,
    /// What it asks for; questions of the bank are found by their words.
    pub competency: Option<String>,
    /// Whether it waits for an answer.
    pub open: bool,
    /// The question that it follows up.
    pub about: Option<QuestionId>,
    /// The answer with its analysis.
    pub answer: Option<Past>,
}

/// An answer of this practice.
#[derive(Clone, Debug)]
pub struct Past {
    /// The whole answer.
    pub text: String,
    /// What the engine said then.
    pub analysis: Option<Analysis>,
}

/// What the choice rests on.
#[derive(Clone, Copy, Debug)]
pub struct Practice<'a> {
    /// What was asked, in order.
    pub turns: &'a [Turn],
    /// What is planned and was not asked: id, words, competency.
    pub planned: &'a [(QuestionId, String, Option<String>)],
    /// Scores of the person's last practices, oldest first.
    pub scores: &'a [Milli],
    /// Questions of the person's last practices: others come first.
    pub heard: &'a [String],
    /// The bank.
    pub bank: &'a [BankQuestion],
}

/// The next question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The planned question that it is, or a new one.
    pub planned: Option<QuestionId>,
    /// Its words.
    pub text: String,
    /// Why.
    pub because: Because,
}

/// Practices that say how somebody does at present.
const WINDOW: usize = 4;

/// The mean of a window and the change within it that make questions harder or easier.
const STRONG: Milli = Milli::whole(75);
const GOOD: Milli = Milli::whole(62);
const THIN: Milli = Milli::whole(50);
const WEAK: Milli = Milli::whole(40);
const CHANGE: Milli = Milli::whole(5);

/// The next question; `None`: nothing fits, or one is open and wants no follow-up before it.
pub fn choose(practice: &Practice<'_>) -> Option<Chosen> {
    if let Some(chosen) = follow_up(practice) {
        return Some(chosen);
    }
    if practice.turns.iter().any(|turn| turn.open) {
        return None;
    }
    planned(practice).or_else(|| from_bank(practice))
}

/// A probe about the newest answer: one for each question, and none for a probe.
fn follow_up(practice: &Practice<'_>) -> Option<Chosen> {
    let answered = |turn: &&Turn| turn.answer.is_some();
    let last = practice.turns.iter().rev().find(answered)?;
    let followed = practice.turns.iter().any(|turn| turn.about == Some(last.question_id));
    let waits = practice.turns.iter().any(|turn| turn.open && turn.about.is_some());
    if last.about.is_some() || followed || waits {
        return None;
    }
    let answer = last.answer.as_ref()?;
    let probe = probe::find(&last.text, &answer.text, answer.analysis.as_ref()?)?;
    let about = Some(last.question_id);
    let because = Because { rule: probe.rule.to_owned(), text: probe.because, about };
    Some(Chosen { planned: None, text: probe.text, because })
}

/// Whether an answer has shown something of what its question asks for.
fn shows(turn: &Turn) -> bool {
    let analysis = turn.answer.as_ref().and_then(|answer| answer.analysis.as_ref());
    analysis.is_some_and(|analysis| {
        analysis.status == Status::Scored
            && analysis.answered.label != Some(AnsweredLabel::Declined)
    })
}

fn planned(practice: &Practice<'_>) -> Option<Chosen> {
    let shown = |competency: &str| {
        let mut turns = practice.turns.iter();
        turns.any(|turn| turn.competency.as_deref() == Some(competency) && shows(turn))
    };
    let fresh = practice.planned.iter().find_map(|(id, text, competency)| {
        let competency = competency.as_deref().filter(|name| !shown(name))?;
        Some((id, text, competency))
    });
    let (id, text, rule, because) = match fresh {
        Some((id, text, competency)) => {
            let because =
                format!("It asks for {}, which no answer has shown yet.", in_words(competency));
            (id, text, "next.not_shown", because)
        }
        None => {
            let (id, text, _) = practice.planned.first()?;
            (id, text, "next.planned", "It is the next one of this practice.".to_owned())
        }
    };
    let because = Because { rule: rule.to_owned(), text: because, about: None };
    Some(Chosen { planned: Some(*id), text: text.clone(), because })
}

fn from_bank(practice: &Practice<'_>) -> Option<Chosen> {
    let (level, why) = difficulty(practice.scores);
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    for turn in practice.turns {
        let from_bank = practice.bank.iter().find(|question| question.text == turn.text);
        let competency = from_bank.map(|question| question.competency.as_str());
        if let Some(competency) = competency.or(turn.competency.as_deref()) {
            *asked.entry(competency).or_default() += 1;
        }
    }
    let times = |competency: &str| asked.get(competency).copied().unwrap_or(0);
    let unasked = practice
        .bank
        .iter()
        .filter(|question| practice.turns.iter().all(|turn| turn.text != question.text));
    let best = unasked.min_by_key(|question| {
        let heard = practice.heard.contains(&question.text);
        (times(&question.competency), question.difficulty.abs_diff(level), heard)
    })?;
    let touched = match times(&best.competency) {
        0 => "which this practice has not asked for",
        _ => "the least asked for so far",
    };
    let text = format!("It asks for {}, {touched}. {why}", in_words(&best.competency));
    let because = Because { rule: "next.bank".to_owned(), text, about: None };
    Some(Chosen { planned: None, text: best.text.clone(), because })
}

/// How hard the next question is to be, and why.
fn difficulty(scores: &[Milli]) -> (u8, String) {
    let window = &scores[scores.len().saturating_sub(WINDOW)..];
    let Some(mean) = mean(window) else {
        return (1, "The first practice begins with an everyday example.".to_owned());
    };
    let (older, newer) = window.split_at(window.len() / 2);
    let trend = match (self::mean(older), self::mean(newer)) {
        (Some(older), Some(newer)) => newer - older,
        _ => Milli::ZERO,
    };
    let (level, word) = match () {
        () if mean >= STRONG || (mean >= GOOD && trend >= CHANGE) => (3, "demanding"),
        () if mean <= WEAK || (mean <= THIN && trend <= -CHANGE) => (1, "plain"),
        () => (2, "middling"),
    };
    let way = match () {
        () if window.len() < 2 => "",
        () if trend >= CHANGE => " and rose",
        () if trend <= -CHANGE => " and fell",
        () => " and held steady",
    };
    let practices = match window.len() {
        1 => "Your last practice scored".to_owned(),
        n => format!("Your last {n} practices scored"),
    };
    let mean = (mean.0 + 500) / 1_000;
    let about = if window.len() > 1 { " on average" } else { "" };
    (level, format!("{practices} {mean}{about}{way}, so it is a {word} one."))
}

fn mean(scores: &[Milli]) -> Option<Milli> {
    let sum: Milli = scores.iter().copied().sum();
    (!scores.is_empty()).then(|| Milli(sum.0 / scores.len() as i64))
}

/// An id as people write it.
fn in_words(id: &str) -> String {
    id.replace('-', " ")
}

#[cfg(test)]
mod tests;
