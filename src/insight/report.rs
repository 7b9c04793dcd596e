//! The report on one interview, from its stored answers alone (section 4 of the contract).
//!
//! Nothing is measured again here: numbers are means over stored analyses, texts point into stored
//! answers, so that each can be traced.
//!
//! **Invariant:** `baseline + sum(points) == score`, in whole thousandths. Means are cut down to
//! whole thousandths each; what the sum then lacks, at most a few thousandths, is given to the
//! largest driver.

mod findings;
mod timeline;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::coverage::Covered;
use crate::domain::analysis::{
    Analysis, CalibrationId, Conflict, Driver, Evidence, Quote, Signal, Status,
};
use crate::domain::number::Milli;

pub use findings::Finding;

/// What is stored about one interview.
#[derive(Clone, Debug, Default)]
pub struct ReportInput {
    /// The interview's id.
    pub interview_id: String,
    /// `practice` or `live`.
    pub kind: String,
    /// The role that was interviewed for.
    pub role: Option<String>,
    /// The mode whose weights applied.
    pub mode: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
    /// In the order in which they were given.
    pub answers: Vec<AnsweredItem>,
    /// Questions that were asked and not answered.
    pub questions_unanswered: Vec<QuestionText>,
}

/// One stored answer.
#[derive(Clone, Debug)]
pub struct AnsweredItem {
    /// The question's id.
    pub question_id: String,
    /// The question.
    pub question: String,
    /// The answer's id.
    pub answer_id: String,
    /// The answer.
    pub text: String,
    /// When it was given.
    pub at: String,
    /// The number of its event in the room.
    pub seq: u64,
    /// What the engine said when it was given.
    pub analysis: Analysis,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionText {
    /// Its id.
    pub question_id: String,
    /// Its words.
    pub text: String,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerText {
    /// Its id.
    pub answer_id: String,
    /// Its words.
    pub text: String,
}

/// A question with its answer and what the engine said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportAnswer {
    /// What was asked.
    pub question: QuestionText,
    /// What was answered.
    pub answer: AnswerText,
    /// What the engine said when it was given.
    pub analysis: Analysis,
}

/// A point on the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// The number of the event; null for a question without an answer.
    pub seq: Option<u64>,
    /// When; null for a question without an answer.
    pub at: Option<String>,
    /// `answer` or `unanswered`.
    pub kind: String,
    /// The question's id.
    pub question_id: String,
    /// The answer's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_id: Option<String>,
    /// The answer's score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Milli>,
    /// How many words it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Milli>,
    /// The question, shortened.
    pub label: String,
}

/// A conflict with the answers that its quotes come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportConflict {
    /// The later answer.
    pub answer_id: String,
    /// The earlier answer; null for the CV.
    pub earlier_answer_id: Option<String>,
    /// The two quotes, the rule and how much it matters.
    #[serde(flatten)]
    pub conflict: Conflict,
}

/// Facts about speech, as means over the answers that have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Pace.
    pub words_per_minute: Option<Milli>,
    /// Share of silence, 0 to 1.
    pub pause_share: Option<Milli>,
    /// Fillers in 100 words.
    pub filler_rate: Option<Milli>,
    /// Words of an answer.
    pub length_words: Option<Milli>,
}

/// The report on one interview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The interview's id.
    pub interview_id: String,
    /// `practice` or `live`.
    pub kind: String,
    /// The role that was interviewed for.
    pub role: Option<String>,
    /// The mode whose weights applied.
    pub mode: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
    /// The calibration of the last answer; null without answers.
    pub calibration: Option<CalibrationId>,
    /// Says so if the answers were made under different calibrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_note: Option<String>,
    /// Mean of the scored answers; null if there are none.
    pub score: Option<Milli>,
    /// Mean of their baselines; null if there are none.
    pub baseline: Option<Milli>,
    /// Mean points of each signal over the scored answers.
    pub drivers: Vec<Driver>,
    /// Mean value of each signal over all answers that have one, and `consistency`.
    pub summary: BTreeMap<String, Option<Milli>>,
    /// What carried the answers, strongest first.
    pub strengths: Vec<Finding>,
    /// What weighed on them, most urgent first.
    pub risks: Vec<Finding>,
    /// Questions and answers in order.
    pub answers: Vec<ReportAnswer>,
    /// The interview in order of time; unanswered questions last.
    pub timeline: Vec<TimelineEntry>,
    /// Statements that do not fit together.
    pub conflicts: Vec<ReportConflict>,
    /// How far the kit's competencies and the job description are shown.
    #[serde(default)]
    pub coverage: Vec<Covered>,
    /// Facts about speech.
    pub delivery: Delivery,
    /// What these numbers are not.
    pub limits: String,
}

const LIMITS: &str = "These numbers describe the words of the answers and nothing else. They do \
    not measure character, honesty, ability or success in a job, and they do not see what was \
    meant but not said. Word lists and rules make mistakes: read the quoted words before you \
    believe a number. Only English is read. Pace, pauses and fillers depend on language, habit \
    and equipment. A person decides, never this report.";

/// What one conflict costs the consistency of the interview, of 100.
const CONFLICT_COST: i64 = 20;

/// Sums an interview up.
pub fn build(input: &ReportInput) -> Report {
    let analyses = || input.answers.iter().map(|answer| &answer.analysis);
    let scored: Vec<&Analysis> =
        analyses().filter(|a| a.status == Status::Scored && a.score.is_some()).collect();
    let score = mean(scored.iter().filter_map(|analysis| analysis.score));
    let baseline = mean(scored.iter().map(|analysis| analysis.baseline));
    let drivers = mean_drivers(&scored, score, baseline);
    let calibration = input.answers.last().map(|answer| answer.analysis.calibration.clone());
    let mixed = calibration.as_ref().is_some_and(|last| analyses().any(|a| a.calibration != *last));
    let fact = |name: &str| mean(analyses().filter_map(|a| a.signals.get(name)?.value));
    Report {
        interview_id: input.interview_id.clone(),
        kind: input.kind.clone(),
        role: input.role.clone(),
        mode: input.mode.clone(),
        finished_at: input.finished_at.clone(),
        calibration,
        calibration_note: mixed.then(|| {
            "The answers were scored under different calibrations; the one named here is that of \
             the last answer. Compare their scores with care."
                .to_owned()
        }),
        score,
        baseline,
        strengths: findings::strengths(&input.answers, &drivers),
        risks: findings::risks(&input.answers, &drivers),
        drivers,
        summary: summary(&input.answers),
        answers: input.answers.iter().map(told).collect(),
        timeline: timeline::timeline(input),
        conflicts: conflicts(&input.answers),
        coverage: Vec::new(),
        delivery: Delivery {
            words_per_minute: fact("words_per_minute"),
            pause_share: fact("pause_share"),
            filler_rate: fact("filler_rate"),
            length_words: fact("length_words"),
        },
        limits: LIMITS.to_owned(),
    }
}

fn told(item: &AnsweredItem) -> ReportAnswer {
    let question =
        QuestionText { question_id: item.question_id.clone(), text: item.question.clone() };
    let answer = AnswerText { answer_id: item.answer_id.clone(), text: item.text.clone() };
    ReportAnswer { question, answer, analysis: item.analysis.clone() }
}

fn mean(values: impl Iterator<Item = Milli>) -> Option<Milli> {
    let (sum, count) = values.fold((0, 0), |(sum, count), value| (sum + value.0, count + 1));
    (count > 0).then(|| Milli(i64::div_euclid(sum, count)))
}

/// Mean points per signal that make the mean score exactly.
fn mean_drivers(
    scored: &[&Analysis],
    score: Option<Milli>,
    baseline: Option<Milli>,
) -> Vec<Driver> {
    let (Some(score), Some(baseline)) = (score, baseline) else {
        return Vec::new();
    };
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for driver in scored.iter().flat_map(|analysis| &analysis.drivers) {
        *sums.entry(driver.signal.as_str()).or_default() += driver.points.0;
    }
    let count = scored.len() as i64;
    let mut drivers: Vec<Driver> = sums
        .into_iter()
        .map(|(signal, sum)| Driver {
            signal: signal.to_owned(),
            points: Milli(sum.div_euclid(count)),
        })
        .collect();
    let told: Milli = drivers.iter().map(|driver| driver.points).sum();
    let lacking = score - baseline - told;
    if let Some(largest) = drivers.iter_mut().max_by_key(|driver| driver.points.0.abs()) {
        largest.points += lacking;
    }
    drivers.sort_by(|a, b| {
        b.points.0.abs().cmp(&a.points.0.abs()).then_with(|| a.signal.cmp(&b.signal))
    });
    drivers
}

fn summary(answers: &[AnsweredItem]) -> BTreeMap<String, Option<Milli>> {
    let mut names: BTreeMap<String, Option<Milli>> = BTreeMap::new();
    let signals = |name: &str| {
        mean(answers.iter().filter_map(|answer| answer.analysis.signals.get(name)?.value))
    };
    for name in crate::domain::analysis::SIGNAL_NAMES {
        names.insert(name.to_owned(), signals(name));
    }
    for name in answers.iter().flat_map(|answer| answer.analysis.signals.keys()) {
        if !names.contains_key(name) {
            names.insert(name.clone(), signals(name));
        }
    }
    let count: usize = answers.iter().map(|answer| answer.analysis.conflicts.len()).sum();
    // One answer alone has nothing to be consistent with, unless a conflict with the CV was found.
    let comparable = answers.len() > 1 || count > 0;
    let cost = CONFLICT_COST * i64::try_from(count).unwrap_or(i64::MAX / CONFLICT_COST);
    let consistency = comparable.then(|| Milli::whole((100 - cost.min(100)).max(0)));
    names.insert("consistency".to_owned(), consistency);
    names
}

fn conflicts(answers: &[AnsweredItem]) -> Vec<ReportConflict> {
    let mut found = Vec::new();
    for item in answers {
        for conflict in &item.analysis.conflicts {
            found.push(ReportConflict {
                answer_id: item.answer_id.clone(),
                earlier_answer_id: answer_of(answers, &conflict.a),
                conflict: conflict.clone(),
            });
        }
    }
    found
}

/// The answer that an earlier quote was cut from: by its number and its words, since a caller may
/// have passed only some of the earlier answers.
fn answer_of(answers: &[AnsweredItem], quote: &Quote) -> Option<String> {
    let holds = |item: &&AnsweredItem| item.text.contains(&quote.text);
    let index = quote.index? as usize;
    let named = answers.get(index).filter(holds);
    named.or_else(|| answers.iter().find(holds)).map(|item| item.answer_id.clone())
}

#[cfg(test)]
mod tests;
